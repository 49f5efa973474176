/**
 * The beginning of a text, for keeping: the engine lets a part of a text refer to the whole, so that what stays for seconds of a request
 * would keep its head of 64 KB.
 * @param end characters of it
 */
export function keptText(text: string, end = text.length): string {
  return ` ${text.slice(0, end)}`.slice(1);
}
