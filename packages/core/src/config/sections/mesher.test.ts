import { expect } from 'chai';
import { loadFiles, NAMED } from '../../testing/load-files.js';

describe('the keys of mesher.yaml', () => {
  it('open additional TCP listeners, each outbound or inbound', async () => {
    const { document } = await loadFiles({
      ...NAMED,
      'mesher.yaml':
        'mesher:\n  listeners:\n  - listen: 127.0.0.1:3306\n    service: mysql\n  - listen: "[::1]:6379"\n    target: 127.0.0.1:6380\n',
    });
    expect(document?.mesher.listeners).to.deep.equal([
      { listen: { host: '127.0.0.1', port: 3306 }, service: 'mysql', target: undefined, protocol: 'auto' },
      {
        listen: { host: '::1', port: 6379 },
        service: undefined,
        target: { host: '127.0.0.1', port: 6380 },
        protocol: 'auto',
      },
    ]);
  });

  it('refuse a listener that is both or neither', async () => {
    const { errors, said } = await loadFiles({
      ...NAMED,
      'mesher.yaml':
        'mesher:\n  listeners:\n  - listen: 127.0.0.1:1\n  - {listen: "127.0.0.1:2", service: a, target: "127.0.0.1:3"}\n  - service: a\n',
    });
    const both = "set exactly one of 'service' (outbound to a service) and 'target' (inbound to a local address)";
    expect(said(errors)).to.deep.equal([
      `mesher.yaml:3:5  mesher.listeners[0]  ${both}`,
      `mesher.yaml:4:5  mesher.listeners[1]  ${both}`,
      'mesher.yaml:5:5  mesher.listeners[2].listen  is required but not set (host:port)',
    ]);
  });

  it('choose resolvers by protocol, or one for HTTP in the old form', async () => {
    const present = await loadFiles({
      ...NAMED,
      'mesher.yaml': 'plugin:\n  destinationResolver:\n    http: by-path\n    grpc: ip\n  sourceResolver: mine\n',
    });
    expect(present.document?.plugin).to.deep.equal({
      destinationResolver: { http: 'by-path', grpc: 'ip', tcp: 'ip' },
      sourceResolver: 'mine',
    });
    const old = await loadFiles({ ...NAMED, 'mesher.yaml': 'plugin:\n  destinationResolver: by-path\n' });
    expect(old.document?.plugin.destinationResolver.http).to.equal('by-path');
  });
});

describe('chains of handlers', () => {
  it('are lists of names; an empty chain counts as not set', async () => {
    const yaml =
      'servicecomb:\n  handler:\n    chain:\n      Consumer:\n        outgoing: router, loadbalance ,transport\n        default: ""\n      Provider:\n        incoming:\n        rest: [a, b]\n';
    const { document } = await loadFiles({ ...NAMED, 'chassis.yaml': yaml });
    expect(document?.chain('Consumer', 'outgoing')).to.deep.equal(['router', 'loadbalance', 'transport']);
    expect(document?.chain('Consumer', 'default')).to.equal(undefined);
    expect(document?.chain('Provider', 'incoming')).to.equal(undefined);
    expect(document?.chain('Provider', 'rest')).to.deep.equal(['a', 'b']);
  });
});
