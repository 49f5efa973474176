import { MeshError } from '@mesher/core';

/** What can go wrong with the config center. */
export type KieErrorCode =
  /** A setting that cannot be used. */
  | 'KIE_SETTING'
  /** No connection, or no answer in time. */
  | 'KIE_UNREACHABLE'
  /** Kie does not let us in: token or certificate. */
  | 'KIE_DENIED'
  /** An answer that is none of Kie's. */
  | 'KIE_ANSWER';

/** A failure with the config center. The message names the address and says what to do; it holds no token. */
export class KieError extends MeshError {
  constructor(code: KieErrorCode, message: string) {
    super(code, message);
    this.name = 'KieError';
  }
}
