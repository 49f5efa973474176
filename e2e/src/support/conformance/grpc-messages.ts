/** Length of what stands before each message of gRPC: a byte that tells whether it is compressed, and its length. */
const PREFIX_BYTES = 5;

/** A text as one message of gRPC, not compressed. */
export function grpcMessage(text: string): Buffer {
  const content = Buffer.from(text);
  const message = Buffer.alloc(PREFIX_BYTES + content.length);
  message.writeUInt32BE(content.length, 1);
  content.copy(message, PREFIX_BYTES);
  return message;
}

/** The texts of all messages, one behind the other. */
export function textOfMessages(body: Buffer): string {
  let text = '';
  for (let at = 0; at + PREFIX_BYTES <= body.length;) {
    const end = at + PREFIX_BYTES + body.readUInt32BE(at + 1);
    text += body.toString('utf8', at + PREFIX_BYTES, end);
    at = end;
  }
  return text;
}
