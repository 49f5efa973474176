/** What the exit status of `mesher` means. */
export const EXIT = {
  ok: 0,
  /** Something failed while running: a port in use, a lost file. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The configuration is wrong; every mistake has been named. */
  configuration: 3,
  /** Rules of interception do not hold; the number that istio-iptables has for it. */
  notIntercepted: 126,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
