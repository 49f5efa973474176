import type { Routes } from '../http/route-table.js';
import { jsonOf } from '../http/call.js';
import { textAt } from '../store/field-rules.js';
import type { Accounts } from '../rbac/accounts.js';

/** The version that is told: of the API that the registry speaks, and that of the registry is that of no service-center. */
const VERSION = { version: '0.0.0', buildTag: 'mesher', apiVersion: '4.0.0' };

/** What anybody may ask without a token. */
export const BASE_API: Routes = {
  'GET /v4/:project/registry/version': () => ({ body: VERSION }),
  'GET /v4/:project/registry/health': ({ registry }) => {
    const instances = registry.self.services.list().flatMap(({ serviceId }) => registry.self.instances.list(serviceId));
    return { body: { instances } };
  },
};

/** Logging in; without accounts there is no such path, as in service-center. */
export function loginApi(accounts: Accounts): Routes {
  return {
    'POST /v4/token': (call) => {
      const json = jsonOf(call);
      const [name = '', password = ''] = [textAt(json, 'name'), textAt(json, 'password')];
      return { body: { token: accounts.login(name, password, textAt(json, 'tokenExpirationTime'), call.peer) } };
    },
  };
}
