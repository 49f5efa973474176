import { APPLICATION } from './intercepted-calls.js';
import type { NetworkNamespace } from './network-namespaces.js';
import type { SpawnedProcess } from './spawned-process.js';

/** Connects, prints what happens, and does what standard input says, a line each: `send TEXT`, `end`, `reset`. */
const CLIENT = `
const [host, port] = process.argv.slice(1);
const say = (text) => process.stdout.write(text + '\\n');
const socket = require('node:net').connect({ host, port, allowHalfOpen: true });
socket.on('connect', () => say('connected')).on('end', () => say('ended')).on('error', ({ code }) => say(code)).on('close', () => { say('closed'); process.exit(); });
socket.setEncoding('utf8').on('data', (text) => say('got ' + text.trim()));
require('node:readline').createInterface(process.stdin).on('line', (line) => {
  if (line.startsWith('send ')) socket.write(line.slice(5) + '\\n');
  else if (line === 'end') socket.end();
  else if (line === 'reset') socket.resetAndDestroy();
});
`;

/** A raw connection that a program of the application holds, and what it has seen of it. */
export class RawConversation {
  private constructor(readonly client: SpawnedProcess) {}

  /** Begins to connect. */
  static begin(on: NetworkNamespace, host: string, port: number): RawConversation {
    return new RawConversation(on.spawn(process.execPath, ['-e', CLIENT, host, String(port)], { as: APPLICATION }));
  }

  /** Connects, and says something to a server that repeats it, so that it stands through all sidecars. */
  static async start(on: NetworkNamespace, host: string, port: number): Promise<RawConversation> {
    const conversation = RawConversation.begin(on, host, port);
    await conversation.repeat('hello');
    return conversation;
  }

  async repeat(text: string): Promise<void> {
    this.say(`send ${text}`);
    await this.client.untilPrinted(new RegExp(`^got ${text}$`, 'm'));
  }

  say(line: string): void {
    this.client.write(`${line}\n`);
  }

  /** Waits for the end. @returns all that has happened */
  async events(): Promise<string[]> {
    await this.client.exited;
    return this.client.output.trim().split('\n');
  }
}
