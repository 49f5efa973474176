import { expect } from 'chai';
import { requireCurl } from './support/command.js';
import { QuickStart } from './support/quick-start.js';
import { useScene } from './support/scene.js';

const PORTS = [8083, 30100, 30101, 30102, 30111, 30112];

describe('the quick start in docs/guides', () => {
  const scene = useScene();

  it('does what it says, command by command', async function () {
    requireCurl(this);
    const guide = await QuickStart.open(this, scene(), PORTS);
    const answers: string[] = [];
    for (const command of guide.commands) {
      const result = await guide.type(command);
      if (command.includes('curl')) answers.push(result?.stdout ?? '');
    }
    expect(answers).to.deep.equal([guide.promised]);
    // Word for word what the documentation of mesher (Go) tells people to type.
    expect(guide.commands.at(-1)).to.equal(
      'export http_proxy=http://127.0.0.1:30101\ncurl http://RESTServer:8083/sayhello/peter',
    );
  });
});
