import type { Profile } from 'pprof-format';

export interface ReadStack {
  /** `name file:line`, the innermost first. */
  readonly stack: readonly string[];
  readonly values: readonly number[];
}

/** The samples of a decoded profile, in words. */
export function readStacks({ function: functions, location, sample, stringTable }: Profile): ReadStack[] {
  const text = (index: number | bigint): string => stringTable.strings[Number(index)] ?? '';
  const functionById = new Map(functions.map((one) => [Number(one.id), one]));
  const shown = new Map(
    location.map(({ id, line: [line] }) => {
      const found = functionById.get(Number(line?.functionId));
      const name = found === undefined ? '?' : `${text(found.name)} ${text(found.filename)}`;
      return [Number(id), `${name}:${Number(line?.line ?? 0)}`];
    }),
  );
  return sample.map(({ locationId, value }) => ({
    stack: locationId.map((id) => shown.get(Number(id)) ?? '?'),
    values: value.map(Number),
  }));
}
