import { grpcStatusName, type CallExplanation, type ExplainedAnswer } from '@mesher/core';

/** How the terminal wants the text. */
export interface TextStyle {
  readonly colour: boolean;
  readonly columns: number;
}

/** Narrower lines than this would break inside every address. */
const LEAST_COLUMNS = 60;
/** Blanks between the columns. */
const GAP = 2;

type Paint = (text: string) => string;

interface Paints {
  readonly strong: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly bad: Paint;
}

/** An explanation for people: a line per decision, what was looked at below it, and the verdict at the end. */
export function renderExplanation(explained: CallExplanation, { colour, columns }: TextStyle): string {
  const paints = paintsFor(colour);
  const width = Math.max(LEAST_COLUMNS, columns);
  const label = Math.max(...explained.steps.map(({ stage }) => stage.length), 'request'.length) + GAP;
  const lines = [
    ...renderRequest(explained, paints),
    '',
    ...explained.steps.flatMap(({ stage, decision, details }, index) => {
      const stopped = !explained.sent && index === explained.steps.length - 1;
      const mark = stopped ? paints.bad('x') : ' ';
      const indent = ' '.repeat(label + GAP);
      const [first = '', ...more] = wrap(decision, width - label - GAP);
      const title = paints.strong(stage) + ' '.repeat(label - stage.length);
      return [
        `${mark} ${title}${stopped ? paints.bad(first) : first}`,
        ...more.map((line) => `${indent}${stopped ? paints.bad(line) : line}`),
        ...details.flatMap((detail) => renderDetail(detail, indent, width, paints)),
      ];
    }),
    '',
    ...renderVerdict(explained, width, paints),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function renderRequest({ request }: CallExplanation, { strong, dim }: Paints): string[] {
  const { method, authority, path, direction, protocol, headers, source } = request;
  const target = direction === 'outbound' ? `http://${authority}${path}` : path;
  const from = source === undefined ? '' : `, from ${source}`;
  return [
    `${strong(`${method} ${target}`.trim())}  ${dim(`${direction}, ${protocol}${from}`)}`,
    ...Object.entries(headers).map(([name, value]) => `  ${dim(`${name}: ${value}`)}`),
  ];
}

function renderDetail(detail: string, indent: string, width: number, { dim }: Paints): string[] {
  // Some stages mark what they keep and drop themselves.
  const [first = '', ...more] = wrap(detail.replace(/^- /, ''), width - indent.length - GAP);
  return [
    `${indent}${dim(/^\+ /.test(first) ? first : `- ${first}`)}`,
    ...more.map((line) => `${indent}${dim(`  ${line}`)}`),
  ];
}

function renderVerdict(
  { sent, open, answer, edits, request }: CallExplanation,
  width: number,
  paints: Paints,
): string[] {
  if (!sent) {
    const { code = '', hint = '' } = answer ?? {};
    return [
      paints.bad(`The call would not be sent: the caller would get ${statusOf(answer)} ${code}`.trimEnd()),
      ...wrap(hint, width - GAP).map((line) => `  ${line}`),
    ];
  }
  const changes = [
    ...(edits.path === undefined ? [] : [`path    ${request.path} -> ${edits.path}`]),
    ...edits.removed.map((name) => `remove  ${name}`),
    ...edits.added.map(([name, value]) => `set     ${name}: ${value}`),
    ...edits.responseFields.map(([name, value]) => `answer  ${name}: ${value}`),
  ];
  return [
    paints.good(open ? 'The call would go on; what follows shows only when it does' : 'The call would be sent'),
    ...changes.flatMap((change) => {
      const [first = '', ...more] = wrap(change, width - GAP);
      return [`  ${paints.dim(first)}`, ...more.map((line) => `          ${paints.dim(line)}`)];
    }),
  ];
}

/** The status as the caller sees it: callers of gRPC know the names of theirs. */
function statusOf(answer: ExplainedAnswer | undefined): string {
  const { status = 0, grpcStatus } = answer ?? {};
  return grpcStatus === undefined ? String(status) : `${grpcStatusName(grpcStatus)} (${grpcStatus})`;
}

/** Breaks a text at blanks, so that no line is longer than `width` unless a word is. */
function wrap(text: string, width: number): string[] {
  return clean(text)
    .split('\n')
    .flatMap((line) => {
      if (line.length <= width) return [line];
      const lines: string[] = [];
      let current = '';
      for (const word of line.split(' ')) {
        if (current !== '' && current.length + 1 + word.length > width) {
          lines.push(current);
          current = word;
        } else current = current === '' ? word : `${current} ${word}`;
      }
      return [...lines, current];
    });
}

/** Control characters of a request or a rule must not reach the terminal. */
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g;

function clean(text: string): string {
  return text.replace(UNPRINTABLE, '?');
}

function paintsFor(colour: boolean): Paints {
  const paint =
    (code: number): Paint =>
    (text) => {
      const printable = clean(text);
      return colour && printable !== '' ? `\u001b[${code}m${printable}\u001b[0m` : printable;
    };
  return { strong: paint(1), dim: paint(2), good: paint(32), bad: paint(31) };
}
