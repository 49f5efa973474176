import { ReloadRig } from './reload-rig.js';
import { withFolder } from './temporary-folder.js';

const NAMED = { 'microservice.yaml': 'servicecomb.service.name: orders\n' };

/** A file whose one key can change while running; the default is false. */
export const TIMING_ON = { 'mesher.yaml': 'mesher.serverTiming: true\n' } as const;

/** Runs a test with a reloader over a folder with these files besides the name of the service, and closes it. */
export async function withReloadRig(
  files: Readonly<Record<string, string>>,
  use: (rig: ReloadRig) => Promise<void>,
): Promise<void> {
  await withFolder({ ...NAMED, ...files }, async (folder) => {
    const rig = await ReloadRig.open(folder);
    try {
      await use(rig);
    } finally {
      rig.reloader.close();
    }
  });
}
