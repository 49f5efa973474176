import { expect } from 'chai';
import { decodeHealthCheckResponse, encodeHealthCheckRequest, SERVING_STATUS } from './grpc-health-messages.js';

function decode(...bytes: number[]): number {
  return decodeHealthCheckResponse(Buffer.from(bytes));
}

describe('the messages of the gRPC health protocol', () => {
  it('name the service, or nothing at all', () => {
    expect(encodeHealthCheckRequest('')).to.have.length(0);
    expect([...encodeHealthCheckRequest('ab')]).to.deep.equal([0x0a, 2, 0x61, 0x62]);
    const long = encodeHealthCheckRequest('x'.repeat(300));
    expect([...long.subarray(0, 3)]).to.deep.equal([0x0a, 0xac, 0x02]);
    expect(long).to.have.length(303);
  });

  it('bring a status, UNKNOWN when it is left out', () => {
    expect(decode(0x08, 1)).to.equal(SERVING_STATUS.SERVING);
    expect(decode(0x08, 2)).to.equal(SERVING_STATUS.NOT_SERVING);
    expect(decode()).to.equal(SERVING_STATUS.UNKNOWN);
    expect(decode(0x08, 2, 0x08, 1)).to.equal(SERVING_STATUS.SERVING);
    expect(decode(0x08, 0x96, 0x01)).to.equal(150);
  });

  it('may have fields of later versions, which are skipped', () => {
    expect(decode(0x10, 5, 0x08, 1)).to.equal(1);
    expect(decode(0x12, 2, 9, 9, 0x08, 1)).to.equal(1);
    expect(decode(0x15, 1, 2, 3, 4, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x08, 1)).to.equal(1);
  });

  it('are refused when they are cut or no messages', () => {
    for (const bytes of [[0x08], [0x08, 0x80], [0x12, 5, 1], [0x15, 1], [0x0b, 1], Array<number>(12).fill(0xff)]) {
      expect(() => decode(...bytes), bytes.join(' ')).to.throw(RangeError);
    }
  });
});
