/** The cookies of several clients, as browsers keep them: just names and values, which is all that the table needs. */
export class CookieJars {
  readonly #jars = new Map<string, Map<string, string>>();

  /** Header fields of the next request of a client. @param client undefined for one that keeps no cookies */
  fields(client: string | undefined, headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const jar = client === undefined ? undefined : this.#jars.get(client);
    if (jar === undefined || jar.size === 0) return headers;
    return { ...headers, cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') };
  }

  /** @param setCookie the field of an answer; undefined when there is none */
  keep(client: string | undefined, setCookie: string | undefined): void {
    const [, name, value] = /^\s*([^=;,\s]+)=([^;,]*)/.exec(setCookie ?? '') ?? [];
    if (client === undefined || name === undefined || value === undefined) return;
    let jar = this.#jars.get(client);
    if (jar === undefined) this.#jars.set(client, (jar = new Map()));
    jar.set(name, value);
  }
}
