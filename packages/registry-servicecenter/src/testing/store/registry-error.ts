/** Codes of the registry and what they are called there; the first three digits are the HTTP status. */
export const REGISTRY_ERRORS = {
  400001: 'Invalid parameter(s)',
  400002: 'Server is Unhealthy',
  400010: 'Micro-service already exists',
  400012: 'Micro-service does not exist',
  400013: 'Micro-service has deployed instance(s)',
  400014: 'Undefined schema id',
  400015: 'Not allowed to modify schema',
  400016: 'Schema does not exist',
  400017: 'Instance does not exist',
  400018: 'Tag does not exist',
  400023: 'Consumer(s) depends on this micro-service',
  400024: 'Access micro-service refused',
  400026: 'Micro-service version does not exist',
  400100: 'Not enough quota',
  401201: 'Request unauthorized',
  401202: 'User name or password is wrong',
  401204: 'No Authorization header',
  401205: 'Token is expired',
  403001: 'Forbidden',
  403201: 'Account is blocked',
  403205: 'No permission(s)',
  500003: 'Internal server error',
  500011: 'Registry service is unavailable',
} as const;

export type RegistryErrorCode = keyof typeof REGISTRY_ERRORS;

/** A refusal with the code and the texts of service-center. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';

  constructor(
    readonly code: RegistryErrorCode,
    readonly detail: string,
  ) {
    super(`${code} ${REGISTRY_ERRORS[code]}: ${detail}`);
  }

  get status(): number {
    return Math.floor(this.code / 1_000);
  }

  /** The body of the answer; the code is a text in it. */
  toJSON(): { errorCode: string; errorMessage: string; detail: string } {
    return { errorCode: String(this.code), errorMessage: REGISTRY_ERRORS[this.code], detail: this.detail };
  }
}
