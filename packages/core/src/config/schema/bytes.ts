const BYTES = /^(\d+(?:\.\d+)?)\s*(B|K|KB|KiB|M|MB|MiB|G|GB|GiB)?$/i;
const STEP = 1024;

/**
 * Reads a size: `512`, `64KB`, `1MiB`, `2G`. K, KB and KiB all mean 1024 bytes, as in nginx and the JVM: sizes of buffers and
 * limits are powers of two in practice, and two meanings of one setting would be a trap.
 * @returns whole bytes, or undefined when the text is no size
 */
export function parseBytes(text: string): number | undefined {
  const match = BYTES.exec(text.trim());
  if (match === null) {
    return undefined;
  }
  const power = { K: 1, M: 2, G: 3 }[(match[2] ?? 'B').charAt(0).toUpperCase()] ?? 0;
  const size = Number(match[1]) * STEP ** power;
  return Number.isSafeInteger(size) ? size : undefined;
}

/** A size in the unit that shows it shortest without a fraction: `65536` is `64KB`. */
export function formatBytes(bytes: number): string {
  for (const [unit, power] of [
    ['GB', 3],
    ['MB', 2],
    ['KB', 1],
  ] as const) {
    const size = STEP ** power;
    if (bytes >= size && bytes % size === 0) {
      return `${bytes / size}${unit}`;
    }
  }
  return String(bytes);
}
