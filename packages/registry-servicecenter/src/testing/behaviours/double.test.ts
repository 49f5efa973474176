import { ServiceCenterServer } from '../service-center-server.js';
import { SERVICE_CENTER_BEHAVIOURS } from './all-behaviours.js';
import { login } from './login-behaviours.js';

/** Short enough for a test; nothing but the order of what comes depends on it. */
const PING_INTERVAL_MS = 50;

describe('the service-center of tests does what the real one does: it', () => {
  for (const { title, needs = {}, check } of SERVICE_CENTER_BEHAVIOURS) {
    // Takes 20 s of real time; leases.test.ts has it with time that is moved.
    if (needs.slow === true) continue;
    it(title, async () => {
      const { rootPassword } = needs;
      const server = await ServiceCenterServer.start({
        pingIntervalMs: PING_INTERVAL_MS,
        ...(rootPassword === undefined ? {} : { rbac: { rootPassword } }),
      });
      try {
        const { url } = server;
        await check(rootPassword === undefined ? { url } : { url, token: await login({ url }) });
      } finally {
        await server.close();
      }
    });
  }
});
