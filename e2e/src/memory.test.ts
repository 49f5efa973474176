import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { skipBecause } from '@mesher/core/testing';
import { eventually } from './support/eventually.js';
import { useScene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';

const MIB = 1_048_576;
const DOWNLOAD_BYTES = 1024 * MIB;
const UPLOAD_BYTES = 512 * MIB;
/** What a sidecar may grow by, whatever the size of the body: its buffers, and garbage that has not been collected yet. */
const GROWTH_MIB = 40;
/** Sockets of clients are read into new buffers, of which 32 MiB may gather before V8 collects them, however long the upload is. */
const UPLOAD_GROWTH_MIB = 72;

describe('a body that is larger than memory should be', () => {
  // The highest memory of a process is known since its start only: each transfer gets processes of its own.
  const scene = useScene();
  let caller: Sidecar, world: Sidecar;

  before(function () {
    if (!existsSync('/proc/self/status')) skipBecause(this, 'the memory of a process is read from /proc');
  });

  beforeEach(async () => {
    world = (await scene().service('world')).sidecar;
    caller = await scene().sidecar({ service: 'hello', host: 'none' });
    // Code is compiled and buffers are made by the first megabytes; they belong to the floor, not to the growth.
    await drain(ask('GET', `/bytes/${32 * MIB}`));
  });

  function ask(method: string, path: string, fields = ''): Socket {
    const socket = connect({ host: '127.0.0.1', port: caller.port });
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: world\r\n${fields}Connection: close\r\n\r\n`);
    return socket;
  }

  /** Reads to the end. @returns bytes that came, head included */
  async function drain(socket: Socket): Promise<number> {
    let bytes = 0;
    for await (const piece of socket as AsyncIterable<Buffer>) bytes += piece.length;
    return bytes;
  }

  /** A figure of a process in MiB: `VmRSS` now, `VmHWM` at its highest. */
  async function memory({ process: { pid } }: Sidecar, figure: 'VmRSS' | 'VmHWM'): Promise<number> {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`^${figure}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  }

  /** Runs `transfer` and compares the highest memory of both sidecars with what they had before. */
  async function expectConstantMemory(growth: number, transfer: () => Promise<void>): Promise<void> {
    const before = [await memory(caller, 'VmRSS'), await memory(world, 'VmRSS')];
    await transfer();
    const peak = [await memory(caller, 'VmHWM'), await memory(world, 'VmHWM')];
    const now = [await memory(caller, 'VmRSS'), await memory(world, 'VmRSS')];
    const shown = (figures: readonly number[]): string => figures.map((mib) => mib.toFixed(0)).join(' and ');
    console.log(`    (MiB of the two sidecars: ${shown(before)} before, ${shown(peak)} at most, ${shown(now)} after)`);
    for (const [index, mib] of peak.entries()) expect(mib - (before[index] ?? 0)).to.be.lessThan(growth);
  }

  it('is downloaded in constant memory (1 GiB)', async () => {
    await expectConstantMemory(GROWTH_MIB, async () => {
      const bytes = await drain(ask('GET', `/bytes/${DOWNLOAD_BYTES}`));
      expect(bytes).to.be.within(DOWNLOAD_BYTES, DOWNLOAD_BYTES + 1024);
    });
  });

  it('is uploaded in constant memory (512 MiB)', async () => {
    await expectConstantMemory(UPLOAD_GROWTH_MIB, async () => {
      const socket = ask('POST', '/upload', `Content-Length: ${UPLOAD_BYTES}\r\n`);
      let text = '';
      socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
      const ended = new Promise((resolve) => socket.once('close', resolve));
      const piece = Buffer.alloc(MIB, 'u');
      for (let sent = 0; sent < UPLOAD_BYTES; sent += MIB) {
        if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve));
      }
      await ended;
      expect(text).to.include(`"bytes":${UPLOAD_BYTES}`);
    });
  });

  it('waits in the application, not in the sidecars, while the client does not read', async () => {
    await expectConstantMemory(GROWTH_MIB, async () => {
      const relayed = (): Promise<number> => caller.metric('mesher_relayed_bytes_total', { toward: 'downstream' });
      const before = await relayed();
      const socket = ask('GET', `/bytes/${DOWNLOAD_BYTES}`).pause();
      let last = -1;
      const stuck = await eventually('nothing moves any more', async () => {
        const now = await relayed();
        const stands = now > before && now === last;
        last = now;
        return stands && now - before;
      });
      expect(stuck).to.be.lessThan(GROWTH_MIB * MIB);
      socket.destroy();
    });
  });
});
