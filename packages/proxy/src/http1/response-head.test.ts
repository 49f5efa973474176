import { expect } from 'chai';
import { bytesOf } from '../testing/split-heads.js';
import { COMPLETE } from './field-scanner.js';
import { FieldName } from './field-lookup.js';
import { renderResponseHead } from './response-head.js';
import { ResponseScanner } from './response-scanner.js';

function render(head: string, extra = '', withoutChunks = false): string {
  const scan = new ResponseScanner(32);
  const bytes = bytesOf(`before${head}after`);
  expect(scan.scanResponse(bytes, 6, bytes.length)).to.equal(COMPLETE);
  return renderResponseHead(scan, bytes, 6, extra, withoutChunks ? [new FieldName('transfer-encoding')] : undefined);
}

describe('head of an answer', () => {
  it('keeps order, letter case, duplicates, blanks and bytes above 127', () => {
    const head =
      'HTTP/1.1 200 Gr\xfc\xdfe\r\nset-COOKIE: a\r\nX:\t b \r\nSet-Cookie: c\r\nX-\xb5: \xff\r\n\r\n'.replace(
        'X-\xb5',
        'X-u',
      );
    expect(render(head)).to.equal(head);
  });

  it('leaves out the fields of the upstream hop and adds ours at the end', () => {
    expect(
      render(
        'HTTP/1.1 200 OK\r\nConnection: x-a, close\r\nA: 1\r\nX-A: gone\r\nKeep-Alive: timeout=5\r\nB: 2\r\nProxy-Connection: close\r\n\r\n',
        'Connection: close\r\n',
      ),
    ).to.equal('HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nConnection: close\r\n\r\n');
  });

  it('speaks its own version, whatever the upstream spoke', () => {
    expect(render('HTTP/1.0 404\r\n\r\n')).to.equal('HTTP/1.1 404\r\n\r\n');
  });

  it('renders a head of which nothing is left', () => {
    expect(render('HTTP/1.1 200 OK\r\nTE: a\r\nUpgrade: b\r\n\r\n')).to.equal('HTTP/1.1 200 OK\r\n\r\n');
  });

  it('leaves out Transfer-Encoding when the chunks are taken apart, and nothing else', () => {
    for (const [fields, left] of [
      ['Transfer-Encoding: chunked\r\n', ''],
      ['A: 1\r\ntransfer-ENCODING:chunked\r\nB: Transfer-Encoding: x\r\n', 'A: 1\r\nB: Transfer-Encoding: x\r\n'],
      ['TE: x\r\nTransfer-Encoding: chunked\r\nX-Transfer-Encoding: y\r\n', 'X-Transfer-Encoding: y\r\n'],
    ])
      expect(render(`HTTP/1.1 200 OK\r\n${fields}\r\n`, 'E: f\r\n', true)).to.equal(
        `HTTP/1.1 200 OK\r\n${left}E: f\r\n\r\n`,
      );
    expect(render('HTTP/1.1 200 OK\r\n\r\n', '', true)).to.equal('HTTP/1.1 200 OK\r\n\r\n');
  });
});
