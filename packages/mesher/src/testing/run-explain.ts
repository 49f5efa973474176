import { explainCall, type ExplainOptions } from '../cli/explain.js';

/** Status and text of a command. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const OPTIONS: ExplainOptions = { header: [], protocol: 'http', admin: '127.0.0.1:1' };

/** Runs `mesher explain` at a terminal without colours; `GET http://world/v2` when nothing else is said. For tests. */
export async function runExplain(
  options: Partial<ExplainOptions>,
  url = 'http://world/v2',
  method = 'get',
  env: Readonly<Record<string, string>> = {},
): Promise<Said> {
  let out = '';
  let err = '';
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    colour: false,
    columns: 160,
  };
  const code = await explainCall(method, url, { ...OPTIONS, ...options }, env, terminal);
  return { code, out, err };
}
