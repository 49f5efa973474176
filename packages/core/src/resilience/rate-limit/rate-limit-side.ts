import type { Invocation } from '../../invocation.js';
import { grpcMethod, grpcSchema, hasSchema, schemaOf } from './call-operation.js';
import type { KeyedLimits } from './rate-limit-keys.js';
import { OperationPath } from './operation-path.js';
import type { RateLimit } from './rate-limit.js';

/** A limit under a name such as `orders`, `orders.rest` or `orders./v1/items/{id}`. Without a limit it ends the search. */
export interface NamedLimit {
  readonly name: string;
  readonly limit: RateLimit | undefined;
}

/** A limit for calls of a form. */
export interface LimitRule {
  /** Any when undefined, as with the others. */
  readonly service: string | undefined;
  readonly methods: readonly string[] | undefined;
  readonly template: OperationPath | undefined;
  readonly limit: RateLimit | undefined;
}

interface PathLimit {
  /** Empty for any. */
  readonly schema: string;
  readonly template: OperationPath;
  readonly limit: RateLimit | undefined;
}

/** The limits of one service: those for calls to it, or by it. */
interface SubjectLimits {
  rules: readonly LimitRule[];
  /** null: it has none, so the one for everybody counts. */
  own: RateLimit | undefined | null;
  readonly byPath: PathLimit[];
  readonly byOperation: Map<string, RateLimit | undefined>;
}

/** Which limit is for a call. A level that is set to go-chassis's "unlimited" ends the search without a limit. */
export class SideLimits {
  readonly #subjects = new Map<string, SubjectLimits>();
  readonly #anyone: readonly LimitRule[];

  /** @param rules in the order in which they are tried */
  constructor(
    named: readonly NamedLimit[],
    rules: readonly LimitRule[],
    private readonly global: RateLimit | KeyedLimits | undefined,
  ) {
    for (const { name, limit } of named) this.#add(name, limit);
    for (const { service } of rules) if (service !== undefined) this.#subject(service);
    this.#anyone = rules.filter(({ service }) => service === undefined);
    for (const [name, subject] of this.#subjects) {
      subject.rules = rules.filter(({ service }) => service === undefined || service === name);
      subject.byPath.sort((a, b) => OperationPath.compare(a.template, b.template));
    }
  }

  get isEmpty(): boolean {
    return this.#subjects.size === 0 && this.#anyone.length === 0 && this.global === undefined;
  }

  /** @param subject Consumer: the called service; Provider: the calling one, empty when unknown */
  find(call: Invocation, subject: string): RateLimit | KeyedLimits | undefined {
    const found = this.#subjects.get(subject);
    const rules = found?.rules ?? this.#anyone;
    for (const rule of rules) if (applies(rule, call)) return rule.limit;
    if (found === undefined) return this.global;
    if (found.byPath.length > 0 && call.protocol === 'http') {
      for (const { schema, template, limit } of found.byPath) {
        if ((schema === '' || hasSchema(call, schema)) && template.matches(call.path)) return limit;
      }
    }
    if (found.byOperation.size > 0) {
      const operation = operationKey(found.byOperation, call);
      if (operation !== undefined) return found.byOperation.get(operation);
    }
    return found.own === null ? this.global : found.own;
  }

  /**
   * A name says nowhere which of its dots ends the name of the service, so it is filed under each service that it may be for. What
   * follows is a schema, a schema and an operation, or a path.
   */
  #add(name: string, limit: RateLimit | undefined): void {
    const slash = name.indexOf('./');
    const plain = slash < 0 ? name : name.slice(0, slash);
    const template = slash < 0 ? undefined : new OperationPath(name.slice(slash + 1));
    for (let end = plain.length; end > 0; end = plain.lastIndexOf('.', end - 1)) {
      const subject = this.#subject(plain.slice(0, end));
      const rest = plain.slice(end + 1);
      if (template !== undefined) subject.byPath.push({ schema: rest, template, limit });
      else if (rest === '') subject.own = limit;
      else subject.byOperation.set(rest, limit);
    }
  }

  #subject(service: string): SubjectLimits {
    let subject = this.#subjects.get(service);
    if (subject === undefined) {
      subject = { rules: [], own: null, byPath: [], byOperation: new Map() };
      this.#subjects.set(service, subject);
    }
    return subject;
  }
}

function applies({ methods, template }: LimitRule, call: Invocation): boolean {
  if (call.protocol === 'tcp' && (methods !== undefined || template !== undefined)) return false;
  if (methods !== undefined && !methods.includes(call.method)) return false;
  return template === undefined || template.matches(call.path);
}

/** The most specific of the names that a call has: `{schema}.{operation}`, `{schema}`. */
function operationKey(names: ReadonlyMap<string, unknown>, call: Invocation): string | undefined {
  if (call.protocol === 'grpc') {
    const operation = `${grpcSchema(call.path)}.${grpcMethod(call.path)}`;
    if (names.has(operation)) return operation;
  }
  return schemaOf(call, names);
}
