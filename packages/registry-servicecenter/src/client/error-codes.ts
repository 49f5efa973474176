/** Error codes of service-center that a client acts on; the HTTP status is their first three digits. */
export const SC_CODE = {
  invalidParameters: 400001,
  serverUnhealthy: 400002,
  serviceExists: 400010,
  serviceNotExist: 400012,
  schemaNotExist: 400016,
  instanceNotExist: 400017,
  versionNotExist: 400026,
  quotaExceeded: 400100,
  wrongPassword: 401202,
  tokenExpired: 401205,
  accountBlocked: 403201,
  noPermission: 403205,
} as const;

/** The service is not known, or not in this version: to be registered (provider), or an empty result (consumer). */
export function isUnknownService(code: number | undefined): boolean {
  return code === SC_CODE.serviceNotExist || code === SC_CODE.versionNotExist;
}

/** The server has no use for us at the moment, or never: another address may. */
export function isServerTrouble(status: number, code: number | undefined): boolean {
  return status >= 500 || code === SC_CODE.serverUnhealthy;
}
