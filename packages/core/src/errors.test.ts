import { readFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { expect } from 'chai';
import { ERRORS, MeshError, Rejection, isMeshError, type ErrorCode, type ErrorEntry } from './errors.js';

const REFERENCE = new URL('../../../docs/reference/errors.md', import.meta.url);
/** Highest gRPC status code there is (https://grpc.io/docs/guides/status-codes/). */
const HIGHEST_GRPC_STATUS = 16;

describe('the table of errors', () => {
  const entries = Object.entries(ERRORS) as [ErrorCode, ErrorEntry][];

  it('has codes that can be told from those of others', () => {
    for (const [code] of entries) expect(code).to.match(/^MESH_(ERR|REDIRECT|DIRECT_RESPONSE)[A-Z_]*$/);
  });

  it('maps each code to an HTTP error status that exists, and to a gRPC status that is an error', () => {
    for (const [code, { status, grpcStatus }] of entries) {
      expect(STATUS_CODES, code).to.have.property(String(status));
      expect(status, code).to.be.within(code.startsWith('MESH_ERR') ? 400 : 200, 599);
      expect(grpcStatus, code).to.be.within(1, HIGHEST_GRPC_STATUS);
    }
  });

  it('says in sentences what each one means and what to do', () => {
    for (const [code, { meaning, remedy }] of entries) {
      for (const text of [meaning, remedy]) expect(text, code).to.match(/^[A-Z].{15,}\.$/);
    }
  });

  it('never calls a mistake of the caller repeatable', () => {
    for (const [code, { status, retryable }] of entries) if (status < 500) expect(retryable, code).to.equal('no');
  });

  it('answers with the statuses that users are promised', () => {
    const promised: Partial<Record<ErrorCode, number>> = {
      MESH_ERR_BAD_REQUEST: 400,
      MESH_ERR_DENIED: 403,
      MESH_ERR_NO_ROUTE: 404,
      MESH_ERR_TOO_LARGE: 413,
      MESH_ERR_RATE_LIMITED: 429,
      MESH_ERR_HEADER_TOO_LARGE: 431,
      MESH_ERR_CONNECT: 502,
      MESH_ERR_BAD_UPSTREAM: 502,
      MESH_ERR_NO_LOCAL_PORT: 502,
      MESH_ERR_NO_INSTANCE: 503,
      MESH_ERR_BREAKER_OPEN: 503,
      MESH_ERR_OVERLOADED: 503,
      MESH_ERR_TIMEOUT: 504,
      MESH_ERR_LOOP: 508,
    };
    for (const [code, status] of Object.entries(promised)) expect(ERRORS[code as ErrorCode].status).to.equal(status);
  });

  it('is in the reference as a whole: each code with its statuses, meaning and remedy', () => {
    const page = readFileSync(REFERENCE, 'utf8');
    for (const [code, { status, grpcStatus, meaning, remedy }] of entries) {
      expect(page).to.contain(`| [\`${code}\`](#${code.toLowerCase()}) | ${status} | ${grpcStatus} |`);
      expect(page).to.contain(`### ${code}\n\nHTTP status ${status}. ${meaning}\n\n**What to do:** ${remedy}`);
    }
    expect(page.match(/^### MESH_/gm)).to.have.lengthOf(entries.length);
  });
});

describe('a rejection', () => {
  it('says what the table says unless it knows better', () => {
    const plain = new Rejection('MESH_ERR_NO_INSTANCE');
    expect({ ...plain, status: plain.status }).to.deep.equal({
      code: 'MESH_ERR_NO_INSTANCE',
      message: ERRORS.MESH_ERR_NO_INSTANCE.meaning,
      retryAfterSeconds: undefined,
      hint: ERRORS.MESH_ERR_NO_INSTANCE.remedy,
      status: 503,
    });
    const special = new Rejection('MESH_ERR_NO_INSTANCE', 'none of 3 is up', 5, 'start one');
    expect({ ...special }).to.deep.equal({
      code: 'MESH_ERR_NO_INSTANCE',
      message: 'none of 3 is up',
      retryAfterSeconds: 5,
      hint: 'start one',
    });
  });
});

describe('a MeshError', () => {
  it('has a code, a message and a cause, and is an Error', () => {
    const cause = new Error('ENOENT');
    const error = new MeshError('MESH_ERR_USAGE', 'no such file', { cause });
    expect(error).to.be.an.instanceof(Error);
    expect([error.name, error.code, error.message, error.cause]).to.deep.equal([
      'MeshError',
      'MESH_ERR_USAGE',
      'no such file',
      cause,
    ]);
  });

  it('is known by its brand, so that the one of another copy of the package is one, too', () => {
    const foreign = Object.assign(new Error('elsewhere'), {
      code: 'MESH_ERR_USAGE',
      [Symbol.for('mesher.error')]: true,
    });
    for (const error of [new MeshError('MESH_ERR_USAGE', 'here'), foreign]) {
      expect(isMeshError(error)).to.equal(true);
      expect(isMeshError(error, 'MESH_ERR_USAGE')).to.equal(true);
      expect(isMeshError(error, 'MESH_ERR_OTHER')).to.equal(false);
    }
  });

  it('is not everything that has a code', () => {
    const others = [undefined, null, 'MESH_ERR_USAGE', Object.assign(new Error('x'), { code: 'MESH_ERR_USAGE' }), {}];
    for (const other of others) expect(isMeshError(other)).to.equal(false);
  });

  it('shows no brand when it is printed or copied', () => {
    expect(Object.getOwnPropertySymbols({ ...new MeshError('MESH_ERR_USAGE', 'here') })).to.deep.equal([]);
  });
});
