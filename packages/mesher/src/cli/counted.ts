/** `1 error`, `2 errors`. @param noun in the singular */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
