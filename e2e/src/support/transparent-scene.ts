import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeSelfSigned } from '@mesher/core/testing';
import { APPLICATION } from './intercepted-calls.js';
import {
  ADDRESSES,
  requireNetworkNamespaces,
  TwoHosts,
  type CommandOutcome,
  type NetworkNamespace,
} from './network-namespaces.js';
import type { SpawnedProcess } from './spawned-process.js';
import { TransparentSidecar, type TransparentOptions } from './transparent-sidecar.js';

const APP = fileURLToPath(new URL('../programs/versatile-app-main.js', import.meta.url));

export const FAMILIES = ['ipv4', 'ipv6'] as const;
export type Family = (typeof FAMILIES)[number];
export type HostName = 'near' | 'far';

/** By which rules connections come to a sidecar. */
export interface Way {
  readonly backend: 'iptables-nft' | 'iptables-legacy' | 'nft';
  /** Of inbound connections; outbound ones always come by REDIRECT. */
  readonly inbound: 'REDIRECT' | 'TPROXY';
}

export const USUAL_WAY: Way = { backend: 'iptables-nft', inbound: 'REDIRECT' };
export const WAYS: readonly Way[] = [
  USUAL_WAY,
  { backend: 'iptables-legacy', inbound: 'REDIRECT' },
  { backend: 'nft', inbound: 'REDIRECT' },
  { backend: 'iptables-nft', inbound: 'TPROXY' },
  { backend: 'nft', inbound: 'TPROXY' },
];

/** A host as a URL has it. */
export function inUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** Who calls and who is called, behind a sidecar each, in network namespaces with a router between them. */
export class TransparentScene {
  readonly sidecars = new Map<HostName, TransparentSidecar>();

  private constructor(
    readonly hosts: TwoHosts,
    /** Everybody may read it. */
    readonly folder: string,
  ) {}

  static async create(): Promise<TransparentScene> {
    const folder = await mkdtemp(join(tmpdir(), 'mesher-transparent-'));
    await chmod(folder, 0o755);
    return new TransparentScene(await TwoHosts.create(), folder);
  }

  get near(): NetworkNamespace {
    return this.hosts.near;
  }

  get far(): NetworkNamespace {
    return this.hosts.far;
  }

  /** Path of a file in the folder. */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a file that everybody may read. @returns its path */
  async write(name: string, content: string | Uint8Array): Promise<string> {
    await writeFile(this.path(name), content);
    return this.path(name);
  }

  /** Starts the application of many protocols on a host; its certificate is `cert.pem`, for `secure.example`. */
  async startApp(on: HostName): Promise<SpawnedProcess> {
    const { cert, key } = makeSelfSigned('secure.example', 'secure.example');
    const files = [await this.write('cert.pem', cert), await this.write('key.pem', key)];
    const app = this.hosts[on].spawn(process.execPath, [APP, on, ...files], { as: APPLICATION });
    await app.untilPrinted(/^listening$/m);
    return app;
  }

  /** Starts a sidecar with its rules, in the place of one that is there. */
  async sidecar(
    on: HostName,
    way: Way = USUAL_WAY,
    more: Partial<Omit<TransparentOptions, 'folder'>> = {},
  ): Promise<TransparentSidecar> {
    await this.stopSidecar(on);
    const isTproxy = way.inbound === 'TPROXY';
    const sidecar = await TransparentSidecar.start(this.hosts[on], {
      service: on,
      folder: this.folder,
      // TPROXY needs a capability, so there the sidecar is root in the group that the rules leave alone.
      ...(isTproxy ? { as: { uid: 0, gid: 1337 } } : {}),
      ...more,
      mesher: { ...(isTproxy ? { 'transparent.interception': 'tproxy' } : {}), ...more.mesher },
      apply: ['--backend', way.backend, '--mode', way.inbound, ...(more.apply ?? [])],
    });
    this.sidecars.set(on, sidecar);
    return sidecar;
  }

  /** Starts a sidecar on each host. @returns near, far */
  async bothSidecars(
    way?: Way,
    more?: Partial<Omit<TransparentOptions, 'folder'>>,
  ): Promise<[TransparentSidecar, TransparentSidecar]> {
    return await Promise.all([this.sidecar('near', way, more), this.sidecar('far', way, more)]);
  }

  async stopSidecar(on: HostName): Promise<void> {
    const sidecar = this.sidecars.get(on);
    this.sidecars.delete(on);
    await sidecar?.stop();
  }

  async stopSidecars(): Promise<void> {
    await Promise.all([this.stopSidecar('near'), this.stopSidecar('far')]);
  }

  /** Runs a program of the near application. @returns what it printed @throws Error when it fails */
  async call(program: string, ...args: readonly string[]): Promise<string> {
    return await this.near.must(program, args, { as: APPLICATION });
  }

  /** The same, for programs that may fail. */
  async attempt(program: string, ...args: readonly string[]): Promise<CommandOutcome> {
    return await this.near.run(program, args, { as: APPLICATION });
  }

  async close(): Promise<void> {
    await this.hosts.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A scene for the tests of a suite, whose sidecars end with it. Skips the suite where there can be none. */
export function useTransparentScene(...programs: readonly string[]): () => TransparentScene {
  let scene: TransparentScene | undefined;
  before(async function () {
    requireNetworkNamespaces(this, ...programs);
    scene = await TransparentScene.create();
  });
  after(async () => {
    // Where the suite was skipped, there is none.
    await scene?.stopSidecars();
    await scene?.close();
  });
  return () => {
    if (scene === undefined) throw new Error('there is no scene yet');
    return scene;
  };
}

export { ADDRESSES };
