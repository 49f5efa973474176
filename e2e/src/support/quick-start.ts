import { expect } from 'chai';
import { mkdir, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { skipBecause, type SkippableContext } from '@mesher/core/testing';
import { run, type CommandResult } from './command.js';
import { canListen } from './free-ports.js';
import { guideBlocks, type GuideBlock } from './guide.js';
import type { Scene } from './scene.js';
import { MESHER_BIN } from './sidecar.js';

/** What the programs of the quick start print when they are there. */
const THERE = /listening|"msg":"ready"|^mesher registry: http/m;

/** docs/guides/quick-start.md, typed block by block into terminals in an empty folder. */
export class QuickStart {
  private constructor(
    private readonly scene: Scene,
    readonly folder: string,
    private readonly env: Readonly<Record<string, string>>,
    private readonly blocks: readonly GuideBlock[],
  ) {}

  /** @param ports that the page names and that must be free; the test is skipped when one is not */
  static async open(context: SkippableContext, scene: Scene, ports: readonly number[]): Promise<QuickStart> {
    for (const port of ports) {
      // Addresses are part of the page: a test with others would test another page.
      if (!(await canListen('127.0.0.1', port))) skipBecause(context, `127.0.0.1:${port} is in use`);
    }
    const [bin, folder] = [join(scene.folder, 'bin'), join(scene.folder, 'quick-start')];
    await mkdir(bin);
    await mkdir(folder);
    await symlink(MESHER_BIN, join(bin, 'mesher'));
    const env = { PATH: [bin, process.env['PATH'] ?? ''].join(delimiter) };
    return new QuickStart(scene, folder, env, await guideBlocks('quick-start'));
  }

  /** All commands in their order, and the answer that the page promises for the last one. */
  get commands(): readonly string[] {
    return this.blocks.filter(({ language }) => language === 'sh').map(({ code }) => code.trim());
  }

  get promised(): string {
    return this.blocks.findLast(({ language }) => language === 'text')?.code ?? '';
  }

  /** Types a block: a single line is a program that goes on, and is there when this resolves; others are run to their end. */
  async type(block: string): Promise<CommandResult | undefined> {
    if (!block.includes('\n')) {
      // bash becomes the program, so that it ends with it.
      const terminal = this.scene.spawn(block, 'bash', ['-c', block], this.env, this.folder);
      await terminal.untilPrinted(THERE);
      return undefined;
    }
    const result = await run('bash', ['-c', `set -e\n${block}`], this.env, this.folder);
    expect(result.code, `${block}\n${result.stderr}`).to.equal(0);
    return result;
  }
}
