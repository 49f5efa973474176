import { expect } from 'chai';
import fc from 'fast-check';
import { parseAddressLines } from './address-lines.js';

describe('The lines of a hand-written file', () => {
  const only = (line: string) => parseAddressLines(line).addresses[0];
  const problem = (line: string): string | undefined => parseAddressLines(line).errors[0]?.message;

  it('give host and port, with weight 1', () => {
    expect(parseAddressLines('127.0.0.1 8080\n').addresses).to.deep.equal([
      { host: '127.0.0.1', port: 8080, weight: 1, tags: {} },
    ]);
  });

  it('may carry a weight', () => {
    for (const [text, weight] of Object.entries({ '0': 0, '0.23': 0.23, '.5': 0.5, '3.': 3, '1e2': 100 })) {
      expect(only(`h 1 * ${text}`)?.weight, text).to.equal(weight);
    }
  });

  it('may carry tags, with or without a weight', () => {
    expect(only('h 1 version=2.0 zone=b')).to.deep.equal({
      host: 'h',
      port: 1,
      weight: 1,
      tags: { version: '2.0', zone: 'b' },
    });
    expect(only('h 1 * 3 app=shop'))
      .to.include({ weight: 3 })
      .and.to.deep.include({ tags: { app: 'shop' } });
    expect(only('h 1 __proto__=x')?.tags).to.deep.equal(JSON.parse('{"__proto__": "x"}'));
  });

  it('are refused when a tag is none, is there twice, or stands before the weight', () => {
    expect(problem('h 1 =x')).to.match(/"=x" is no tag of the form name=value/);
    expect(problem('h 1 version=')).to.match(/"version=" is no tag/);
    expect(problem('h 1 a=b a=c')).to.match(/the tag "a" is there twice/);
    expect(problem('h 1 a=b * 2')).to.match(/"\*" is no tag/);
  });

  it('may be separated by any blanks and hold comments, blank lines, CRLF, CR and a byte order mark', () => {
    const text = '\uFEFF# the world\r\n\r\n  a.example\t 80   # first\r\n\nb.example 81 *\t2\r#c 1\n   \n';
    expect(parseAddressLines(text)).to.deep.equal({
      addresses: [
        { host: 'a.example', port: 80, weight: 1, tags: {} },
        { host: 'b.example', port: 81, weight: 2, tags: {} },
      ],
      errors: [],
      notes: [],
    });
  });

  it('take names, IPv4 and IPv6 addresses', () => {
    const hosts = ['localhost', 'my_db', 'a-1.b.c.', '10.1.2.3', '::1', 'fe80::1%eth0', '2001:db8::7'];
    for (const host of hosts) expect(only(`${host} 1`)?.host, host).to.equal(host);
  });

  it('take IPv6 in brackets and the short IPv4 form of Linkerd 1', () => {
    expect(only('[::1] 80')?.host).to.equal('::1');
    expect(only('127.1 80')?.host).to.equal('127.0.0.1');
    expect(only('10.1.258 80')?.host).to.equal('10.1.1.2');
    expect(only('2130706433 80')?.host).to.equal('127.0.0.1');
  });

  it('are refused when the host is none', () => {
    const hosts = [
      '300.1.1.1',
      '1.2.3.4.5',
      '127.0.0.01',
      '-a',
      'a..b',
      'http://a',
      'a:80',
      '[a]',
      'bücher',
      `${'a'.repeat(64)}.b`,
    ];
    for (const host of hosts) expect(problem(`${host} 80`), host).to.match(/is no host name or IP address/);
  });

  it('are refused when the port is not 1..65535', () => {
    for (const port of ['0', '65536', '-1', '80.5', '0x50', 'http', '123456']) {
      expect(problem(`h ${port}`), port).to.match(/^port .* is no number from 1 to 65535/);
    }
    expect(only('h 65535')?.port).to.equal(65_535);
  });

  it('are refused when the weight is not finite or negative', () => {
    for (const weight of ['-1', 'NaN', 'Infinity', '1e999', '0x1', 'much']) {
      expect(problem(`h 1 * ${weight}`), weight).to.match(/is no finite number from 0 up/);
    }
  });

  it('are refused when words are missing, too many or in another order', () => {
    for (const line of ['h', 'h 1 *', 'h 1 2', 'h 1 * 2 3'])
      expect(problem(line), line).to.match(/^expected 'host port'/);
    expect(problem('h 1 x 2')).to.match(/^expected '\*' before the weight/);
  });

  it('are named by number and repeated shortened, without control characters', () => {
    const { errors } = parseAddressLines(`a 1\n\n\u001b[31m${'x'.repeat(500)} 1\n`);
    expect(errors).to.have.length(1);
    expect(errors[0]?.line).to.equal(3);
    expect(errors[0]?.message).to.have.length.below(200).and.not.include('\u001b');
  });

  it('that list an address twice count once, the last one, with a note', () => {
    const { addresses, errors, notes } = parseAddressLines('a 1\nb 1\na 1 * 5\n');
    expect(addresses).to.deep.equal([
      { host: 'a', port: 1, weight: 5, tags: {} },
      { host: 'b', port: 1, weight: 1, tags: {} },
    ]);
    expect(errors).to.deep.equal([]);
    expect(notes).to.deep.equal([{ line: 3, message: 'a 1 is listed in line 1 too; this line counts' }]);
  });

  it('never throw, and every address they give can be dialled', () => {
    const word = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.domain(), fc.integer().map(String), fc.constant('*'));
    const line = fc.array(word, { maxLength: 5 }).map((words) => words.join(' '));
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        for (const { host, port, weight } of parseAddressLines(lines.join('\n')).addresses) {
          expect(host).to.match(/^[\w.:%-]+$/);
          expect(port).to.be.within(1, 65_535);
          expect(weight).to.satisfy((value: number) => Number.isFinite(value) && value >= 0);
        }
      }),
    );
  });
});
