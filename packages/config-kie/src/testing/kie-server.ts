export type KieLabels = Readonly<Record<string, string>>;

/** A Kie that tests can fill: the fake one, or the real one. */
export interface KieServer {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Sets a value, also one that is there. */
  put(labels: KieLabels, key: string, value: string, status?: 'enabled' | 'disabled'): Promise<void>;
  remove(labels: KieLabels, key: string): Promise<void>;
  close(): Promise<void>;
}
