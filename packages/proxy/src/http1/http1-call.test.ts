import { FieldBundle, type SourceIdentity } from '@mesher/core';
import { expect } from 'chai';
import { bytesOf } from '../testing/split-heads.js';
import { FieldName } from './field-lookup.js';
import { COMPLETE } from './field-scanner.js';
import { Http1Call, type PeerConnection } from './http1-call.js';
import { RequestScanner } from './request-scanner.js';

const SOURCE: SourceIdentity = { service: 'caller' } as SourceIdentity;

class Peer implements PeerConnection {
  readonly remoteAddress = '127.0.0.9';
  identified = 0;

  identify(): SourceIdentity | undefined {
    this.identified++;
    return SOURCE;
  }

  fieldName(lowerCase: string): FieldName {
    return new FieldName(lowerCase);
  }
}

interface Made {
  readonly call: Http1Call;
  readonly bytes: Buffer;
  readonly peer: Peer;
  render(): string;
}

function callOf(head: string): Made {
  const scan = new RequestScanner(32);
  const bytes = bytesOf(`${head}behind the head`);
  expect(scan.scanRequest(bytes, 0, bytes.length), scan.problem).to.equal(COMPLETE);
  const peer = new Peer();
  const call = new Http1Call('outbound', peer, bytes, scan);
  return { call, bytes, peer, render: () => call.render(scan) };
}

function request(requestLine: string, ...fields: string[]): Made {
  return callOf(`${requestLine}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`);
}

const GET = 'GET /a?b HTTP/1.1';

function refusal(edit: () => void): string {
  try {
    edit();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code} ${message}`;
  }
  return 'no refusal';
}

describe('HTTP/1 call', () => {
  describe('view', () => {
    it('reads a long head once for each field, however many rules ask for it', () => {
      const { call, bytes } = request(
        GET,
        'Host: world',
        `x-long: ${'a'.repeat(2000)}`,
        'x-user: anna',
        'x-plan: gold',
      );
      expect([call.header('x-user'), call.header('x-none'), call.path]).to.deep.equal(['anna', undefined, '/a?b']);
      bytes.fill(' ');
      expect([call.header('x-user'), call.header('x-none'), call.path]).to.deep.equal(['anna', undefined, '/a?b']);
    });

    it('gives method, path, authority, peer and protocol', () => {
      const { call } = request(GET, 'Host: world:80');
      expect(call).to.include({
        method: 'GET',
        path: '/a?b',
        authority: 'world:80',
        remoteAddress: '127.0.0.9',
        protocol: 'http',
        direction: 'outbound',
        isHead: false,
        idempotent: true,
        upgrade: undefined,
      });
    });

    it('finds the source on first use, and once', () => {
      const { call, peer } = request(GET, 'Host: a');
      expect(peer.identified).to.equal(0);
      expect(call.source).to.equal(SOURCE);
      expect(call.source).to.equal(SOURCE);
      expect(peer.identified).to.equal(1);
    });

    it('gives the path of every form of target', () => {
      for (const [line, path, authority] of [
        ['GET http://world HTTP/1.1', '/', 'world'],
        ['GET http://world?q HTTP/1.1', '/?q', 'world'],
        ['GET http://world:1/x?q HTTP/1.1', '/x?q', 'world:1'],
        ['GET http://[::1]:8080 HTTP/1.1', '/', '[::1]:8080'],
        ['OPTIONS * HTTP/1.1', '*', 'a'],
        ['OPTIONS http://world HTTP/1.1', '*', 'world'],
        ['OPTIONS http://world/ HTTP/1.1', '/', 'world'],
        ['OPTIONS http://world?q HTTP/1.1', '/?q', 'world'],
        ['CONNECT world:443 HTTP/1.1', '', 'world:443'],
      ] as const) {
        const { call } = request(line, `Host: ${authority}`);
        expect({ path: call.path, authority: call.authority }, line).to.deep.equal({ path, authority });
      }
    });

    it('takes HEAD for HEAD, and no other method for it', () => {
      expect(request('HEAD / HTTP/1.1', 'Host: a').call.isHead).to.equal(true);
      for (const method of ['HELP', 'HEAL', 'HEADX', 'HEA', 'head', 'POST', 'HexD'])
        expect(request(`${method} / HTTP/1.1`, 'Host: a').call.isHead, method).to.equal(false);
    });

    it('knows the methods that may be sent twice', () => {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])
        expect(request(`${method} / HTTP/1.1`, 'Host: a').call.idempotent, method).to.equal(true);
      for (const method of ['POST', 'PATCH', 'get', 'FOO'])
        expect(request(`${method} / HTTP/1.1`, 'Host: a').call.idempotent, method).to.equal(false);
    });

    it('finds fields by lower-case name, joins repeated ones, and gives undefined for others', () => {
      const { call } = request(GET, 'Host: a', 'X-One:  1 ', 'x-one: 2', 'Empty:');
      expect(call.header('x-one')).to.equal('1, 2');
      expect(call.header('empty')).to.equal('');
      expect(call.header('host')).to.equal('a');
      for (const absent of ['x-two', 'x-on', 'x-onee', 'y-one', '']) expect(call.header(absent)).to.equal(undefined);
    });

    it('shows an upgrade that is asked for properly, and no other', () => {
      const upgrade = (...fields: string[]): string | undefined => request(GET, 'Host: a', ...fields).call.upgrade;
      expect(upgrade('Connection: Upgrade', 'Upgrade:  websocket ')).to.equal('websocket');
      expect(upgrade('Upgrade: websocket')).to.equal(undefined);
      expect(upgrade('Connection: upgrade')).to.equal(undefined);
      expect(upgrade('Connection: upgrade', 'Upgrade:')).to.equal(undefined);
      expect(request('GET / HTTP/1.0', 'Connection: upgrade', 'Upgrade: websocket').call.upgrade).to.equal(undefined);
    });
  });

  describe('rendering', () => {
    it('sends the head byte for byte, without what stands before and behind it', () => {
      const head = 'GET /a?b HTTP/1.1\r\nhOST: a\r\nX:\t1 \r\nx: 2\r\nX-Bytes: \xe4\xff\r\n\r\n';
      expect(callOf(head).render()).to.equal(head);
      expect(callOf(`\r\n${head}`).render()).to.equal(head);
    });

    it('leaves out the fields of this hop and those that Connection names', () => {
      const { render } = request(
        GET,
        'Connection: x-a',
        'Host: a',
        'TE: trailers',
        'X-A: 1',
        'Proxy-Authorization: k',
        'X-B: 2',
        'Keep-Alive: 5',
      );
      expect(render()).to.equal('GET /a?b HTTP/1.1\r\nHost: a\r\nX-B: 2\r\n\r\n');
    });

    it('turns absolute form into origin form', () => {
      for (const [target, path, host] of [
        ['http://world/x?q', '/x?q', 'world'],
        ['http://world', '/', 'world'],
        ['http://world?q', '/?q', 'world'],
        ['http://[::1]:8080/x', '/x', '[::1]:8080'],
        ['http://[::1]?', '/?', '[::1]'],
      ])
        expect(request(`GET ${target} HTTP/1.1`, `Host: ${host}`).render(), target).to.equal(
          `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
        );
      expect(request('OPTIONS http://a HTTP/1.1', 'Host: a').render()).to.equal(
        'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
      );
      expect(request('OPTIONS * HTTP/1.1', 'Host: a').render()).to.equal('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n');
    });

    it('speaks HTTP/1.1 for a client of HTTP/1.0, and then names a host in any case', () => {
      expect(request('GET / HTTP/1.0', 'Host: a', 'Connection: keep-alive').render()).to.equal(
        'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      );
      expect(request('GET http://a:81/x HTTP/1.0', 'X: y').render()).to.equal(
        'GET /x HTTP/1.1\r\nHost: a:81\r\nX: y\r\n\r\n',
      );
      expect(request('GET / HTTP/1.0').render()).to.equal('GET / HTTP/1.1\r\nHost: \r\n\r\n');
      const known = request('GET / HTTP/1.0');
      known.call.destination = { service: 'world' };
      expect(known.render()).to.equal('GET / HTTP/1.1\r\nHost: world\r\n\r\n');
      const odd = request('GET / HTTP/1.0');
      odd.call.destination = { service: 'wo rld\u010a' };
      expect(odd.render()).to.equal('GET / HTTP/1.1\r\nHost: \r\n\r\n');
      const set = request('GET / HTTP/1.0');
      set.call.setHeader('Host', 'chosen');
      expect(set.render()).to.equal('GET / HTTP/1.1\r\nHost: chosen\r\n\r\n');
    });

    it('passes an upgrade on', () => {
      expect(
        request(GET, 'Connection: keep-alive, Upgrade', 'Host: a', 'Upgrade: websocket', 'X: y').render(),
      ).to.equal('GET /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      expect(request('GET / HTTP/1.0', 'Host: a', 'Connection: upgrade', 'Upgrade: websocket').render()).to.equal(
        'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      );
    });

    it('renders the same head after a scan of another one, when the call had to wait', () => {
      const scan = new RequestScanner(32);
      const bytes = bytesOf('\r\nGET http://w/x HTTP/1.1\r\nTE: a\r\nHost: w\r\n\r\n');
      expect(scan.scanRequest(bytes, 0, bytes.length)).to.equal(COMPLETE);
      const call = new Http1Call('inbound', new Peer(), bytes, scan);
      call.removeHeader('x');
      const before = call.render(scan);
      const other = bytesOf('POST /other HTTP/1.1\r\nHost: o\r\nUpgrade: x\r\nConnection: close\r\nA: b\r\n\r\n');
      expect(scan.scanRequest(other, 0, other.length)).to.equal(COMPLETE);
      call.rescan(scan);
      expect(call.render(scan)).to.equal(before);
      expect(before).to.equal('GET /x HTTP/1.1\r\nHost: w\r\n\r\n');
    });
  });

  describe('header edits', () => {
    it('adds fields at the end in their order, repeated ones too', () => {
      const { call, render } = request(GET, 'Host: a', 'X: 0');
      call.addHeader('X', '1');
      call.addFields(
        new FieldBundle([
          ['Y', '2'],
          ['x', '3'],
        ]),
      );
      call.addHeader('x', '');
      expect(render()).to.equal('GET /a?b HTTP/1.1\r\nHost: a\r\nX: 0\r\nX: 1\r\nY: 2\r\nx: 3\r\nx: \r\n\r\n');
    });

    it('removes all fields of a name in any letter case: sent ones, added ones and those of bundles', () => {
      const { call, render } = request(GET, 'X-A: 1', 'Host: a', 'x-a: 2', 'TE: t', 'X-AB: 3', 'X-a: 4');
      call.addHeader('x-A', '5');
      call.addFields(
        new FieldBundle([
          ['X-A', '6'],
          ['X-B', '7'],
        ]),
      );
      call.removeHeader('X-A');
      call.addHeader('X-C', '8');
      expect(render()).to.equal('GET /a?b HTTP/1.1\r\nHost: a\r\nX-AB: 3\r\nX-B: 7\r\nX-C: 8\r\n\r\n');
    });

    it('replaces with set, also twice, and leaves other names alone', () => {
      const { call, render } = request(GET, 'X: 1', 'Host: a', 'x: 2', 'Xx: 3');
      call.setHeader('x', 'first');
      call.setHeader('X', 'second');
      expect(render()).to.equal('GET /a?b HTTP/1.1\r\nHost: a\r\nXx: 3\r\nX: second\r\n\r\n');
    });

    it('removes a field that is cut already, and one that is not there', () => {
      const { call, render } = request(GET, 'Host: a', 'Connection: x', 'X: 1', 'Y: 2');
      call.removeHeader('x');
      call.removeHeader('proxy-authorization');
      call.removeHeader('z');
      expect(render()).to.equal('GET /a?b HTTP/1.1\r\nHost: a\r\nY: 2\r\n\r\n');
    });

    it('never sends two hosts, and never none', () => {
      const added = request(GET, 'Host: a');
      added.call.addHeader('host', 'b');
      added.call.addHeader('Host', 'c');
      expect(added.render()).to.equal('GET /a?b HTTP/1.1\r\nHost: c\r\n\r\n');
      const removed = request(GET, 'X: y', 'Host: a');
      removed.call.removeHeader('Host');
      expect(removed.render()).to.equal('GET /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n');
    });

    it('does not change what the call shows', () => {
      const { call } = request(GET, 'Host: a', 'X: 1');
      call.setHeader('X', '2');
      call.removeHeader('host');
      expect(call.header('x')).to.equal('1');
      expect(call.header('host')).to.equal('a');
    });

    it('refuses values that would end the line, and those that would do so once they are bytes', () => {
      const { call, render } = request(GET, 'Host: a');
      for (const value of ['a\r\nX: y', 'a\n', 'a\r', '\0', '\x7f', '\u010a', '\u010dX: y', '\u2028', 'a\u0100'])
        expect(
          refusal(() => call.addHeader('X', value)),
          JSON.stringify(value),
        ).to.match(/^MESH_ERR_INVALID_FIELD .*cannot be sent/);
      expect(refusal(() => call.setHeader('X', 'a\nb'))).to.contain('MESH_ERR_INVALID_FIELD');
      expect(refusal(() => call.addHeader('X', 'fine \t\xe4'))).to.equal('no refusal');
      expect(render()).to.equal('GET /a?b HTTP/1.1\r\nHost: a\r\nX: fine \t\xe4\r\n\r\n');
    });

    it('refuses names that are none, and those that the codec owns', () => {
      const { call, render } = request('POST / HTTP/1.1', 'Host: a', 'Content-Length: 3');
      for (const name of [
        '',
        'a b',
        'a:',
        'a\r\nb',
        '\u010d',
        'Content-Length',
        'transfer-encoding',
        'Connection',
        'Upgrade',
        'TE',
        'Keep-Alive',
        'Proxy-Connection',
      ]) {
        expect(
          refusal(() => call.addHeader(name, 'v')),
          name,
        ).to.contain('MESH_ERR_INVALID_FIELD');
        expect(
          refusal(() => call.setHeader(name, 'v')),
          name,
        ).to.contain('MESH_ERR_INVALID_FIELD');
        expect(
          refusal(() => call.removeHeader(name)),
          name,
        ).to.contain('MESH_ERR_INVALID_FIELD');
      }
      expect(render()).to.equal('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n');
    });
  });

  describe('another path', () => {
    for (const [what, requestLine, sent] of [
      ['of a request with a query', GET, 'GET /new?c=d HTTP/1.1'],
      ['of an absolute target', 'GET http://world/a HTTP/1.1', 'GET /new?c=d HTTP/1.1'],
      ['of an absolute target without a path', 'GET http://world?a HTTP/1.1', 'GET /new?c=d HTTP/1.1'],
      ['of a request of HTTP/1.0', 'GET /a HTTP/1.0', 'GET /new?c=d HTTP/1.1'],
      ['of OPTIONS *', 'OPTIONS * HTTP/1.1', 'OPTIONS /new?c=d HTTP/1.1'],
    ]) {
      it(`takes the place ${what}, and nothing else changes`, () => {
        const { call, render } = request(requestLine, 'X: 1', 'Host: world', 'Connection: y', 'Y: 2');
        const { path, authority } = call;
        call.setPath('/new?c=d');
        expect(render()).to.equal(`${sent}\r\nX: 1\r\nHost: world\r\n\r\n`);
        expect({ path: call.path, authority: call.authority }, 'what the call shows').to.deep.equal({
          path,
          authority,
        });
      });
    }

    it('does not change what CONNECT names', () => {
      const { call, render } = request('CONNECT world:443 HTTP/1.1', 'Host: world:443');
      call.setPath('/new');
      expect(render()).to.match(/^CONNECT world:443 HTTP\/1\.1\r\n/);
    });

    it('may be set twice; the last one is sent, also after another scan', () => {
      const { call, render } = request(GET, 'Host: a', 'Host-Two: b');
      call.setPath('/one');
      call.setPath('/two');
      const other = new RequestScanner(32);
      call.rescan(other);
      expect(call.render(other)).to.equal('GET /two HTTP/1.1\r\nHost: a\r\nHost-Two: b\r\n\r\n');
      expect(render()).to.equal('GET /two HTTP/1.1\r\nHost: a\r\nHost-Two: b\r\n\r\n');
    });

    for (const path of ['', 'x', '*', 'http://b/', '/a b', '/a\r\nX: 1', '/a\tb', '/a#b', '/\u00e4', '/\u010d', '?a']) {
      it(`cannot be ${JSON.stringify(path)}`, () => {
        const { call, render } = request(GET, 'Host: a');
        expect(refusal(() => call.setPath(path))).to.match(/^MESH_ERR_INVALID_FIELD .*none that can be sent/);
        expect(render()).to.equal('GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n');
      });
    }
  });

  describe('another host', () => {
    for (const [what, requestLine, ...fields] of [
      ['origin form', GET, 'Host: world'],
      ['absolute form', 'GET http://world/a?b HTTP/1.1', 'HOST: world'],
      ['HTTP/1.0 with Host', 'GET /a?b HTTP/1.0', 'Host: world'],
      ['HTTP/1.0 without Host', 'GET /a?b HTTP/1.0'],
    ]) {
      it(`takes the place of the one of ${what}`, () => {
        const { call, render } = request(requestLine, ...fields, 'X: 1');
        call.setHeader('host', 'other:8080');
        expect(render()).to.equal('GET /a?b HTTP/1.1\r\nX: 1\r\nhost: other:8080\r\n\r\n');
      });
    }
  });
});
