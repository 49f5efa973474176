import { NETRAMESH_VARIABLES } from '@mesher/core';

/** The table of netramesh's variables in docs/guides/netramesh.md: one row each, in the order in which the source has them. */
export function renderNetrameshTable(): string {
  const rows = NETRAMESH_VARIABLES.map(({ name, theirDefault, key, remark }) => {
    const fallback = theirDefault === '' ? '' : `\`${theirDefault}\``;
    return `| \`${name}\` | ${fallback} | \`${key}\` | ${remark} |`;
  });
  return ['| variable | default there | key here | what differs |', '| --- | --- | --- | --- |', ...rows, ''].join(
    '\n',
  );
}
