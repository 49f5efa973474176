/** Where a configuration value comes from. Lines and columns count from 1. */
export type Origin =
  | { readonly layer: 'file'; readonly file: string; readonly line: number; readonly column: number }
  /** `name` is the environment variable. */
  | { readonly layer: 'environment'; readonly name: string }
  /** `name` is the dotted key that was set on the command line. */
  | { readonly layer: 'command-line'; readonly name: string }
  /** `name` is the config source, `key` the dotted key as it is written there. */
  | { readonly layer: 'source'; readonly name: string; readonly key: string }
  | { readonly layer: 'default' };

/** A mistake that stops the start: the value cannot be used. */
export interface Problem {
  readonly origin: Origin;
  /** The dotted key, in its present spelling; empty where the mistake concerns a whole file. */
  readonly path: string;
  /** What is wrong and what to write instead. */
  readonly message: string;
}

export type NoticeKind =
  /** Nobody knows the key: most often a spelling mistake. */
  | 'unknown-key'
  /** An old spelling that still works. */
  | 'renamed-key'
  /** The same key is set more than once; one value was not used. */
  | 'overruled'
  /** A key that other programs read and that has no meaning here. */
  | 'obsolete'
  /** A section that is checked but that this version does not act on. */
  | 'not-yet'
  /** Anything else worth a look. */
  | 'hint';

/** Something the user should know that does not stop the start. */
export interface Notice extends Problem {
  readonly kind: NoticeKind;
}

/**
 * `conf/chassis.yaml:3:7`, `environment variable ENVIRONMENT`, `command line servicecomb.service.name`, `kie: cse.isolation.timeout`
 * or `default`.
 */
export function formatOrigin(origin: Origin): string {
  switch (origin.layer) {
    case 'file':
      return `${origin.file}:${origin.line}:${origin.column}`;
    case 'environment':
      return `environment variable ${origin.name}`;
    case 'command-line':
      return `command line ${origin.name}`;
    case 'source':
      return `${origin.name}: ${origin.key}`;
    case 'default':
      return 'default';
  }
}

/** One line per problem or notice, `file:line:column  path  message`, in the order of files and lines. */
export function formatProblems(problems: readonly Problem[]): string {
  return sortProblems(problems)
    .map(({ origin, path, message }) =>
      [origin.layer === 'default' ? '' : formatOrigin(origin), path, message].filter((part) => part !== '').join('  '),
    )
    .join('\n');
}

/** By file, line and column; what has no file comes last. The order is stable. */
export function sortProblems<P extends Problem>(problems: readonly P[]): P[] {
  return [...problems].sort((a, b) => {
    const left = a.origin;
    const right = b.origin;
    if (left.layer !== 'file' || right.layer !== 'file') {
      return Number(left.layer !== 'file') - Number(right.layer !== 'file');
    }
    if (left.file !== right.file) {
      return left.file < right.file ? -1 : 1;
    }
    return left.line - right.line || left.column - right.column;
  });
}
