import { expect } from 'chai';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { compilePattern, type HealthResult, type LocalTarget } from '@mesher/core';
import { freePort, httpServer, targetOf, tcpServer, type LocalServer } from '../testing/local-servers.js';
import { RestChecker } from './rest-checker.js';

const NEVER = new AbortController().signal;

describe('a check by HTTP', () => {
  let server: LocalServer;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let seen: IncomingMessage[];
  const checker = new RestChecker();
  beforeEach(async () => {
    seen = [];
    answer = (_, response) => response.end('all is ok');
    server = await httpServer((request, response) => {
      seen.push(request);
      answer(request, response);
    });
  });
  afterEach(async () => {
    await server.close();
  });

  function check(facts: Parameters<typeof targetOf>[1] = {}, signal = NEVER): Promise<HealthResult> {
    return checker.check(targetOf(server.port, facts), signal);
  }

  function body(pattern: string, maxBody = 65_536): Partial<LocalTarget['match']> {
    return { body: compilePattern(pattern), maxBody };
  }

  async function statusIs(status: number, match: Partial<LocalTarget['match']> = {}): Promise<boolean> {
    answer = (_, response) => response.writeHead(status).end();
    return (await check({ match })).healthy;
  }

  it('asks for the path, the root when there is none', async () => {
    expect(await check({ uri: '/health?deep=1' })).to.deep.equal({ healthy: true, detail: 'status 200' });
    await check();
    expect(seen.map(({ method, url }) => `${method} ${url}`)).to.deep.equal(['GET /health?deep=1', 'GET /']);
    expect(seen[0]?.headers).to.include({ 'user-agent': 'mesher-health-check', connection: 'close' });
  });

  it('takes every status below 500 for healthy when none is asked for, and only the one that is', async () => {
    expect(await statusIs(404)).to.equal(true);
    expect(await statusIs(503)).to.equal(false);
    expect(await statusIs(204, { status: 204 })).to.equal(true);
    expect(await statusIs(200, { status: 204 })).to.equal(false);
    expect(await statusIs(500, { status: 500 })).to.equal(true);
  });

  it('follows no redirect: what is behind it is not the application', async () => {
    answer = (_, response) => response.writeHead(302, { location: '/elsewhere' }).end();
    expect(await check({ match: { status: 200 } })).to.deep.equal({
      healthy: false,
      detail: 'status 302, expected 200',
    });
    expect(seen).to.have.length(1);
  });

  it('finds the expression anywhere in the body', async () => {
    expect(await check({ match: body('is (ok|fine)') })).to.deep.equal({
      healthy: true,
      detail: 'status 200, the body matches',
    });
    expect((await check({ match: body('^ok') })).healthy).to.equal(false);
    expect((await check({ match: body('(?i)ALL') })).healthy).to.equal(true);
  });

  it('reads no more of the body than it may, however long that is', async () => {
    answer = (_, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(10_000)));
        response.once('drain', more);
      };
      more();
    };
    expect((await check({ match: body('y', 20_000) })).healthy).to.equal(false);
  });

  it('does not go through the proxy that the environment names', async () => {
    const before = process.env.http_proxy;
    process.env.http_proxy = 'http://127.0.0.1:9';
    try {
      expect((await check()).healthy).to.equal(true);
    } finally {
      if (before === undefined) delete process.env.http_proxy;
      else process.env.http_proxy = before;
    }
  });

  it('says that nobody listens', async () => {
    const result = await checker.check(targetOf(await freePort()), NEVER);
    expect(result).to.include({ healthy: false, refused: true });
  });

  it('fails when the connection is cut or the answer is no HTTP', async () => {
    const rude = await tcpServer((socket) => socket.once('data', () => socket.end('hello\r\n')));
    expect((await checker.check(targetOf(rude.port), NEVER)).healthy).to.equal(false);
    await rude.close();
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('all', () => response.destroy());
    };
    expect((await check({ match: body('never') })).healthy).to.equal(false);
  });

  it('ends when it is told to, before the answer and within the body', async () => {
    for (const begin of [undefined, 'a beginning']) {
      const stop = new AbortController();
      const arrived = new Promise<void>((resolve) => {
        answer = (_, response) => {
          if (begin !== undefined) response.write(begin);
          resolve();
        };
      });
      const result = check({ match: body('end') }, stop.signal);
      await arrived;
      stop.abort();
      expect((await result).healthy).to.equal(false);
    }
  });
});
