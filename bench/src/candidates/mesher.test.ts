import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Site } from './candidate.js';
import { findMesher } from './mesher.js';

describe('findMesher', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mesher-bench-test-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function site(): Site {
    let port = 100;
    const own = mkdtempSync(join(folder, 'site-'));
    return {
      folder: own,
      upstreamPort: 1,
      sinkPort: 2,
      http2Port: 3,
      grpcPort: 4,
      capacity: 10,
      pickPort: () => Promise.resolve((port += 1)),
    };
  }

  function checkout(): string {
    const sidecar = join(folder, 'packages', 'mesher');
    mkdirSync(join(sidecar, 'bin'), { recursive: true });
    writeFileSync(join(sidecar, 'bin', 'mesher.js'), '');
    writeFileSync(join(sidecar, 'package.json'), '{"version":"0.9.9"}');
    return folder;
  }

  it('says why the sidecar is missing when its command does not exist', () => {
    const { candidates, missing } = findMesher(folder, 'node');
    expect(candidates).to.deep.equal([]);
    expect(missing.map(({ id }) => id)).to.include.members(['mesher', 'mesher-bare', 'mesher-tcp', 'policy-none']);
  });

  it('writes a registry file and listeners, and waits for the admin port', async () => {
    const [full] = findMesher(checkout(), 'node').candidates;
    const place = site();
    const plan = await full?.prepare(place);
    expect(full?.label).to.include('0.9.9');
    expect(plan?.port).to.equal(101);
    expect(plan?.ready).to.deep.equal({ port: 102, path: '/ready' });
    expect(readFileSync(join(place.folder, 'disco', 'upstream'), 'utf8')).to.equal('127.0.0.1 1\n');
    const chassis = readFileSync(join(place.folder, 'chassis.yaml'), 'utf8');
    expect(chassis).to.include('    http:\n      listenAddress: 127.0.0.1:101\n');
    expect(chassis).not.to.include('handler:');
  });

  it('cuts the handler chain of the bare variant only', async () => {
    const bare = findMesher(checkout(), 'node').candidates.find(({ id }) => id === 'mesher-bare');
    const place = site();
    await bare?.prepare(place);
    expect(readFileSync(join(place.folder, 'chassis.yaml'), 'utf8')).to.include('outgoing: loadbalance,transport\n');
  });

  it('tells the sidecar that HTTP/2 and gRPC are spoken at the upstreams of the rows h2', async () => {
    const variant = findMesher(checkout(), 'node').candidates.find(({ id }) => id === 'mesher-h2');
    const place = site();
    await variant?.prepare(place);
    expect(readFileSync(join(place.folder, 'disco', 'upstream'), 'utf8')).to.equal('127.0.0.1 3 protocol=h2c\n');
    expect(readFileSync(join(place.folder, 'disco', 'echo'), 'utf8')).to.equal('127.0.0.1 4 protocol=grpc\n');
  });

  it('relays to the upstream and to the sink in the tcp variant', async () => {
    const relay = findMesher(checkout(), 'node').candidates.find(({ id }) => id === 'mesher-tcp');
    const place = site();
    const plan = await relay?.prepare(place);
    expect(plan).to.include({ port: 103, sinkPort: 104 });
    const config = readFileSync(join(place.folder, 'mesher.yaml'), 'utf8');
    expect(config).to.include('listen: "127.0.0.1:103", target: "127.0.0.1:1"');
    expect(config).to.include('listen: "127.0.0.1:104", target: "127.0.0.1:2"');
  });
});
