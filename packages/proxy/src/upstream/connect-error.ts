/** What went wrong with the look-up of a host name (getaddrinfo(3)), in words. */
const LOOKUP_PROBLEMS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'is not known to the name service',
  EAI_AGAIN: 'could not be looked up: the name service does not answer',
};

interface LookupError extends NodeJS.ErrnoException {
  readonly hostname?: string;
}

/**
 * The cause of a failed connect in one line. A host name with several addresses fails with an AggregateError, whose own message is
 * empty; one that has no address fails before anything was dialled.
 */
export function describeConnectError(error: Error): string {
  if (error instanceof AggregateError) {
    return error.errors.map((each: unknown) => (each instanceof Error ? each.message : String(each))).join(', ');
  }
  const { code, hostname, syscall } = error as LookupError;
  const problem = syscall === 'getaddrinfo' && code !== undefined ? LOOKUP_PROBLEMS[code] : undefined;
  return problem === undefined ? error.message : `the host name ${hostname ?? ''} ${problem} (${error.message})`;
}
