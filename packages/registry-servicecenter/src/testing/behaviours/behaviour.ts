/** A service-center that is running, the double or the real one. */
export interface Target {
  /** `http://127.0.0.1:30100` */
  readonly url: string;
  /** `Authorization` of every request, where the server asks for one. */
  readonly token?: string;
  /** The API that it speaks: 2 when left out, as the double does. Where 1.x (1.4.8) differs, the behaviours say how. */
  readonly generation?: 1 | 2;
}

/** What a behaviour needs beyond the defaults of a server. */
export interface Needs {
  /** Accounts, among them `root` with this password. */
  readonly rootPassword?: string;
  /** Pings of websockets every second: `heartbeat.websocket.pingInterval` of service-center. */
  readonly shortPings?: boolean;
  /** Takes as long as the shortest lease, 20 s of real time. */
  readonly slow?: boolean;
  /** Service-center 1.x has no such thing. */
  readonly generation?: 2;
}

/** One promise of a service-center. Names are unique to the run, so one server may serve any number of them. */
export interface ServiceCenterBehaviour {
  /** Continues "it". */
  readonly title: string;
  readonly needs?: Needs;
  /** @throws AssertionError when the promise is not kept */
  check(target: Target): Promise<void>;
}

/** Of the account `root` where a behaviour needs one. */
export const ROOT_PASSWORD = 'Complicated-1';
