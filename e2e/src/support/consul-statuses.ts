interface HealthEntry {
  readonly Service: { readonly Address: string; readonly Port: number };
  readonly Checks: readonly { readonly Status: string }[];
}

/** What Consul shows of the instances of a service: by `host:port`, UP when all checks pass, else DOWN. */
export async function statusesInConsul(url: string, service: string): Promise<ReadonlyMap<string, string>> {
  const answer = await fetch(`${url}/v1/health/service/${service}`);
  const entries = (await answer.json()) as readonly HealthEntry[];
  return new Map(
    entries.map(({ Service: { Address, Port }, Checks }) => [
      `${Address}:${Port}`,
      Checks.every(({ Status }) => Status === 'passing') ? 'UP' : 'DOWN',
    ]),
  );
}
