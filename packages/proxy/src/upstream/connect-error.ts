/**
 * The cause of a failed connect in one line. A host name with several addresses fails with an AggregateError, whose own message is
 * empty.
 */
export function describeConnectError(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  return error.errors.map((each: unknown) => (each instanceof Error ? each.message : String(each))).join(', ');
}
