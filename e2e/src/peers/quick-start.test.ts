import { expect } from 'chai';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireBuilt } from '../support/built-program.js';
import { requireCurl } from '../support/command.js';
import { GoChassisPeer } from '../support/go-chassis-peer.js';
import { QuickStart } from '../support/quick-start.js';
import { useScene } from '../support/scene.js';
import { requireServiceCenter, ServiceCenter } from '../support/service-center.js';

const SERVICE_CENTER_PORT = 30_100;
/** Of the REST server in the examples of go-chassis. */
const REST_SERVER_PORT = 5001;
/** The configuration that mesher (Go) brings along, as it is. */
const CONF_OF_MESHER_GO = fileURLToPath(
  new URL('../../../packages/core/fixtures/samples/mesher/conf', import.meta.url),
);

describe('the quick start with a real service-center', () => {
  const scene = useScene();
  beforeEach(function () {
    requireCurl(this);
    requireServiceCenter(this);
  });

  it('does what the page says, with service-center in the place of mesher registry', async function () {
    const guide = await QuickStart.open(this, scene(), [8083, SERVICE_CENTER_PORT, 30101, 30102, 30111, 30112]);
    await ServiceCenter.start(scene(), { port: SERVICE_CENTER_PORT });
    const answers: string[] = [];
    for (const command of guide.commands.filter((one) => !one.startsWith('mesher registry'))) {
      const result = await guide.type(command);
      if (command.includes('curl')) answers.push(result?.stdout ?? '');
    }
    expect(answers).to.deep.equal([guide.promised]);
  });

  it('is that of mesher (Go), word for word: its REST server by go-chassis, its configuration, its curl', async function () {
    requireBuilt(this, 'chassis-peer');
    const ports = [SERVICE_CENTER_PORT, REST_SERVER_PORT, 30101, 30102, 40101];
    const guide = await QuickStart.open(this, scene(), ports);
    const { url } = await ServiceCenter.start(scene(), { port: SERVICE_CENTER_PORT });
    await GoChassisPeer.start(scene(), { service: 'RESTServer', registry: url, port: REST_SERVER_PORT });
    await mkdir(join(guide.folder, 'conf'));
    await cp(CONF_OF_MESHER_GO, join(guide.folder, 'conf'), { recursive: true });
    await guide.type('mesher');
    const answer = await guide.type(
      'export http_proxy=http://127.0.0.1:30101\ncurl http://RESTServer:8083/sayhello/peter',
    );
    expect(answer?.stdout).to.equal('user peter');
  });
});
