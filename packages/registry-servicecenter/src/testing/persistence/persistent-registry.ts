import { systemPorts, type Ports } from '@mesher/core';
import { ServiceCenterServer } from '../service-center-server.js';
import { StateFile } from './state-file.js';
import { StateKeeper } from './state-keeper.js';

export interface PersistentRegistryOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** 0 for a free one. */
  readonly port: number;
  /** Folder of the state; left out, nothing is kept. */
  readonly folder?: string;
  /** Of the account `root`; left out, everybody is let in. */
  readonly rootPassword?: string;
  readonly ports?: Ports;
  /** Told when the state could not be saved. */
  readonly complain: (error: unknown) => void;
}

/** The registry that `mesher registry` runs: that of the tests, with a file. */
export class PersistentRegistry {
  private constructor(
    readonly server: ServiceCenterServer,
    private readonly keeper: StateKeeper | undefined,
  ) {}

  /**
   * Starts with the state of the folder; every instance in it has a whole lease from now on.
   * @throws StateFileError when there is a file that it cannot read; the error of the socket or the file system
   */
  static async start({
    folder,
    rootPassword,
    complain,
    ...options
  }: PersistentRegistryOptions): Promise<PersistentRegistry> {
    const { ports = systemPorts(), host, port } = options;
    const file = folder === undefined ? undefined : new StateFile(folder);
    const state = await file?.read();
    const server = await ServiceCenterServer.start({
      port,
      ports,
      // A registry that runs for weeks must not remember what it was asked.
      remembers: false,
      // Without accounts, any page in a browser on this machine could send calls for a service to itself.
      refusesWebPages: true,
      ...(host === undefined ? {} : { host }),
      ...(state === undefined ? {} : { state }),
      ...(rootPassword === undefined ? {} : { rbac: { rootPassword } }),
    });
    const keeper = file && new StateKeeper(server.registry, file, ports, complain);
    return new PersistentRegistry(server, keeper);
  }

  /** Stops and saves what was taken until then. */
  async close(): Promise<void> {
    await this.server.stopListening();
    await this.keeper?.close();
    await this.server.close();
  }
}
