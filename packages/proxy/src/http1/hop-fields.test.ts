import { expect } from 'chai';
import { fields } from '../testing/scanned-fields.js';
import { COMPLETE, MALFORMED } from './field-scanner.js';

describe('fields of the connection', () => {
  describe('fields of one hop', () => {
    const KEPT = [
      'X-One: 1',
      'Content-Length: 5',
      'Authorization: k',
      'Trailer: t',
      'Date: d',
      'TEX: 1',
      'Upgradex: 1',
    ];
    const HOP = [
      'Connection: close',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: Basic x',
      'TE: trailers',
      'Upgrade: websocket',
      'HTTP2-Settings: AAMAAABk',
    ];

    it('cuts each of them wherever it stands, and keeps the rest byte for byte', () => {
      for (const hop of HOP) {
        for (let at = 0; at <= KEPT.length; at++) {
          const lines = [...KEPT.slice(0, at), hop.toUpperCase(), ...KEPT.slice(at)];
          const scan = fields(...lines);
          expect(scan.result).to.equal(COMPLETE);
          expect(scan.kept, hop).to.equal(KEPT.map((line) => `${line}\r\n`).join(''));
        }
      }
    });

    it('cuts the fields that Connection names, in any letter case, repeated, before and after it', () => {
      const scan = fields(
        'X-A: 1',
        'B: 2',
        'x-a: 3',
        'Connection: \tX-a ,, keep-alive, b',
        'X-A:4',
        'C: 5',
        'connection: c',
      );
      expect(scan).to.include({ result: COMPLETE, keepAlive: true, kept: '' });
      expect(scan.cutCount).to.equal(14);
      expect(fields('Xa: 1', 'Connection: a, x', 'ax: 2').kept).to.equal('Xa: 1\r\nax: 2\r\n');
    });

    it('keeps the cuts ascending when named fields stand between others', () => {
      const scan = fields('A: 1', 'TE: x', 'B: 2', 'Connection: b', 'D: 4', 'B: 3');
      expect(scan.kept).to.equal('A: 1\r\nD: 4\r\n');
      const cuts = [...scan.cuts.subarray(0, scan.cutCount)];
      expect(cuts).to.deep.equal([...cuts].sort((a, b) => a - b));
    });

    it('refuses a Connection field that names what the message cannot do without', () => {
      for (const name of ['host', 'Content-Length', 'TRANSFER-ENCODING', 'authorization', 'Cookie']) {
        for (const value of [name, `close, ${name}`, `${name} , keep-alive`]) {
          const scan = fields('Host: a', `Connection: ${value}`);
          expect(scan.result, value).to.equal(MALFORMED);
          expect(scan.problem).to.contain(`names "${name.toLowerCase()}"`);
        }
      }
    });

    it('does not mind what Connection names and is not there', () => {
      expect(fields('Connection: x-none, TE, http2-settings', 'A: b')).to.include({
        result: COMPLETE,
        kept: 'A: b\r\n',
      });
    });

    it('takes thousands of names in Connection without looking each up for each field', () => {
      const names = Array.from({ length: 10_000 }, (_, i) => `n${i}`).join(',');
      const scan = fields(`Connection: ${names}`, 'N9999: x', 'Other: y');
      expect(scan.kept).to.equal('Other: y\r\n');
    });
  });

  describe('Connection', () => {
    it('knows close, keep-alive and upgrade in any letter case and company', () => {
      expect(fields('Connection: Close').close).to.equal(true);
      expect(fields('Connection:\tclose \t').close).to.equal(true);
      expect(fields('Connection: KEEP-alive').keepAlive).to.equal(true);
      expect(fields('Connection: keep-alive, Upgrade')).to.include({ keepAlive: true, connectionUpgrade: true });
      expect(fields('Connection: a', 'Connection: close', 'Connection: keep-alive')).to.include({
        close: true,
        keepAlive: true,
      });
      expect(fields('Connection: closed, xclose, close\xa0')).to.include({ close: false, keepAlive: false });
    });

    it('gives the value of Upgrade without blanks', () => {
      const scan = fields('Upgrade: \twebsocket ');
      expect([scan.upgradeStart, scan.upgradeEnd]).to.deep.equal([11, 20]);
    });
  });

  describe('Keep-Alive', () => {
    it('reads the timeout wherever it stands', () => {
      expect(fields('Keep-Alive: timeout=5').keepAliveTimeout).to.equal(5);
      expect(fields('Keep-Alive:TimeOut=0').keepAliveTimeout).to.equal(0);
      expect(fields('Keep-Alive: max=100,timeout=65').keepAliveTimeout).to.equal(65);
      expect(fields('Keep-Alive: timeout=999999 , max=1').keepAliveTimeout).to.equal(999_999);
      expect(fields('Keep-Alive: ,, timeout=3,').keepAliveTimeout).to.equal(3);
    });

    it('takes what is no number of seconds for no timeout', () => {
      for (const value of [
        '',
        'timeout',
        'timeout=',
        'timeout=x',
        'timeout=5x',
        'timeout=-1',
        'timeout=1000000',
        'xtimeout=5',
        'timeout =5',
        'timeout=5 5',
        '300',
        ',',
      ])
        expect(fields(`Keep-Alive: ${value}`).keepAliveTimeout, value).to.equal(-1);
    });
  });
});
