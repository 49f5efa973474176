import { request as httpRequest } from 'node:http';
import { MeshError, parseHostPort, systemPorts, type HostPort } from '@mesher/core';

/** An answer takes milliseconds, and with `explain --watch` as long as the registry needs for its first answer. */
const LONGEST_WAIT_MS = 15_000;
/** An explanation of a service with 10,000 instances has some 2 MB. */
const LONGEST_ANSWER = 32 * 1024 * 1024;

export interface AdminQuestion {
  /** Of the running sidecar, `host:port`. */
  readonly admin: string;
  readonly path: string;
  /** JSON to be posted; without it the question is a GET. */
  readonly body?: string;
  /** What to do when there is no sidecar. */
  readonly otherwise: string;
}

export interface AdminAnswer {
  readonly status: number;
  /** The body; undefined when it is no JSON object. */
  readonly value: object | undefined;
}

/**
 * Asks the admin port of a running sidecar.
 * @throws MeshError MESH_ERR_USAGE for what is no address, MESH_ERR_ADMIN_UNANSWERED saying what to do when nobody answers
 */
export async function askAdmin(question: AdminQuestion): Promise<AdminAnswer> {
  const { admin, otherwise } = question;
  const address = parseHostPort(admin.replace(/^http:\/\//, '').replace(/\/$/, ''));
  if (typeof address === 'string') throw new MeshError('MESH_ERR_USAGE', `--admin is '${admin}', but needs ${address}`);
  try {
    const { status, body } = await exchange(address, question);
    return { status, value: readJson(body) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw unanswered(
      `no sidecar answers at ${admin} (${code ?? message}). Is it running? Its log names the admin address ("ready"); ` +
        `pass it with --admin HOST:PORT.\n  ${otherwise}`,
    );
  }
}

/** Nobody answers, or somebody else. */
export function unanswered(message: string): MeshError {
  return new MeshError('MESH_ERR_ADMIN_UNANSWERED', message);
}

function exchange({ host, port }: HostPort, { path, body }: AdminQuestion): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const late = systemPorts().timers.after(LONGEST_WAIT_MS, () => {
      outgoing.destroy(new Error(`it took more than ${LONGEST_WAIT_MS / 1000} s`));
    });
    const fail = (error: Error): void => {
      late.cancel();
      reject(error);
    };
    const fields = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body ?? '') };
    const outgoing = httpRequest({
      host,
      port,
      path,
      ...(body === undefined ? {} : { method: 'POST', headers: fields }),
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

function readJson(body: string): object | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
