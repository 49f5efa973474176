import { request as httpRequest } from 'node:http';
import { MeshError, parseHostPort, systemPorts, type CallExplanation, type ExplainRequest } from '@mesher/core';

/** An explanation takes milliseconds, and with `--watch` as long as the registry needs for its first answer. */
const LONGEST_WAIT_MS = 15_000;
/** An explanation of a service with 10,000 instances has some 2 MB. */
const LONGEST_ANSWER = 32 * 1024 * 1024;

/**
 * Asks the admin API of a running sidecar.
 * @param admin its address, `host:port`
 * @throws MeshError MESH_ERR_EXPLAIN_UNANSWERED saying what to do when nobody answers
 */
export async function askSidecar(request: ExplainRequest, admin: string): Promise<CallExplanation> {
  const address = parseHostPort(admin.replace(/^http:\/\//, '').replace(/\/$/, ''));
  if (typeof address === 'string') {
    throw new MeshError('MESH_ERR_EXPLAIN_REQUEST', `--admin is '${admin}', but needs ${address}`);
  }
  const { status, body } = await post(address.host, address.port, JSON.stringify(request), admin);
  const answer = readJson(body);
  if (status === 200 && isExplanation(answer)) return answer;
  if (status === 404 || answer === undefined) {
    throw unanswered(
      `${admin} answers, but it is no admin port of a sidecar that can explain calls (status ${status})`,
    );
  }
  const { message = '' } = answer as { message?: string };
  throw status === 400
    ? new MeshError('MESH_ERR_EXPLAIN_REQUEST', message)
    : unanswered(`the sidecar at ${admin} refused the question with status ${status}: ${message}`);
}

function post(host: string, port: number, body: string, admin: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const late = systemPorts().timers.after(LONGEST_WAIT_MS, () => {
      outgoing.destroy(new Error(`it took more than ${LONGEST_WAIT_MS / 1000} s`));
    });
    const fail = (error: Error): void => {
      late.cancel();
      reject(noAnswer(error, admin));
    };
    const outgoing = httpRequest({
      host,
      port,
      method: 'POST',
      path: '/v1/mesher/explain',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      agent: false,
    });
    outgoing.once('error', fail);
    outgoing.once('response', (incoming) => {
      const pieces: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > LONGEST_ANSWER) incoming.destroy(new Error(`the answer has more than ${LONGEST_ANSWER} bytes`));
        else pieces.push(piece);
      });
      incoming.once('error', fail);
      incoming.once('end', () => {
        late.cancel();
        resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(pieces).toString('utf8') });
      });
    });
    outgoing.end(body);
  });
}

function noAnswer(error: Error, admin: string): MeshError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED' || code === 'ENOENT') {
    return unanswered(
      `no sidecar answers at ${admin} (connection refused).\n` +
        '  Is it running? Its log names the admin address ("ready"); pass it with --admin HOST:PORT.\n' +
        '  Without a sidecar: mesher explain --config DIR --instances FILE METHOD URL',
    );
  }
  return unanswered(`no answer from ${admin}: ${error.message}`);
}

function unanswered(message: string): MeshError {
  return new MeshError('MESH_ERR_EXPLAIN_UNANSWERED', message);
}

function readJson(body: string): object | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function isExplanation(value: object | undefined): value is CallExplanation {
  return value !== undefined && 'steps' in value && 'sent' in value;
}
