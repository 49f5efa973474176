/** Turns a raw configuration value into a typed one, or says what is wrong with it. Implemented in this folder. */
export interface Schema<T> {
  /** Phantom: carries the type for {@link Infer}. */
  readonly _type?: T;
}

/** The TypeScript type a schema produces. */
export type Infer<S> = S extends Schema<infer T> ? T : never;
