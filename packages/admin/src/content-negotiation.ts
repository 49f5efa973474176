interface MediaRange {
  readonly type: string;
  readonly quality: number;
}

/**
 * Which of the offered media types the client likes best (RFC 9110, 12.5.1); at equal preference the first offered, so
 * a client that takes anything gets that.
 * @param accept the Accept field; undefined means anything
 * @param offered media types in lower case, the default first; at least one
 */
export function preferredType<T extends string>(accept: string | undefined, offered: readonly [T, ...T[]]): T {
  if (accept === undefined) return offered[0];
  const ranges = parseAccept(accept);
  let best: T = offered[0];
  let bestQuality = 0;
  for (const type of offered) {
    const quality = qualityOf(type, ranges);
    if (quality > bestQuality) [best, bestQuality] = [type, quality];
  }
  return best;
}

function parseAccept(accept: string): MediaRange[] {
  return accept.split(',').flatMap((part) => {
    const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    if (type === '') return [];
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    const quality = weight === undefined ? 1 : Number(weight.slice(2));
    return [{ type, quality: Number.isFinite(quality) ? quality : 0 }];
  });
}

/** The most specific range decides: `text/plain` before `text/*` before the range of everything. */
function qualityOf(type: string, ranges: readonly MediaRange[]): number {
  const candidates = [type, `${type.slice(0, type.indexOf('/'))}/*`, '*/*'];
  for (const candidate of candidates) {
    const range = ranges.find((entry) => entry.type === candidate);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
