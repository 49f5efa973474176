/** Tools of the small programs that run beside the harness on the load core: they get their task as JSON and print JSON lines. */

/** The task, from the first argument of the program. */
export function readTask<T>(): T {
  const text = process.argv[2];
  if (text === undefined) throw new Error('this program is started by the bench, with its task as JSON');
  return JSON.parse(text) as T;
}

/** Prints one line for the harness. */
export function report(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** Ends this program when the harness is gone, whatever way it went: its end of the pipe then closes. */
export function endWithParent(onLine: (line: string) => void = () => undefined): void {
  process.stdin.setEncoding('latin1');
  process.stdin.on('data', (text: string) => {
    for (const line of text.split('\n')) if (line !== '') onLine(line);
  });
  process.stdin.once('end', () => process.exit(0));
}
