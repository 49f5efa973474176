export async function runDemo(_: { once: boolean }): Promise<0 | 1> {
  return 1;
}
