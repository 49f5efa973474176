/** The service that the gRPC calls are addressed to; the sidecar looks it up in its registry, the peers pass it on. */
export const GRPC_SERVICE = 'echo';
export const GRPC_PATH = '/bench.Echo/Say';

/** What a gRPC client sends with every call (PROTOCOL-HTTP2), besides pseudo-headers: as grpc-go does, with a token and a trace. */
export const GRPC_HEADERS: readonly (readonly [string, string])[] = [
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
  ['user-agent', 'grpc-go/1.66.0'],
  ['authorization', `Bearer ${'not-a-real-token.'.repeat(4)}abcdefgh`],
  ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
];

const PREFIX_BYTES = 5;

/** A message as it stands in the body: not compressed, then its length in four bytes. */
export function grpcMessage(bytes: number): Buffer {
  const message = Buffer.alloc(PREFIX_BYTES + bytes, 'mesher bench ');
  message[0] = 0;
  message.writeUInt32BE(bytes, 1);
  return message;
}
