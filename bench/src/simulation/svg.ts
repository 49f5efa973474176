/** Colours that can be told apart on a light and on a dark ground, also by people who see less colour (after Okabe and Ito). */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#b58900'] as const;

/** Ground and text belong together, so the picture can be read whatever surrounds it; dark where the reader wants it dark. */
const STYLE = `
    .ground { fill: #ffffff; }
    text { fill: #24292f; font: 13px system-ui, sans-serif; }
    .title { font-size: 16px; font-weight: 600; }
    .faint { fill: #57606a; font-size: 12px; }
    .grid { stroke: #d0d7de; stroke-width: 1; }
    .axis { stroke: #57606a; stroke-width: 1; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #0d1117; }
      text { fill: #e6edf3; }
      .faint { fill: #9198a1; }
      .grid { stroke: #30363d; }
      .axis { stroke: #9198a1; }
    }`;

export type Attributes = Readonly<Record<string, string | number>>;

/** One element. */
export function element(name: string, attributes: Attributes, content?: string): string {
  const list = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? Number(value.toFixed(2)) : value}"`)
    .join('');
  return content === undefined ? `<${name}${list}/>` : `<${name}${list}>${content}</${name}>`;
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escaped(content));
}

export function line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes): string {
  return element('line', { x1, y1, x2, y2, ...attributes });
}

/**
 * A whole picture.
 * @param description what is to be seen, for those who cannot see it
 */
export function picture(
  width: number,
  height: number,
  title: string,
  description: string,
  parts: readonly string[],
): string {
  const head = [
    element('title', { id: 'title' }, escaped(title)),
    element('desc', { id: 'desc' }, escaped(description)),
    element('style', {}, STYLE),
    element('rect', { class: 'ground', width, height, rx: 6 }),
    text(20, 28, title, { class: 'title' }),
  ];
  const body = [...head, ...parts].map((part) => `  ${part}\n`).join('');
  const frame = { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height };
  return `${element('svg', { ...frame, role: 'img', 'aria-labelledby': 'title desc' }, `\n${body}`)}\n`;
}

/** Squares with names, one beside the other. */
export function legend(x: number, y: number, names: readonly string[]): string[] {
  let at = x;
  return names.flatMap((name, index) => {
    const parts = [
      element('rect', {
        x: at,
        y: y - 10,
        width: 11,
        height: 11,
        rx: 2,
        fill: COLOURS[index % COLOURS.length] as string,
      }),
      text(at + 17, y, name),
    ];
    at += 17 + name.length * LETTER_WIDTH + 22;
    return parts;
  });
}

/** About the width of a letter at 13 px. */
const LETTER_WIDTH = 7;

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
