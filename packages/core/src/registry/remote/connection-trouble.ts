/** How the keys are called that say whom to trust, for messages. */
export interface TlsKeyNames {
  readonly caFile: string;
  readonly serverName: string;
  readonly certFile: string;
}

/** Nobody who is trusted has signed the certificate; codes of OpenSSL's verification. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_UNTRUSTED',
]);
const MISNAMED: ReadonlySet<string> = new Set(['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH']);
const OUT_OF_TIME: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);
const UNKNOWN_NAME: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN']);

/** What OpenSSL says of bytes that are none of TLS. */
const NO_TLS = /wrong version number|packet length too long|http request/i;
/** What OpenSSL says when the other side ends the handshake for want of a certificate, or of one that it trusts. */
const REFUSED_US = /alert (?:certificate|bad certificate|unknown ca|handshake failure)|certificate required/i;

/**
 * Why a registry could not be asked, for people: the code of the error, and the key or the part of the address that mends it. Nothing
 * else of the error is shown, because its message may hold the request.
 */
export function connectionTrouble(error: unknown, keys: TlsKeyNames): string {
  const { code, message } = factsOf(error);
  if (code === undefined) return message;
  const hint = hintFor(code, message, keys);
  return hint === undefined ? code : `${code}: ${hint}`;
}

function hintFor(code: string, message: string, keys: TlsKeyNames): string | undefined {
  if (UNTRUSTED.has(code)) {
    return `nobody who is trusted has signed its certificate; name the file with that of its authority in ${keys.caFile}`;
  }
  if (MISNAMED.has(code)) {
    return `its certificate is for another name; use that name in the address, or in ${keys.serverName}`;
  }
  if (OUT_OF_TIME.has(code)) return 'its certificate is not valid now; renew it, or look at the clocks';
  if (UNKNOWN_NAME.has(code)) return 'nobody knows the name in its address';
  if (code === 'ECONNREFUSED') return 'nobody listens at its address';
  if (NO_TLS.test(message)) return 'it does not speak TLS; does its address begin with http:// instead of https://?';
  if (REFUSED_US.test(message)) return `it takes no client without a certificate that it knows; see ${keys.certFile}`;
  return undefined;
}

function factsOf(error: unknown): { readonly code: string | undefined; readonly message: string } {
  if (!(error instanceof Error)) return { code: undefined, message: String(error) };
  const code: unknown = 'code' in error ? error.code : undefined;
  return { code: typeof code === 'string' ? code : undefined, message: error.message };
}
