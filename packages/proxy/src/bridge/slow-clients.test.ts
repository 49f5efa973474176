import { Endpoint, silentLogger } from '@mesher/core';
import { fakePorts } from '@mesher/core/testing';
import { expect } from 'chai';
import { Deadlines } from '../deadlines.js';
import { Environment } from '../environment.js';
import { HeaderBlock } from '../http2/hpack/header-block.js';
import { HeaderField } from '../http2/hpack/header-field.js';
import type { StreamPools } from '../http2/upstream/stream-pools.js';
import { DEFAULT_PROXY_OPTIONS } from '../options.js';
import { ProxyStats } from '../stats.js';
import type { UpstreamUser } from '../upstream/upstream-user.js';
import { Http2Link } from './http2-link.js';

const PIECES = 10_000;
const X = Buffer.from('x');
const NOTHING = Buffer.alloc(0);
const OK = HeaderBlock.of([new HeaderField(':status', '200')]);

describe('the answer of an HTTP/2 instance for an HTTP/1 client that reads nothing', () => {
  /** A call that has its head, and takes pieces as the test lets it. */
  function answered(): { link: Http2Link; pieces: Buffer[]; told: string[]; consumed: () => number } {
    const { clock, timers, random } = fakePorts();
    const deadlines = new Deadlines(clock, timers);
    const env = new Environment(DEFAULT_PROXY_OPTIONS, deadlines, new ProxyStats(), silentLogger(), random, () => 0);
    let consumed = 0;
    const attempt = { consumed: (bytes: number) => (consumed += bytes), cancel: () => undefined };
    env.streamPools = { of: () => ({ open: () => attempt }) } as unknown as StreamPools;
    const pieces: Buffer[] = [];
    const told: string[] = [];
    const user = {
      isHead: false,
      dechunk: false,
      onResponseHead: () => told.push('head'),
      onResponseBody: (buffer: Buffer, start: number, end: number) =>
        pieces.push(Buffer.from(buffer.subarray(start, end))),
      onResponseEnd: () => told.push('end'),
      onAttemptFailed: () => told.push('failed'),
    } as unknown as UpstreamUser;
    const link = new Http2Link(env, new Endpoint('127.0.0.1', 1, undefined, 1, undefined, 'http2'), user);
    link.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    link.onAnswerHead(OK, false);
    link.pause();
    for (let i = 0; i < PIECES; i++) link.onAnswerData(X, 0, 1, false);
    return { link, pieces, told, consumed: () => consumed };
  }

  const BODY = `x{${PIECES}}`;

  function bodyOf(pieces: readonly Buffer[]): string {
    return Buffer.concat(pieces)
      .toString('latin1')
      .replace(/[0-9a-f]+\r\n(x+)\r\n/g, '$1');
  }

  it('waits in few buffers, however small its frames are, and is given back when the client takes it', () => {
    const { link, pieces, consumed } = answered();
    expect([pieces.length, consumed()]).to.deep.equal([0, 0]);
    link.resumeDrained();
    expect(pieces.length).to.be.at.most(Math.ceil(PIECES / 4096));
    expect(consumed()).to.equal(PIECES);
    link.onAnswerData(X, 0, 1, false);
    expect(bodyOf(pieces)).to.equal('x'.repeat(PIECES + 1));
  });

  it('ends behind what waits, with trailers or without', () => {
    for (const end of ['end', 'trailers']) {
      const { link, pieces, told } = answered();
      if (end === 'end') link.onAnswerData(NOTHING, 0, 0, true);
      else link.onAnswerTrailers(HeaderBlock.of([new HeaderField('a', 'b')]));
      expect(told).to.deep.equal(['head']);
      link.resumeDrained();
      expect(bodyOf(pieces)).to.match(new RegExp(`^${BODY}0\r\n${end === 'end' ? '' : 'a: b\r\n'}\r\n$`));
      expect(told).to.deep.equal(['head', 'end']);
    }
  });

  it('is given out before the client hears that its instance is lost', () => {
    const { link, pieces, told } = answered();
    link.onAttemptFailed({ code: 'MESH_ERR_UPSTREAM_RESET', message: '', sent: true, reusedConnection: false }, 2);
    expect(bodyOf(pieces)).to.equal('x'.repeat(PIECES));
    expect(told).to.deep.equal(['head', 'failed']);
  });
});
