import { expect } from 'chai';
import { grpcStatusMask } from './failure-statuses.js';
import { GrpcMethods, GRPC_METHOD } from './grpc-methods.js';
import { grpcStatusOfHttp, httpStatusOfGrpc } from './http-status.js';
import { parsePushback } from './pushback.js';
import { GRPC_STATUS, GRPC_STATUS_NAMES, grpcStatusName, parseGrpcStatus, type GrpcStatusName } from './status.js';

function namesIn(mask: number): readonly GrpcStatusName[] {
  return GRPC_STATUS_NAMES.filter((_name, status) => (mask & (1 << status)) !== 0);
}

describe('a gRPC status', () => {
  it('has its name at its number', () => {
    for (const [name, status] of Object.entries(GRPC_STATUS)) expect(GRPC_STATUS_NAMES[status]).to.equal(name);
    expect(GRPC_STATUS_NAMES).to.have.length(17);
    expect([grpcStatusName(14), grpcStatusName(17)]).to.deep.equal(['UNAVAILABLE', 'UNKNOWN']);
  });

  it('is read in each of its spellings', () => {
    const texts = [
      'UNAVAILABLE',
      'unavailable',
      '14',
      'grpc_14',
      'grpc-unavailable',
      'deadline-exceeded',
      'Canceled',
      '0',
    ];
    expect(texts.map(parseGrpcStatus)).to.deep.equal([14, 14, 14, 14, 14, 4, 1, 0]);
    for (const text of ['', '17', '014', '-1', 'toString', 'unavailabel', '1.0']) {
      expect(parseGrpcStatus(text), text).to.equal(undefined);
    }
  });

  it('follows from an HTTP status by the table of the protocol', () => {
    const statuses = [400, 401, 403, 404, 429, 502, 503, 504, 200, 302, 418, 500];
    expect(statuses.map((status) => grpcStatusName(grpcStatusOfHttp(status)))).to.deep.equal([
      'INTERNAL',
      'UNAUTHENTICATED',
      'PERMISSION_DENIED',
      'UNIMPLEMENTED',
      ...Array<string>(4).fill('UNAVAILABLE'),
      ...Array<string>(4).fill('UNKNOWN'),
    ]);
  });

  it('has an HTTP status that means the same: an error for each but OK', () => {
    expect(httpStatusOfGrpc(GRPC_STATUS.OK)).to.equal(200);
    for (const status of Object.values(GRPC_STATUS).slice(1)) expect(httpStatusOfGrpc(status)).to.be.within(400, 599);
    expect([4, 8, 14, 99].map(httpStatusOfGrpc)).to.deep.equal([504, 429, 503, 500]);
  });
});

describe('a list of statuses', () => {
  it('means by 5xx the gRPC statuses that blame the instance', () => {
    const blaming = ['UNKNOWN', 'DEADLINE_EXCEEDED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'];
    expect(namesIn(grpcStatusMask(['5xx']))).to.deep.equal(blaming);
    expect(namesIn(grpcStatusMask(['http_5XX']))).to.deep.equal(blaming);
  });

  it('means by a status of HTTP those that mean the same, and by a name or number just that', () => {
    expect(namesIn(grpcStatusMask(['503', 'http_429']))).to.deep.equal(['RESOURCE_EXHAUSTED', 'UNAVAILABLE']);
    expect(namesIn(grpcStatusMask(['aborted', '16', '501']))).to.deep.equal([
      'ABORTED',
      'UNIMPLEMENTED',
      'UNAUTHENTICATED',
    ]);
    expect(namesIn(grpcStatusMask(['reset', 'nonsense', '418']))).to.deep.equal([]);
  });

  it('never means that somebody gave up by a class, since 499 is none of the service', () => {
    expect(namesIn(grpcStatusMask(['4xx']))).not.to.include('CANCELLED');
    expect(namesIn(grpcStatusMask(['cancelled']))).to.deep.equal(['CANCELLED']);
  });
});

describe('a set of gRPC methods', () => {
  it('holds methods by name, and all methods of a service by a star', () => {
    const methods = new GrpcMethods(['pkg.Greeter/SayHello', '/pkg.Reader/*']);
    const paths = [
      '/pkg.Greeter/SayHello',
      '/pkg.Greeter/SayBye',
      '/pkg.Reader/Get',
      '/pkg.Reader2/Get',
      '/Reader/Get',
      '',
    ];
    expect(paths.filter((path) => methods.has(path))).to.deep.equal(['/pkg.Greeter/SayHello', '/pkg.Reader/Get']);
  });

  it('is written as service and method', () => {
    for (const name of ['a.B/C', '/a.B/*', 'B/c_2']) expect(name).to.match(GRPC_METHOD);
    for (const name of ['a.B', 'a.B/', '*/C', 'a.B/C/D', 'a B/C']) expect(name).not.to.match(GRPC_METHOD);
  });
});

describe('a pushback', () => {
  it('is a time to wait, or the wish not to be asked again', () => {
    expect([undefined, '0', '250', '-1', 'soon', ''].map(parsePushback)).to.deep.equal([
      0,
      0,
      250,
      ...Array<number>(3).fill(Infinity),
    ]);
  });
});
