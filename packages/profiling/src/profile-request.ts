export type ProfileKind = 'cpu' | 'heap' | 'allocs';

/** A profile that somebody asks for. */
export interface ProfileRequest {
  readonly kind: ProfileKind;
  readonly durationMs: number;
  /** pprof: compressed protocol buffers, for go tool pprof; v8: JSON, for the developer tools of Chrome. */
  readonly format: 'pprof' | 'v8';
}

/** What is wrong with a request. */
export class BadProfileRequest {
  constructor(readonly message: string) {}
}

const MS_PER_SECOND = 1000;
/** As in Go, whose users leave `seconds` out. */
const CPU_SECONDS = 30;
/** Go has a heap profile ready at any time; here allocations are watched from now on, and clients wait for a minute. */
const HEAP_SECONDS = 10;

const KINDS: Readonly<Record<string, ProfileKind>> = { profile: 'cpu', heap: 'heap', allocs: 'allocs' };

/** @returns undefined when the name is that of no profile */
export function kindOf(name: string): ProfileKind | undefined {
  return Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
}

/** @param maxDurationMs the longest that is allowed */
export function readProfileRequest(
  kind: ProfileKind,
  query: URLSearchParams,
  maxDurationMs: number,
): ProfileRequest | BadProfileRequest {
  const text = query.get('seconds');
  const usual = Math.min((kind === 'cpu' ? CPU_SECONDS : HEAP_SECONDS) * MS_PER_SECOND, maxDurationMs);
  const durationMs = text === null ? usual : Number(text) * MS_PER_SECOND;
  if (text?.trim() === '' || !(durationMs > 0 && durationMs <= maxDurationMs)) {
    const most = maxDurationMs / MS_PER_SECOND;
    return new BadProfileRequest(`seconds=${text} is no duration up to ${most} seconds (pprof.maxDuration)`);
  }
  const format = query.get('format') ?? 'pprof';
  if (format !== 'pprof' && format !== 'v8') {
    return new BadProfileRequest(`format=${format} is unknown: pprof or v8`);
  }
  return { kind, durationMs, format };
}
