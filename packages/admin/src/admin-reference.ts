import { ADMIN_HOST, ADMIN_LIMITS, ADMIN_PORT } from './defaults.js';
import { ADMIN_ROUTES } from './routes.js';
import type { AdminRoute } from './routes.js';

/** Statuses that every route can answer. */
const COMMON_STATUSES: readonly (readonly [status: number, meaning: string])[] = [
  [400, 'The request is not valid HTTP, or its target is not a path (a proxy client that was given the wrong port).'],
  [403, 'The Host field names somebody else, or a web page of another site sent a POST.'],
  [404, 'There is no such route; the body lists those that there are.'],
  [405, 'The route does not take this method; `allow` says which it takes.'],
  [413, `The body has more than ${ADMIN_LIMITS.maxBodyBytes} bytes.`],
  [500, 'What the route shows could not be read; the log says why.'],
];

/** The reference page of the admin API in Markdown, made from {@link ADMIN_ROUTES}. */
export function renderAdminReference(): string {
  const overview = ADMIN_ROUTES.map(({ method, path, summary }) => `| \`${method} ${path}\` | ${summary} |`);
  const common = COMMON_STATUSES.map(([status, meaning]) => `| ${status} | ${meaning} |`);
  return [
    '# Admin API',
    '',
    `Listens at ${ADMIN_HOST}:${ADMIN_PORT} unless configured otherwise. There is no login: an address that other ` +
      'machines reach needs `admin.allowRemote: true`. Every GET route takes HEAD too. Every answer carries `cache-control: no-store`. ' +
      'Where a route has several types, `Accept` chooses; the first is the default.',
    '',
    '| route | what it is |',
    '|---|---|',
    ...overview,
    '',
    ...ADMIN_ROUTES.flatMap(renderRoute),
    '## Statuses of every route',
    '',
    'The body of an error is JSON with `code`, `message` and `hint`.',
    '',
    '| status | meaning |',
    '|---|---|',
    ...common,
    '',
  ].join('\n');
}

function renderRoute({ method, path, summary, statuses, types }: AdminRoute): string[] {
  const rows = Object.entries(statuses).map(([status, meaning]) => `- ${status}: ${meaning}`);
  return [
    `## ${method} ${path}`,
    '',
    summary,
    '',
    ...rows,
    '',
    `Types: ${types.map((type) => `\`${type}\``).join(', ')}.`,
    '',
  ];
}
