import { parse } from 'yaml';
import {
  CONFORMANCE_HOSTS,
  LOCAL_APP,
  type CallExpectation,
  type ConformanceCase,
  type ConformanceHost,
  type ConformanceStep,
  type ConformanceTopic,
  type Count,
  type ExplainExpectation,
  type InstanceAnswer,
  type InstanceSpec,
  type RequestSpec,
  type ServiceInstances,
  type TextMatcher,
} from './cases.js';
import {
  fail,
  optional,
  or,
  readBoolean,
  readCount,
  readDuration,
  readFields,
  readGrpcStatus,
  readList,
  readMap,
  readMapOf,
  readMatcher,
  readNumber,
  readRecordOf,
  readText,
  required,
  type Read,
} from './strict-reader.js';

/**
 * Reads one file of the table.
 * @throws Error naming the place of the first mistake; whatever is not declared is one
 */
export function readTopic(topic: string, text: string): ConformanceTopic {
  const { about, cases } = readFields(parse(text) as unknown, topic, {
    about: required(readText),
    cases: required((value, where) => readList(value, where, readCase)),
    // A place for YAML anchors that cases share.
    shared: optional((value) => value),
  });
  for (const { name } of cases) {
    if (cases.filter((one) => one.name === name).length > 1) fail(topic, `two cases are named '${name}'`);
  }
  return { topic, about, cases };
}

const texts: Read<Readonly<Record<string, string>>> = (value, where) => readRecordOf(value, where, readText);
const matchers: Read<ReadonlyMap<string, TextMatcher>> = (value, where) => readMapOf(value, where, readMatcher);
const NO_MATCHERS: ReadonlyMap<string, TextMatcher> = new Map();
const counts: Read<ReadonlyMap<string, Count>> = (value, where) => readMapOf(value, where, readCount);

function readCase(value: unknown, where: string): ConformanceCase {
  const name = readText(readMap(value, where)['name'], `${where}.name`);
  const read = readFields(value, `${where} '${name}'`, {
    name: required(readText),
    hosts: or(CONFORMANCE_HOSTS, readHosts),
    because: optional(readText),
    files: or({}, texts),
    instances: or({}, readInstances),
    app: or([], readAnswers),
    refused: optional(readMatcher),
    steps: or([], (steps, place) => readList(steps, place, readStep)),
  });
  if (read.hosts.length < CONFORMANCE_HOSTS.length && read.because === undefined) {
    fail(where, `'${name}' does not run everywhere and gives no reason in 'because'`);
  }
  if ((read.steps.length === 0) === (read.refused === undefined)) {
    fail(where, `'${name}' needs either steps or what its configuration is refused with`);
  }
  return read;
}

function readHosts(value: unknown, where: string): readonly ConformanceHost[] {
  return readList(value, where, (host, place) =>
    host === 'in-process' || host === 'sidecar' ? host : fail(place, 'must be in-process or sidecar'),
  );
}

function readInstances(value: unknown, where: string): ServiceInstances {
  return readRecordOf(value, where, (list, place) => readList(list, place, readInstance));
}

function readInstance(value: unknown, where: string): InstanceSpec {
  if (typeof value === 'string') return readInstance({ id: value }, where);
  const instance = readFields(value, where, {
    id: required(readText),
    version: or('1.0.0', readText),
    app: or('default', readText),
    status: or('UP', readText),
    weight: or(1, readNumber),
    metadata: or({}, texts),
    refuses: or(false, readBoolean),
    answers: or([], readAnswers),
  });
  return instance.id === LOCAL_APP ? fail(where, `'${LOCAL_APP}' is the local application`) : instance;
}

function readAnswers(value: unknown, where: string): readonly InstanceAnswer[] {
  return readList(Array.isArray(value) ? value : [value], where, (answer, place) => {
    if (typeof answer === 'number') return readAnswer({ status: answer }, place);
    return readAnswer(answer, place);
  });
}

function readAnswer(value: unknown, where: string): InstanceAnswer {
  const { delay, ...answer } = readFields(value, where, {
    path: optional(readText),
    times: or(Infinity, readNumber),
    status: or(200, readNumber),
    grpcStatus: optional(readGrpcStatus),
    late: or(false, readBoolean),
    delay: or(0, readDuration),
    headers: or({}, texts),
    body: optional(readText),
    reset: or(false, readBoolean),
  });
  return { ...answer, delayMs: delay };
}

const REQUEST_FIELDS = {
  headers: or({}, texts),
  protocol: or('http' as const, (value: unknown, where: string) =>
    value === 'http' || value === 'grpc' ? value : fail(where, 'must be http or grpc'),
  ),
  inbound: or(false, readBoolean),
  from: optional(readText),
};

function readStep(value: unknown, where: string): ConformanceStep {
  const [kind] = ['call', 'explain', 'wait', 'change'].filter((one) => Object.hasOwn(readMap(value, where), one));
  switch (kind) {
    case 'call': {
      const { call, abortAfter, ...step } = readFields(value, where, {
        call: required(readRequestLine),
        ...REQUEST_FIELDS,
        body: or('', readText),
        times: or(1, readNumber),
        parallel: or(false, readBoolean),
        client: optional(readText),
        abortAfter: optional(readDuration),
        expect: required(readCallExpectation),
      });
      return { kind, ...call, ...step, abortAfterMs: abortAfter };
    }
    case 'explain': {
      const { explain, ...step } = readFields(value, where, {
        explain: required(readRequestLine),
        ...REQUEST_FIELDS,
        expect: required(readExplainExpectation),
      });
      return { kind, ...explain, ...step };
    }
    case 'wait':
      return { kind, ms: readFields(value, where, { wait: required(readDuration) }).wait };
    case 'change': {
      const { change } = readFields(value, where, { change: required(readChange) });
      return { kind, ...change };
    }
    default:
      return fail(where, 'must be one of call, explain, wait and change');
  }
}

const readChange: Read<{ files: Record<string, string>; instances: ServiceInstances; refused: boolean }> = (
  value,
  where,
) =>
  readFields(value, where, { files: or({}, texts), instances: or({}, readInstances), refused: or(false, readBoolean) });

function readRequestLine(value: unknown, where: string): Pick<RequestSpec, 'method' | 'url'> {
  const [method, url, ...more] = readText(value, where).split(' ');
  if (method === undefined || url === undefined || more.length > 0) return fail(where, "must be 'METHOD URL'");
  return { method, url };
}

function readCallExpectation(value: unknown, where: string): CallExpectation {
  const { atLeast, within, ...read } = readFields(value, where, {
    status: optional((status, place) => readStatus(status, place, readNumber)),
    grpcStatus: optional((status, place) => readStatus(status, place, readGrpcStatus)),
    code: optional(readMatcher),
    codes: optional(counts),
    by: optional((by, place) => readList(Array.isArray(by) ? by : [by], place, readText)),
    share: optional(counts),
    same: or(false, readBoolean),
    received: optional((received, place) =>
      typeof received === 'object' ? counts(received, place) : readCount(received, place),
    ),
    headers: or(NO_MATCHERS, matchers),
    body: optional(readMatcher),
    sent: or(NO_MATCHERS, matchers),
    path: optional(readMatcher),
    atLeast: optional(readDuration),
    within: optional(readDuration),
  });
  const expectation = { ...read, atLeastMs: atLeast, withinMs: within };
  return Object.keys(readMap(value, where)).length === 0 ? fail(where, 'expects nothing') : expectation;
}

/** @param read one status */
function readStatus(value: unknown, where: string, read: Read<number>): NonNullable<CallExpectation['status']> {
  if (Array.isArray(value)) return readList(value, where, read);
  if (typeof value !== 'object') return read(value, where);
  const byName = [...counts(value, where)];
  return new Map(byName.map(([status, count]) => [read(/^\d+$/.test(status) ? Number(status) : status, where), count]));
}

function readExplainExpectation(value: unknown, where: string): ExplainExpectation {
  return readFields(value, where, {
    sent: optional(readBoolean),
    code: optional(readMatcher),
    steps: or(NO_MATCHERS, matchers),
  });
}
