const PERCENT = 0x25;
const FIRST_PLAIN = 0x20;
const LAST_PLAIN = 0x7e;

/** Text as `grpc-message` carries it: bytes of UTF-8, all but visible ASCII and blanks as %XX, and `%` itself, too. */
export function encodeGrpcMessage(text: string): string {
  if (isPlain(text)) return text;
  let encoded = '';
  for (const byte of Buffer.from(text)) {
    const plain = byte >= FIRST_PLAIN && byte <= LAST_PLAIN && byte !== PERCENT;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** Text out of `grpc-message`; what is not encoded properly stays as it is, as the protocol demands. */
export function decodeGrpcMessage(value: string): string {
  if (!value.includes('%')) return value;
  const bytes: number[] = [];
  for (let i = 0; i < value.length; i++) {
    const hex = value.slice(i + 1, i + 3);
    if (value.charCodeAt(i) === PERCENT && /^[0-9a-f]{2}$/i.test(hex)) {
      bytes.push(parseInt(hex, 16));
      i += 2;
    } else bytes.push(...Buffer.from(value[i] as string));
  }
  return Buffer.from(bytes).toString();
}

function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < FIRST_PLAIN || code > LAST_PLAIN || code === PERCENT) return false;
  }
  return true;
}
