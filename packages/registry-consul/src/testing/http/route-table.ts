import type { Handler, Routes } from './call.js';

export interface Match {
  readonly handler: Handler;
  readonly params: Readonly<Record<string, string>>;
}

interface Route {
  readonly method: string;
  readonly parts: readonly string[];
  readonly handler: Handler;
}

/** Finds the handler for a method and a path; the table is looked through from the beginning. */
export class RouteTable {
  readonly #routes: readonly Route[];

  constructor(...tables: readonly Routes[]) {
    this.#routes = tables.flatMap((table) =>
      Object.entries(table).map(([route, handler]) => {
        const [method = '', path = ''] = route.split(' ');
        return { method, parts: path.split('/'), handler };
      }),
    );
  }

  /** @returns `path` when only the method has no route */
  find(method: string, path: string): Match | 'path' | undefined {
    let hasPath = false;
    for (const route of this.#routes) {
      const params = paramsOf(route.parts, path.split('/').map(decodePart));
      if (params === undefined) continue;
      if (route.method === method) return { handler: route.handler, params };
      hasPath = true;
    }
    return hasPath ? 'path' : undefined;
  }
}

function paramsOf(route: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [at, part] of route.entries()) {
    if (part.startsWith('*'))
      return parts.length > at ? { ...params, [part.slice(1)]: parts.slice(at).join('/') } : undefined;
    const actual = parts[at];
    if (part.startsWith(':') && actual !== undefined) params[part.slice(1)] = actual;
    else if (part !== actual) return undefined;
  }
  return route.length === parts.length ? params : undefined;
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
