import type { Field, Invocation } from '../../invocation.js';

/** Name of the field by which an answer sets a cookie. */
export const SET_COOKIE = 'set-cookie';

/**
 * Value of a cookie in the Cookie field of a request (RFC 6265, 4.2.1), without quotes around it. Pairs are parted by `;`; by `,` where
 * several Cookie fields were joined: no value may hold one. The first of several cookies of one name counts.
 * @returns undefined when there is no such cookie
 */
export function cookieOf(field: string | undefined, name: string): string | undefined {
  if (field === undefined) return undefined;
  for (let at = field.indexOf(name); at >= 0; at = field.indexOf(name, at + 1)) {
    const valueAt = at + name.length + 1;
    if (field[valueAt - 1] !== '=' || !beginsPair(field, at)) continue;
    let end = valueAt;
    while (end < field.length && field[end] !== ';' && field[end] !== ',') end++;
    const value = field.slice(valueAt, end).trimEnd();
    return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  }
  return undefined;
}

function beginsPair(field: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && (field[before] === ' ' || field[before] === '\t')) before--;
  return before < 0 || field[before] === ';' || field[before] === ',';
}

/**
 * The field that gives a client a cookie for the whole site, out of reach of scripts.
 * @param maxAgeS lifetime in seconds; 0: until the browser is closed
 */
export function cookieField(name: string, value: string, maxAgeS: number): Field {
  const age = maxAgeS === 0 ? '' : `; Max-Age=${maxAgeS}`;
  return [SET_COOKIE, `${name}=${value}; Path=/; HttpOnly${age}`];
}

/** The position among the fields of the answer of one that sets the cookie `name`; -1 when there is none. */
export function findSetCookie(call: Invocation, name: string): number {
  const fields = call.responseFields;
  if (fields === undefined) return -1;
  return fields.findIndex(
    ([field, value]) => field === SET_COOKIE && value.startsWith(name) && value[name.length] === '=',
  );
}

/** Gives the answer the field, in the place of one that sets the same cookie: an earlier attempt of the call may have been elsewhere. */
export function setCookie(call: Invocation, name: string, field: Field): void {
  const at = findSetCookie(call, name);
  if (at < 0) (call.responseFields ??= []).push(field);
  else (call.responseFields as Field[])[at] = field;
}
