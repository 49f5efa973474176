import { expect } from 'chai';
import { loadFiles, NAMED } from '../testing/load-files.js';
import { rules } from './testing/world-rules.js';

describe('rules that cannot be meant', () => {
  const cases: readonly (readonly [yaml: string, message: string])[] = [
    [
      '- route: [{tags: {version: 1}, weight: 60}, {tags: {version: 2}, weight: 60}]',
      'router.yaml:4:9  servicecomb.routeRule.world[0]  the weights of its routes add up to 120; at most 100 are possible',
    ],
    [
      '- precedence: 1\n  route: []',
      "router.yaml:4:9  servicecomb.routeRule.world[0]  has no route; add 'route: [{tags: {version: ...}}]'",
    ],
    [
      '- precedence: 1',
      "router.yaml:4:9  servicecomb.routeRule.world[0]  has no route; add 'route: [{tags: {version: ...}}]'",
    ],
    [
      '- match: {headers: {a: {regex: "(a"}}}\n  route: [{}]',
      'router.yaml:4:38  servicecomb.routeRule.world[0].match.headers.a.regex  expects a regular expression as RE2 and Go know it: missing closing ): `(a`, found',
    ],
    [
      '- match: {headers: {a: {less: x}}}\n  route: [{tags: {a: b}}]',
      'router.yaml:4:37  servicecomb.routeRule.world[0].match.headers.a.less  expects a number',
    ],
    ['- headers: {request: {set: {Content-Length: "1"}}}', "the header 'Content-Length' frames the message"],
    ['- headers: {request: {remove: [X-Mesher-Hop]}}', 'is how sidecars talk to each other'],
    [
      '- headers: {response: {remove: [x-mesher-error], add: {x-mesher-error: a}}}',
      'is how sidecars talk to each other',
    ],
    ['- headers: {request: {set: {Host: "1"}}}', "set the host with 'rewrite.host'"],
    ['- headers: {response: {add: {a: "x\\u000ay"}}}', "the header 'a' or its value cannot be sent"],
    ['- redirect: {status: 304}', 'status must be 301, 302, 303, 307 or 308'],
    ['- rewrite: {path: new}', "expects a path that starts with '/'"],
    ['- rewrite: {path: /a, regex: {pattern: b}}', "set one of 'path', 'prefix' and 'regex'"],
    ['- route: [{weight: 101}]', 'expects a whole number'],
    [`- route: [${'{tags: {a: b}}, '.repeat(101)}]`, 'has 101 routes; at most 100 are possible'],
  ];
  for (const [yaml, message] of cases) {
    it(`are refused: ${yaml.replaceAll('\n', ' ').slice(0, 100)}`, async () => {
      const { errors, said } = await loadFiles({ ...NAMED, ...rules(yaml) });
      expect(said(errors).join('\n')).to.contain(message);
    });
  }

  it('get the nearest known key for one that is mistyped', async () => {
    const { notices, said } = await loadFiles({
      ...NAMED,
      ...rules('- match: {heders: {a: b}}\n  route: [{tags: {a: b}, wieght: 3}]'),
    });
    expect(said(notices).join('\n'))
      .to.contain("did you mean 'servicecomb.routeRule.world[0].match.headers'")
      .and.contain("route[0].weight'");
  });
});
