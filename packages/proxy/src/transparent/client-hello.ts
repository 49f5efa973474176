/** The largest ClientHello that is looked into: those of today have 0.5 to 2 KB, and session tickets add some. */
const MAX_HELLO_BYTES = 16_384;
/**
 * Most records that a hello is put together from. Clients send one, and those that hide the name from censors a few; each look at the
 * thousands of records that 64 KB hold would cost the rest of the listener its time.
 */
const MAX_HELLO_RECORDS = 32;
const RECORD_HEAD_BYTES = 5;
const HANDSHAKE_HEAD_BYTES = 4;
const TYPE_HANDSHAKE = 22;
const TYPE_CLIENT_HELLO = 1;
/** Version and random (RFC 8446, 4.1.2). */
const HELLO_START_BYTES = 34;
const EXTENSION_SERVER_NAME = 0;
const NAME_TYPE_HOST = 0;
/** Letters, digits, hyphen, underscore and dots; international names come in their ASCII form (RFC 6066, 3). */
const HOST_NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i;

/**
 * The host that a TLS client asks for (RFC 6066, 3), without decrypting anything.
 * @param bytes what the client has sent so far; the hello may be spread over several records
 * @returns the name in lower case; '' when it names none, or what it sends is no proper hello; undefined when more bytes are needed
 */
export function readServerName(bytes: Buffer): string | undefined {
  const hello = readHello(bytes);
  return hello === undefined ? undefined : hello.length === 0 ? '' : serverNameOf(hello);
}

/** As {@link readServerName} of what is there: a hello of which a part is missing may still show the name. @returns '' when it does not */
export function readEarlyServerName(bytes: Buffer): string {
  const whole = readServerName(bytes);
  // The first record begins with the hello, whose first extensions are among its first bytes.
  return whole ?? serverNameOf(bytes.subarray(RECORD_HEAD_BYTES + HANDSHAKE_HEAD_BYTES));
}

const NONE: Buffer = Buffer.alloc(0);

/** The body of the ClientHello; empty when there is none; undefined when more bytes are needed. */
function readHello(bytes: Buffer): Buffer | undefined {
  const pieces: Buffer[] = [];
  let have = 0;
  let wanted = Infinity;
  for (let at = 0; ;) {
    if (bytes.length < at + RECORD_HEAD_BYTES) return undefined;
    if (bytes[at] !== TYPE_HANDSHAKE || bytes[at + 1] !== 3) return NONE;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > MAX_HELLO_BYTES || pieces.length === MAX_HELLO_RECORDS) return NONE;
    const start = at + RECORD_HEAD_BYTES;
    const piece = bytes.subarray(start, start + length);
    pieces.push(piece);
    have += piece.length;
    if (wanted === Infinity && have >= HANDSHAKE_HEAD_BYTES) {
      const head = joined(pieces);
      wanted = HANDSHAKE_HEAD_BYTES + head.readUIntBE(1, 3);
      if (head[0] !== TYPE_CLIENT_HELLO || wanted > MAX_HELLO_BYTES) return NONE;
    }
    if (have >= wanted) return joined(pieces).subarray(HANDSHAKE_HEAD_BYTES, wanted);
    if (piece.length < length) return undefined;
    at = start + length;
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}

function serverNameOf(hello: Buffer): string {
  let at = HELLO_START_BYTES;
  // Session id, cipher suites, compression methods: each with its length in front.
  for (const lengthBytes of [1, 2, 1]) {
    if (hello.length < at + lengthBytes) return '';
    at += lengthBytes + hello.readUIntBE(at, lengthBytes);
  }
  if (hello.length < at + 2) return '';
  const end = Math.min(hello.length, at + 2 + hello.readUInt16BE(at));
  at += 2;
  while (at + 4 <= end) {
    const type = hello.readUInt16BE(at);
    const length = hello.readUInt16BE(at + 2);
    at += 4;
    if (type === EXTENSION_SERVER_NAME) return hostOf(hello.subarray(at, Math.min(end, at + length)));
    at += length;
  }
  return '';
}

/** The extension is a list with one name of type host. */
function hostOf(extension: Buffer): string {
  if (extension.length < 5 || extension[2] !== NAME_TYPE_HOST) return '';
  const length = extension.readUInt16BE(3);
  if (extension.length < 5 + length) return '';
  const name = extension.toString('latin1', 5, 5 + length);
  return HOST_NAME.test(name) ? name.toLowerCase() : '';
}
