export { chassisRig } from './chassis-rig.js';
export type { ChassisRig, ChassisRigSettings } from './chassis-rig.js';
export { FakeCall } from './fake-call.js';
export type { FakeCallFacts } from './fake-call.js';
export { FakeTime, SeededRandom, fakePorts, settle } from './fake-ports.js';
export { httpInstance, instanceAt } from './instances.js';
export { LeakCheck } from './leak-check.js';
export type { Holdings } from './leak-check.js';
export { policyContext } from './policy-context.js';
export type { PolicyContextSettings, TestPolicyContext } from './policy-context.js';
export { codeBlocks } from './markdown-blocks.js';
export type { CodeBlock } from './markdown-blocks.js';
export { checkHistograms, findSamples, sampleValue } from './prometheus-samples.js';
export { parsePrometheusText } from './prometheus-text.js';
export type { PrometheusFamily, PrometheusSample } from './prometheus-text.js';
export { RecordingLogger } from './recording-logger.js';
export type { LogLine } from './recording-logger.js';
export { ScriptedDiscovery } from './scripted-discovery.js';
export { ScriptedRegistration, ScriptedRegistrator } from './scripted-registrator.js';
export type { RegistratorBehaviour } from './scripted-registrator.js';
export { makeSelfSigned } from './self-signed.js';
export type { SelfSigned } from './self-signed.js';
export { chassisWithRegistry } from './chassis-with-registry.js';
export type { ChassisFiles } from './chassis-with-registry.js';
export { OpenedRegistry, Snapshots } from './opened-registry.js';
export { SilentApplications } from './silent-applications.js';
export { SnapshotLog, eventually } from './snapshot-log.js';
export { skipBecause } from './skip-because.js';
export type { SkippableContext } from './skip-because.js';
export { TurnMeter } from './turn-meter.js';
export { CODE_FIELD, INSTANCE_FIELD, LOCAL_APP } from './conformance/cases.js';
export type {
  CallStep,
  ChangeStep,
  ConformanceCase,
  ConformanceTopic,
  ExplainStep,
  InstanceAnswer,
  InstanceSpec,
  ObservedAnswer,
  ReceivedRequest,
  ServiceInstances,
} from './conformance/cases.js';
export { checkCalls, checkExplanation } from './conformance/check-step.js';
export { CookieJars } from './conformance/cookie-jars.js';
export { AnswerScript } from './conformance/fake-backends.js';
export { renderConformanceReference } from './conformance/conformance-reference.js';
export { loadConformanceTable } from './conformance/load-table.js';
export { FaultProxy } from './fault-proxy/fault-proxy.js';
export type { FaultCounts, FaultProxyTarget } from './fault-proxy/fault-proxy.js';
export { FAULT_MODES, NO_FAULT } from './fault-proxy/faults.js';
export type { ConnectionFacts, ConnectionFaults, Fault, FaultMode } from './fault-proxy/faults.js';
