import type { Logger } from '@mesher/core';
import { renderRouteLines } from './index-page.js';
import { errorReply } from './reply.js';
import type { AdminReply } from './reply.js';
import { ADMIN_ROUTES } from './routes.js';
import type { AdminRoute } from './routes.js';
import type { AdminSources } from './sources.js';

/** Finds the route of a request and answers with what it says; knows nothing of sockets. */
export class AdminRouter {
  constructor(
    private readonly sources: AdminSources,
    private readonly logger: Logger,
  ) {}

  /**
   * Never rejects: what a source throws is logged and answered with 500.
   * @param target path with an optional query
   * @param body of the request
   */
  async reply(method: string, target: string, accept: string | undefined, body = ''): Promise<AdminReply> {
    const path = target.replace(/[?#].*$/s, '');
    const routes = ADMIN_ROUTES.filter((route) => route.path === path);
    if (routes.length === 0) return notFound(path);
    const wanted = method === 'HEAD' ? 'GET' : method;
    const route = routes.find((candidate) => candidate.method === wanted);
    if (route === undefined) return methodNotAllowed(method, routes);
    try {
      return await route.handle(this.sources, { accept, body, query: queryOf(target) });
    } catch (error) {
      this.logger.error({ route: path, error }, 'an admin route failed');
      const message = `${path} could not be answered: ${error instanceof Error ? error.message : String(error)}`;
      return errorReply(500, 'SOURCE_FAILED', message, 'Look at the log of this process.');
    }
  }
}

function queryOf(target: string): string {
  const [, query = ''] = /^[^?#]*\?([^#]*)/.exec(target) ?? [];
  return query;
}

function notFound(path: string): AdminReply {
  const shown = path.length > MAX_ECHO ? `${path.slice(0, MAX_ECHO)}...` : path;
  return errorReply(404, 'NOT_FOUND', `there is no ${shown}`, 'The routes are listed below.', {
    fields: { routes: renderRouteLines(ADMIN_ROUTES) },
  });
}

/** Characters of a wrong path that the answer repeats. */
const MAX_ECHO = 200;

function methodNotAllowed(method: string, routes: readonly AdminRoute[]): AdminReply {
  const allowed = routes.flatMap((route) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method])).join(', ');
  const message = `${routes[0]?.path} does not take ${method}`;
  return errorReply(405, 'METHOD_NOT_ALLOWED', message, `Use ${allowed}.`, { headers: { allow: allowed } });
}
