import type { MethodDefinition } from '@grpc/grpc-js';

/**
 * The gRPC service of these tests. Messages are bytes as they are: what the sidecars carry is the same with or without protobuf, and the
 * other implementations of this service (peers rank) need no code generator either.
 *
 * | method | kind | what it does |
 * | --- | --- | --- |
 * | Say | unary | gives the message back |
 * | Count | server streaming | for the request `N,SIZE` sends N messages of SIZE bytes that begin with their number (32 bits, big endian) |
 * | Sum | client streaming | says `MESSAGES,BYTES` of what it got |
 * | Chat | both ways | gives each message back as it comes |
 * | Hold | unary | prints `holding`, waits for Release, then answers; prints `cancelled` when the call is given up |
 * | Release | unary | lets all calls of Hold and of stepwise Count go on |
 *
 * Metadata of a call: `echo-*` comes back in the head of the answer and `trail-*` in its trailers; `fail: CODE` makes Say end with that status,
 * in trailers only, or after a head when `fail-late` is there; `stepwise` makes Count wait for a Release after each message; `early` makes
 * Sum answer after the first message. Every head names the server in `served-by`. Sum and Chat print `got N` for each message that comes.
 */
export const ECHO_SERVICE = 'mesher.test.Echo';

/** Detail of the statuses that `fail` asks for: characters that must be escaped on the wire, and one that takes three bytes. */
export const FAILURE_DETAIL = 'as asked: 100 % ✓';

export type EchoMethod = MethodDefinition<Buffer, Buffer>;

const asItIs = (bytes: Buffer): Buffer => bytes;

function method(name: string, requestStream: boolean, responseStream: boolean): EchoMethod {
  return {
    path: `/${ECHO_SERVICE}/${name}`,
    ...{ requestStream, responseStream },
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  };
}

export const ECHO_METHODS = {
  say: method('Say', false, false),
  count: method('Count', false, true),
  sum: method('Sum', true, false),
  chat: method('Chat', true, true),
  hold: method('Hold', false, false),
  release: method('Release', false, false),
} as const;
