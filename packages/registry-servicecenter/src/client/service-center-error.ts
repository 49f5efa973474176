import { MeshError } from '@mesher/core';

export { messageOf } from '@mesher/core';

/** What can go wrong with service-center. */
export type ServiceCenterErrorCode =
  /** A setting that cannot be used. */
  | 'SC_SETTING'
  /** No connection, no answer in time, or the server is in trouble itself. */
  | 'SC_UNREACHABLE'
  /** It does not let us in: account, token or permission. */
  | 'SC_DENIED'
  /** It refuses the request, with one of its error codes. */
  | 'SC_REFUSED'
  /** An answer that is none of service-center's. */
  | 'SC_ANSWER'
  /** This registry was closed. */
  | 'SC_CLOSED';

/** A failure with service-center. The message names the address and says what to do; it holds no password and no token. */
export class ServiceCenterError extends MeshError {
  /**
   * @param errorCode of service-center, such as 400012; undefined when it gave none
   * @param detail what service-center says besides its message
   */
  constructor(
    code: ServiceCenterErrorCode,
    message: string,
    readonly errorCode?: number,
    readonly detail: string = '',
  ) {
    super(code, message);
    this.name = 'ServiceCenterError';
  }
}

/** The error code that service-center gave; undefined for any other error. */
export function errorCodeOf(error: unknown): number | undefined {
  return error instanceof ServiceCenterError ? error.errorCode : undefined;
}
