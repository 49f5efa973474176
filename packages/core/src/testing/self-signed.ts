import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface SelfSigned {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/** Tags of DER (X.690). */
const TAG = { integer: 2, bits: 3, octets: 4, oid: 6, text: 12, time: 23, sequence: 0x30, set: 0x31 } as const;
/** Object identifiers, encoded: ecdsa-with-SHA256, commonName, subjectAltName. */
const OID = { ecdsa: '2a8648ce3d040302', commonName: '550403', altName: '551d11' } as const;

function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const size = body.length.toString(16);
  const long = Buffer.from(size.padStart(size.length + (size.length % 2), '0'), 'hex');
  const length =
    body.length < 0x80 ? Buffer.from([body.length]) : Buffer.concat([Buffer.from([0x80 | long.length]), long]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
}

const oid = (hex: string): Buffer => der(TAG.oid, Buffer.from(hex, 'hex'));

/**
 * A certificate for 127.0.0.1 and localhost that is its own authority (RFC 5280), new each time; so that no key lies in the repository.
 * @param name the common name, to tell one from another
 * @param hosts further names of hosts that it is for
 */
export function makeSelfSigned(name: string, ...hosts: readonly string[]): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const algorithm = der(TAG.sequence, oid(OID.ecdsa));
  const subject = der(
    TAG.sequence,
    der(TAG.set, der(TAG.sequence, oid(OID.commonName), der(TAG.text, Buffer.from(name)))),
  );
  const names = ['localhost', ...hosts].map((host) => der(0x82, Buffer.from(host)));
  const addresses = der(TAG.sequence, ...names, der(0x87, Buffer.from([127, 0, 0, 1])));
  const extensions = der(TAG.sequence, der(TAG.sequence, oid(OID.altName), der(TAG.octets, addresses)));
  const time = (text: string): Buffer => der(TAG.time, Buffer.from(text));
  const content = der(
    TAG.sequence,
    der(0xa0, der(TAG.integer, Buffer.from([2]))),
    // Positive, whatever the random bytes.
    der(TAG.integer, Buffer.from([1]), randomBytes(15)),
    algorithm,
    subject,
    der(TAG.sequence, time('200101000000Z'), time('491231235959Z')),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = der(TAG.bits, Buffer.from([0]), sign('sha256', content, privateKey));
  const encoded = der(TAG.sequence, content, algorithm, signature).toString('base64');
  // Not an empty last line where the length is a multiple of 64: signatures differ in theirs, and OpenSSL takes no blank lines.
  const body = (encoded.match(/.{1,64}/g) ?? []).join('\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
