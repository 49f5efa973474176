// tsyringe asks for the Reflect metadata API when it is loaded.
import 'reflect-metadata';
import { container as root, instanceCachingFactory, type DependencyContainer } from 'tsyringe';
import { AttemptLedger } from '../chain/attempt-ledger.js';
import { Attempts } from '../chain/attempts.js';
import { CallRecorder } from '../chain/call-recorder.js';
import { CallerMarks } from '../chain/caller-marks.js';
import { DEFAULT_CONSUMER_CHAIN, DEFAULT_PROVIDER_CHAIN, assembleChain } from '../chain/handler-names.js';
import { InboundHandler } from '../chain/inbound-handler.js';
import { LocalPorts } from '../chain/local-ports.js';
import { LoopGuard } from '../chain/loop-guard.js';
import { loopSchema } from '../chain/loop-options.js';
import { OutboundHandler } from '../chain/outbound-handler.js';
import { RequestIds } from '../chain/request-ids.js';
import type { LiveConfiguration } from '../config/live/live-configuration.js';
import type { MeshDocument } from '../config/document.js';
import type { ServicePort } from '../config/service-ports.js';
import { Explainer } from '../explain/explainer.js';
import { LocalGate } from '../health/local-gate.js';
import type { CallProtocol, Direction } from '../invocation.js';
import { BalanceReports } from '../loadbalance/balance-reports.js';
import { LiveBalancing } from '../loadbalance/balancing.js';
import type { PolicyContext } from '../chain/policy.js';
import type { InstalledPlugins } from '../plugin/installed-plugins.js';
import { TOKENS, type Token } from '../plugin/tokens.js';
import type { Ports } from '../ports/ports.js';
import type { ServiceDiscovery } from '../registry/contracts.js';
import { countEndpoints } from '../registry/endpoint-metrics.js';
import { directorySchema } from '../registry/directory-options.js';
import type { Endpoint } from '../registry/endpoint.js';
import { egressOptionsSchema } from '../routing/egress/egress-options.js';
import { EgressPlans } from '../routing/egress/egress-plans.js';
import type { HostLookup } from '../routing/egress/lookup-queue.js';
import { Egress } from '../routing/egress/egress.js';
import { lookupHost, machineAddresses } from '../routing/egress/system-lookup.js';
import { ServiceDirectory } from '../registry/service-directory.js';
import { CallDeadlines } from '../resilience/timeout/call-deadlines.js';
import { executorSettings } from '../resilience/timeout/executor-settings.js';
import { RetryPlanner } from '../resilience/retry/retry-planner.js';
import { RetryReport } from '../resilience/retry/retry-report.js';
import type { DestinationResolver, SourceResolver } from '../resolver/contracts.js';
import { CallMetrics } from '../telemetry/call-metrics.js';
import type { Logger } from '../telemetry/logger.js';
import { MeshEvents } from '../telemetry/mesh-events.js';
import { PolicyMetrics } from '../telemetry/policy-metrics.js';
import { IgnoredPaths } from '../telemetry/tracing/ignored-paths.js';
import { Tracing } from '../telemetry/tracing/tracing.js';

/** What a container is filled with from outside. */
export interface Foundations {
  readonly ports: Ports;
  readonly logger: Logger;
  readonly configuration: LiveConfiguration;
  readonly discovery: ServiceDiscovery;
  readonly destinationResolvers: Readonly<Record<CallProtocol, DestinationResolver>>;
  readonly sourceResolvers: readonly SourceResolver[];
  readonly plugins: InstalledPlugins;
  /** Ports of the local application. */
  readonly servicePorts: readonly ServicePort[];
  readonly isOwnPort: (port: number) => boolean;
  /** How hosts outside the mesh are found; the system's way when left out. */
  readonly lookup?: HostLookup;
  /** Distinguishes this process in loop marks. */
  readonly sidecarId: string;
}

/**
 * The composition root: a container of its own for each chassis, so that two may live in one process. Everything is made on
 * first use and once per container.
 */
export function composeContainer(foundations: Foundations): DependencyContainer {
  const container = root.createChildContainer();
  const once = <T>(token: Token<T>, make: (c: DependencyContainer) => T): void => {
    container.register(token, { useFactory: instanceCachingFactory(make) });
  };
  const { configuration, logger } = foundations;
  const { document } = configuration;
  container.registerInstance(TOKENS.ports, foundations.ports);
  container.registerInstance(TOKENS.logger, logger);
  container.registerInstance(TOKENS.configuration, configuration);
  container.registerInstance(TOKENS.plugins, foundations.plugins);
  container.registerInstance(TOKENS.discovery, foundations.discovery);
  container.registerInstance(TOKENS.destinationResolvers, foundations.destinationResolvers);
  container.registerInstance(TOKENS.sourceResolvers, foundations.sourceResolvers);

  once(TOKENS.directory, (c) => {
    const options = document.section('mesher.directory', directorySchema);
    const balancing = c.resolve(TOKENS.balancing);
    const directory = new ServiceDirectory(
      c.resolve(TOKENS.discovery),
      c.resolve(TOKENS.ports),
      logger,
      balancing,
      options,
    );
    countEndpoints(c.resolve(TOKENS.policyMetrics), () => directory.plans);
    return directory;
  });
  once(TOKENS.balancing, (c) => {
    const ejections = c.resolve(TOKENS.policyMetrics).counter('outlierEjections');
    const reports = new BalanceReports(c.resolve(TOKENS.events), ejections);
    const { plugins, ports } = foundations;
    return new LiveBalancing({ ports, configuration, plugins, reports });
  });
  once(TOKENS.metrics, () => {
    const metrics = new CallMetrics({ maxServices: document.mesher.metrics.maxServices });
    const ignore = ({ tracing }: MeshDocument): void =>
      metrics.responses.ignore(new IgnoredPaths(tracing.ignoredPaths));
    ignore(document);
    configuration.onChange(ignore);
    return metrics;
  });
  once(
    TOKENS.recorder,
    (c) => new CallRecorder(document.mesher.metrics.enable ? c.resolve(TOKENS.metrics) : undefined),
  );
  once(TOKENS.attempts, (c) => new Attempts(c.resolve(TOKENS.ports)));
  once(TOKENS.retries, (c) => {
    const report = new RetryReport(c.resolve(TOKENS.policyMetrics), c.resolve(TOKENS.events));
    const retries = new RetryPlanner(c.resolve(TOKENS.ports), executorSettings(document), report);
    configuration.onChange((next) => retries.configure(executorSettings(next)));
    const directory = c.resolve(TOKENS.directory);
    report.follow(() => retries.budgets(directory.plans));
    return retries;
  });
  once(TOKENS.deadlines, (c) => {
    const { clock } = c.resolve(TOKENS.ports);
    const deadlines = new CallDeadlines(clock, document.service.name, executorSettings(document));
    configuration.onChange((next) => deadlines.configure(executorSettings(next)));
    return deadlines;
  });
  once(TOKENS.events, (c) => new MeshEvents(c.resolve(TOKENS.ports).clock));
  once(TOKENS.policyMetrics, (c) => {
    const metrics = new PolicyMetrics();
    const events = c.resolve(TOKENS.events);
    metrics.gauge('events', (report) => events.counts.forEach((count, kind) => report([kind], count)));
    return metrics;
  });
  once(TOKENS.egress, (c) => {
    const directory = c.resolve(TOKENS.directory);
    const surroundings = {
      ports: c.resolve(TOKENS.ports),
      balancing: c.resolve(TOKENS.balancing),
      lookup: foundations.lookup ?? lookupHost,
      retire: (endpoint: Endpoint) => directory.retired(endpoint),
      isOwnPort: foundations.isOwnPort,
      ownAddresses: machineAddresses,
    };
    const plans = new EgressPlans(surroundings, document.section('mesher.egress', egressOptionsSchema));
    return new Egress(configuration, plans, c.resolve(TOKENS.policyMetrics));
  });
  once(TOKENS.tracing, (c) => {
    const ports = c.resolve(TOKENS.ports);
    return new Tracing({
      ports,
      logger,
      configuration,
      plugins: foundations.plugins,
      metrics: c.resolve(TOKENS.policyMetrics),
    });
  });
  once(TOKENS.requestIds, () => {
    const ids = new RequestIds(document.mesher.requestId);
    configuration.onChange((next) => ids.configure(next.mesher.requestId));
    return ids;
  });
  once(TOKENS.localGate, () => new LocalGate());
  once(TOKENS.localPorts, () => new LocalPorts(foundations.servicePorts, foundations.isOwnPort));
  once(TOKENS.consumerChain, (c) => {
    const names = document.chain('Consumer', 'outgoing') ?? DEFAULT_CONSUMER_CHAIN;
    return assembleChain('Consumer.outgoing', names, policyContext(c, 'outbound'));
  });
  once(TOKENS.providerChain, (c) => {
    const names = document.chain('Provider', 'incoming') ?? DEFAULT_PROVIDER_CHAIN;
    return assembleChain('Provider.incoming', names, policyContext(c, 'inbound'));
  });
  composeHandlers(foundations, once);
  composeExplainer(foundations, once);
  return container;
}

function policyContext(c: DependencyContainer, direction: Direction): PolicyContext {
  return {
    direction,
    ports: c.resolve(TOKENS.ports),
    logger: c.resolve(TOKENS.logger),
    configuration: c.resolve(TOKENS.configuration),
    events: c.resolve(TOKENS.events),
    metrics: c.resolve(TOKENS.policyMetrics),
    plugins: c.resolve(TOKENS.plugins),
    plans: c.resolve(TOKENS.directory),
    tracing: c.resolve(TOKENS.tracing),
  };
}

function composeHandlers(
  { configuration: { document }, sidecarId }: Foundations,
  once: <T>(token: Token<T>, make: (c: DependencyContainer) => T) => void,
): void {
  once(
    TOKENS.outbound,
    (c) =>
      new OutboundHandler({
        requestIds: c.resolve(TOKENS.requestIds),
        loopGuard: new LoopGuard(sidecarId, 'outbound', document.section('mesher.loopGuard', loopSchema)),
        resolvers: c.resolve(TOKENS.destinationResolvers),
        directory: c.resolve(TOKENS.directory),
        egress: c.resolve(TOKENS.egress),
        callerMarks: new CallerMarks(document.service.name),
        policies: c.resolve(TOKENS.consumerChain).policies,
        deadlines: c.resolve(TOKENS.deadlines),
        retries: c.resolve(TOKENS.retries),
        ledger: new AttemptLedger(c.resolve(TOKENS.ports).clock, c.resolve(TOKENS.consumerChain).policies),
        attempts: c.resolve(TOKENS.attempts),
        recorder: c.resolve(TOKENS.recorder),
      }),
  );
  once(
    TOKENS.inbound,
    (c) =>
      new InboundHandler(document.service.name, {
        requestIds: c.resolve(TOKENS.requestIds),
        loopGuard: new LoopGuard(sidecarId, 'inbound', document.section('mesher.loopGuard', loopSchema)),
        policies: c.resolve(TOKENS.providerChain).policies,
        localGate: c.resolve(TOKENS.localGate),
        localPorts: c.resolve(TOKENS.localPorts),
        deadlines: c.resolve(TOKENS.deadlines),
        attempts: c.resolve(TOKENS.attempts),
        recorder: c.resolve(TOKENS.recorder),
      }),
  );
}

function composeExplainer(
  { configuration: { document }, sidecarId }: Foundations,
  once: <T>(token: Token<T>, make: (c: DependencyContainer) => T) => void,
): void {
  const loopGuard = (direction: Direction): LoopGuard =>
    new LoopGuard(sidecarId, direction, document.section('mesher.loopGuard', loopSchema));
  once(
    TOKENS.explainer,
    (c) =>
      new Explainer({
        clock: c.resolve(TOKENS.ports).clock,
        service: document.service.name,
        sources: c.resolve(TOKENS.sourceResolvers),
        loopGuards: { outbound: loopGuard('outbound'), inbound: loopGuard('inbound') },
        resolvers: c.resolve(TOKENS.destinationResolvers),
        resolverNames: document.plugin.destinationResolver,
        directory: c.resolve(TOKENS.directory),
        egress: c.resolve(TOKENS.egress),
        callerMarks: new CallerMarks(document.service.name),
        chains: { outbound: c.resolve(TOKENS.consumerChain), inbound: c.resolve(TOKENS.providerChain) },
        localGate: c.resolve(TOKENS.localGate),
        localPorts: c.resolve(TOKENS.localPorts),
        explainAttempts: (call, into) => {
          if (call.plan === undefined) return;
          const retries = c.resolve(TOKENS.retries);
          c.resolve(TOKENS.deadlines).explain(call, retries.of(call.plan), into);
          if (!into.stopped) retries.explain(call, into);
        },
      }),
  );
}
