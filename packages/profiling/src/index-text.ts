const MS_PER_SECOND = 1000;

/** What there is, for people who open the port. */
export function indexText(maxDurationMs: number): string {
  return `Profiles of this process, one at a time, up to ${maxDurationMs / MS_PER_SECOND} s:

/debug/pprof/profile?seconds=30   what its CPU time is spent on
/debug/pprof/heap?seconds=10      memory allocated in that time and still in use at its end
/debug/pprof/allocs?seconds=10    memory allocated in that time
/debug/pprof/cmdline              how it was started

go tool pprof -top http://ADDRESS/debug/pprof/profile?seconds=10
With &format=v8 they are .cpuprofile and .heapprofile files for the developer tools of Chrome and of editors.
`;
}
