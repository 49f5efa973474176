import type { Answer, Call } from './call.js';

export type Handler = (call: Call) => Answer;

/** `GET /v4/:project/registry/health`, and who answers it. */
export type Routes = Readonly<Record<string, Handler>>;

export interface Match {
  readonly handler: Handler;
  readonly params: Readonly<Record<string, string>>;
}

interface Route extends Pick<Match, 'handler'> {
  readonly method: string;
  readonly parts: readonly string[];
}

/** Finds the handler for a method and a path; parts that begin with a colon match any one part. */
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
    const parts = path.split('/').map(decodePart);
    const fitting = this.#routes.filter((route) => fits(route.parts, parts));
    // A part that is spelled out wins over one that is named: `instances/status` over `instances/:id`.
    const [best] = fitting
      .filter((route) => route.method === method)
      .sort((a, b) => countNamed(a.parts) - countNamed(b.parts));
    if (best === undefined) return fitting.length > 0 ? 'path' : undefined;
    const named = best.parts.flatMap((part, at) => (part.startsWith(':') ? [[part.slice(1), parts[at] ?? '']] : []));
    return { handler: best.handler, params: Object.fromEntries(named) as Record<string, string> };
  }
}

function fits(route: readonly string[], parts: readonly string[]): boolean {
  return (
    route.length === parts.length &&
    route.every((part, at) => (part.startsWith(':') ? parts[at] !== '' : part === parts[at]))
  );
}

function countNamed(parts: readonly string[]): number {
  return parts.filter((part) => part.startsWith(':')).length;
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
