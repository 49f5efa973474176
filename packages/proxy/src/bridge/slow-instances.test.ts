import { Endpoint, silentLogger } from '@mesher/core';
import { fakePorts } from '@mesher/core/testing';
import { expect } from 'chai';
import { Deadlines } from '../deadlines.js';
import { Environment } from '../environment.js';
import type { AnswerReceiver } from '../http2/connection/stream-users.js';
import { HeaderBlock } from '../http2/hpack/header-block.js';
import { HeaderField } from '../http2/hpack/header-field.js';
import { DEFAULT_PROXY_OPTIONS } from '../options.js';
import { ProxyStats } from '../stats.js';
import type { EndpointPools } from '../upstream/endpoint-pools.js';
import type { UpstreamLink } from '../upstream/upstream-link.js';
import type { UpstreamUser } from '../upstream/upstream-user.js';
import { Http1Attempt } from './http1-attempt.js';

const PIECES = 10_000;
const X = Buffer.from('x');

/** A connection whose socket takes nothing until the test says so. */
class StuckLink {
  backlog = 0;
  notices = 0;
  readonly written: Buffer[] = [];

  write(text: string): void {
    this.writeBody(Buffer.from(text, 'latin1'));
  }

  writeBody(bytes: Buffer): void {
    this.written.push(bytes);
    this.backlog += bytes.length;
  }

  notifyWhenDrained(): void {
    this.notices++;
  }

  finish(): void {
    this.backlog = 0;
  }

  get text(): string {
    return Buffer.concat(this.written).toString('latin1');
  }
}

describe('the body of an HTTP/2 call for an HTTP/1 instance that reads nothing', () => {
  function attemptAt(link: StuckLink, contentLength: number): { attempt: Http1Attempt; sent: () => number } {
    const { clock, timers, random } = fakePorts();
    const deadlines = new Deadlines(clock, timers);
    const env = new Environment(DEFAULT_PROXY_OPTIONS, deadlines, new ProxyStats(), silentLogger(), random, () => 0);
    const pool = { acquire: (user: UpstreamUser) => user.onConnection(link as unknown as UpstreamLink) };
    env.pools = { of: () => pool } as unknown as EndpointPools;
    let sent = 0;
    const receiver = { onRequestSent: (bytes: number) => (sent += bytes) } as unknown as AnswerReceiver;
    const request = { text: 'HEAD', isChunked: contentLength < 0, contentLength };
    const attempt = new Http1Attempt(receiver, new Endpoint('127.0.0.1', 1), env, request, false, false);
    attempt.begin(false);
    return { attempt, sent: () => sent };
  }

  it('waits in few buffers, however small its frames are, and is given back when it has left', () => {
    const link = new StuckLink();
    const { attempt, sent } = attemptAt(link, PIECES + 1);
    for (let i = 0; i < PIECES; i++) attempt.data(X, 0, 1, false);
    expect([link.text, link.notices, sent()]).to.deep.equal(['HEAD', 1, 0]);
    expect(attempt.queuedBytes).to.equal(PIECES + link.backlog);
    link.backlog = 0;
    attempt.onUpstreamDrained();
    expect(link.written.length).to.be.at.most(1 + Math.ceil(PIECES / 4096));
    expect(sent()).to.equal(PIECES);
    attempt.data(X, 0, 1, true);
    link.backlog = 0;
    attempt.onUpstreamDrained();
    expect([link.text, sent()]).to.deep.equal([`HEAD${'x'.repeat(PIECES + 1)}`, PIECES + 1]);
  });

  it('is followed by its end or its trailers, never passed by them', () => {
    const trailers = HeaderBlock.of([new HeaderField('a', 'b')]);
    for (const end of ['end', 'trailers']) {
      const link = new StuckLink();
      const { attempt } = attemptAt(link, -1);
      attempt.data(X, 0, 1, false);
      attempt.data(X, 0, 1, false);
      if (end === 'end') attempt.data(X, 0, 0, true);
      else attempt.trailers(trailers);
      expect(link.text).to.equal('HEAD');
      link.backlog = 0;
      attempt.onUpstreamDrained();
      expect(link.text).to.equal(`HEAD2\r\nxx\r\n0\r\n${end === 'end' ? '' : 'a: b\r\n'}\r\n`);
    }
  });
});
