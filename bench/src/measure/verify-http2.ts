import type { RunningCandidate } from '../candidates/running.js';
import { GRPC_HEADERS, GRPC_PATH, GRPC_SERVICE, grpcMessage } from '../net/grpc-call.js';
import { fetchOnce } from '../net/http-check.js';
import { callOnce } from '../net/http2-check.js';
import { REQUEST_HEADERS, SERVICE } from '../net/request-head.js';
import { LARGE_PATH, MEDIUM_PATH, SEEN_PATH, SMALL_PATH } from '../upstream/bodies.js';
import type { Upstream } from '../upstream/upstream.js';
import { missingWork, type Verdict } from './verify.js';

const MESSAGE_BYTES = 300_000;

/** Fetches every body over HTTP/2 through the candidate, and makes a gRPC call with a large message, which must end with its trailers. */
export async function verifyHttp2(running: RunningCandidate, upstream: Upstream): Promise<Verdict> {
  const headers = Object.fromEntries(REQUEST_HEADERS);
  for (const path of [SMALL_PATH, MEDIUM_PATH, LARGE_PATH]) {
    const direct = await fetchOnce(upstream.httpPort, path);
    const through = await callOnce({ port: running.port, authority: SERVICE, path, headers });
    if (through.status !== 200) return { error: `${path} answered ${through.status}: ${through.text}`, remarks: [] };
    if (through.digest !== direct.digest) {
      return { error: `${path} arrived changed (${through.bytes} of ${direct.bytes} bytes)`, remarks: [] };
    }
  }
  const call = { authority: GRPC_SERVICE, path: GRPC_PATH, headers: Object.fromEntries(GRPC_HEADERS) };
  const body = grpcMessage(MESSAGE_BYTES);
  const direct = await callOnce({ ...call, port: upstream.grpcPort, body });
  const before = await upstream.count('grpc');
  const through = await callOnce({ ...call, port: running.grpcPort, body });
  const after = await upstream.count('grpc');
  const status = through.trailers['grpc-status'];
  if (through.status !== 200 || status !== '0') {
    const message = String(through.trailers['grpc-message'] ?? through.text);
    return {
      error: `a gRPC call ended with ${through.status} and grpc-status ${String(status)}: ${message}`,
      remarks: [],
    };
  }
  if (through.digest !== direct.digest) return { error: 'the message of a gRPC call arrived changed', remarks: [] };
  if (after.received - before.received !== body.length || after.answered - before.answered !== 1) {
    return {
      error: `${after.received - before.received} of ${body.length} bytes reached the gRPC server`,
      remarks: [],
    };
  }
  const seen = await callOnce({ port: running.port, authority: SERVICE, path: SEEN_PATH, headers });
  return { remarks: missingWork(running, seen.text) };
}
