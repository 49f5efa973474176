import { textReply } from './reply.js';
import type { AdminReply } from './reply.js';
import type { AdminRoute } from './routes.js';

type Listed = Pick<AdminRoute, 'method' | 'path' | 'summary'>;

const TITLE = 'Mesher admin API';

/** The list of what is offered, as text for a terminal or as a page with links. */
export function renderIndex(routes: readonly Listed[], type: 'text/plain' | 'text/html'): AdminReply {
  if (type === 'text/plain') return textReply(200, [TITLE, '', ...renderRouteLines(routes)].join('\n'));
  const items = routes.map(({ method, path, summary }) => {
    const name = method === 'GET' ? `<a href="${path}">${path}</a>` : path;
    return `<li><code>${method} ${name}</code> ${codeOf(escapeHtml(summary))}</li>`;
  });
  return {
    status: 200,
    contentType: 'text/html; charset=utf-8',
    body: `<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>${TITLE}</title>\n<h1>${TITLE}</h1>\n<ul>\n${items.join('\n')}\n</ul></html>\n`,
    // The page has links and nothing else; so nothing else is allowed.
    headers: { 'content-security-policy': "default-src 'none'; frame-ancestors 'none'" },
  };
}

/** One line per route, in columns. */
export function renderRouteLines(routes: readonly Listed[]): string[] {
  const width = Math.max(...routes.map(({ path }) => path.length));
  return routes.map(({ method, path, summary }) => `${method.padEnd(4)} ${path.padEnd(width)}  ${summary}`);
}

/** Summaries are written as Markdown for the reference. */
function codeOf(html: string): string {
  return html.replaceAll(/`([^`]*)`/g, '<code>$1</code>');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
