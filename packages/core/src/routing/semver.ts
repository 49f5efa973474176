/** A version taken apart: numbers, and what follows a hyphen. */
interface ParsedVersion {
  readonly numbers: readonly number[];
  readonly preRelease: readonly string[];
}

const VERSION = /^[vV]?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?$/;

/**
 * Compares two versions as Semantic Versioning 2.0.0, 11 has it: by numbers, then a version before its release (`1.0.0-rc.1`) is older
 * than the release. Missing numbers are 0 (`1.2` = `1.2.0`), there may be more than three, and `v1` is `1`. A text that is no version is
 * older than every version; two such texts compare as texts.
 *
 * @returns negative when `a` is older, positive when it is newer, 0 when they are equal
 */
export function compareVersions(a: string, b: string): number {
  const left = parse(a);
  const right = parse(b);
  if (left === undefined || right === undefined) {
    if (left === undefined && right === undefined) return a < b ? -1 : a > b ? 1 : 0;
    return left === undefined ? -1 : 1;
  }
  const length = Math.max(left.numbers.length, right.numbers.length);
  for (let i = 0; i < length; i++) {
    const difference = (left.numbers[i] ?? 0) - (right.numbers[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return comparePreReleases(left.preRelease, right.preRelease);
}

function parse(text: string): ParsedVersion | undefined {
  const match = VERSION.exec(text.trim());
  if (match === null) return undefined;
  return {
    numbers: (match[1] ?? '').split('.').map(Number),
    preRelease: match[2] === undefined ? [] : match[2].split('.'),
  };
}

function comparePreReleases(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = compareIdentifiers(a[i] as string, b[i] as string);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Numbers by their value, and before texts. */
function compareIdentifiers(a: string, b: string): number {
  const aIsNumber = /^\d+$/.test(a);
  const bIsNumber = /^\d+$/.test(b);
  if (aIsNumber && bIsNumber) return Number(a) - Number(b);
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
