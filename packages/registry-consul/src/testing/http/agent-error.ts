/** A refusal as a Consul agent words it: a status and a plain text. */
export class AgentError extends Error {
  override readonly name = 'AgentError';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** @throws AgentError 400 */
export function bad(message: string): never {
  throw new AgentError(400, message);
}
