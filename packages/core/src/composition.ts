// tsyringe asks for the Reflect metadata API when it is loaded.
import 'reflect-metadata';
import { container as root, instanceCachingFactory, type DependencyContainer } from 'tsyringe';
import { attemptSchema } from './chain/attempt-options.js';
import { Attempts } from './chain/attempts.js';
import { CallRecorder } from './chain/call-recorder.js';
import { CallerMarks } from './chain/caller-marks.js';
import {
  DEFAULT_CONSUMER_CHAIN,
  DEFAULT_PROVIDER_CHAIN,
  assembleChain,
  type AssembledChain,
} from './chain/handler-names.js';
import { InboundHandler } from './chain/inbound-handler.js';
import { LoopGuard } from './chain/loop-guard.js';
import { OutboundHandler } from './chain/outbound-handler.js';
import { RequestIds } from './chain/request-ids.js';
import type { MeshDocument } from './config/document.js';
import { roundRobin } from './loadbalance/round-robin.js';
import { TOKENS } from './plugin/tokens.js';
import type { Ports } from './ports/ports.js';
import { directorySchema } from './registry/directory-options.js';
import { ServiceDirectory } from './registry/service-directory.js';
import type { Registry } from './registry/contracts.js';
import { CallMetrics } from './telemetry/call-metrics.js';
import type { Logger } from './telemetry/logger.js';

/** Sections of the configuration that belong to parts of core which are put together here. */
export const CHASSIS_SECTIONS = {
  'mesher.directory': directorySchema,
  'mesher.attempts': attemptSchema,
} as const;

/** What a container is filled with from outside. */
export interface Foundations {
  readonly ports: Ports;
  readonly logger: Logger;
  readonly document: MeshDocument;
  readonly registry: Registry;
  /** Distinguishes this process in loop marks. */
  readonly sidecarId: string;
}

/**
 * The composition root: a container of its own for each chassis, so that two may live in one process. Everything is made on
 * first use and once per container. Resolvers and local ports are registered by the chassis, which makes them from plugins.
 */
export function composeContainer(foundations: Foundations): DependencyContainer {
  const { document, sidecarId } = foundations;
  const container = root.createChildContainer();
  container.registerInstance(TOKENS.ports, foundations.ports);
  container.registerInstance(TOKENS.logger, foundations.logger);
  container.registerInstance(TOKENS.document, document);
  container.registerInstance(TOKENS.registry, foundations.registry);
  container.register(TOKENS.directory, {
    useFactory: instanceCachingFactory(
      (c) =>
        new ServiceDirectory(
          c.resolve(TOKENS.registry).discovery,
          c.resolve(TOKENS.ports),
          c.resolve(TOKENS.logger),
          roundRobin,
          document.section('mesher.directory', directorySchema),
        ),
    ),
  });
  container.register(TOKENS.metrics, {
    useFactory: instanceCachingFactory(() => new CallMetrics({ maxServices: document.mesher.metrics.maxServices })),
  });
  container.register(TOKENS.recorder, {
    useFactory: instanceCachingFactory(
      (c) => new CallRecorder(document.mesher.metrics.enable ? c.resolve(TOKENS.metrics) : undefined),
    ),
  });
  container.register(TOKENS.attempts, {
    useFactory: instanceCachingFactory(
      (c) => new Attempts(c.resolve(TOKENS.ports), document.section('mesher.attempts', attemptSchema)),
    ),
  });
  container.register(TOKENS.requestIds, { useFactory: instanceCachingFactory(() => new RequestIds()) });
  container.register(TOKENS.outbound, {
    useFactory: instanceCachingFactory(
      (c) =>
        new OutboundHandler({
          loopGuard: new LoopGuard(sidecarId, 'outbound'),
          resolvers: c.resolve(TOKENS.destinationResolvers),
          directory: c.resolve(TOKENS.directory),
          requestIds: c.resolve(TOKENS.requestIds),
          callerMarks: new CallerMarks(document.service.name),
          policies: consumerChain(c).policies,
          attempts: c.resolve(TOKENS.attempts),
          recorder: c.resolve(TOKENS.recorder),
          clock: c.resolve(TOKENS.ports).clock,
        }),
    ),
  });
  container.register(TOKENS.inbound, {
    useFactory: instanceCachingFactory(
      (c) =>
        new InboundHandler(document.service.name, {
          loopGuard: new LoopGuard(sidecarId, 'inbound'),
          requestIds: c.resolve(TOKENS.requestIds),
          policies: providerChain(c).policies,
          localPorts: c.resolve(TOKENS.localPorts),
          attempts: c.resolve(TOKENS.attempts),
          recorder: c.resolve(TOKENS.recorder),
        }),
    ),
  });
  return container;
}

/** The chain of outbound calls. @throws MeshError MESH_ERR_UNKNOWN_HANDLER */
export function consumerChain(container: DependencyContainer): AssembledChain {
  const names = container.resolve(TOKENS.document).chain('Consumer', 'outgoing');
  return assembleChain('Consumer.outgoing', names ?? DEFAULT_CONSUMER_CHAIN);
}

/** The chain of inbound calls. @throws MeshError MESH_ERR_UNKNOWN_HANDLER */
export function providerChain(container: DependencyContainer): AssembledChain {
  const names = container.resolve(TOKENS.document).chain('Provider', 'incoming');
  return assembleChain('Provider.incoming', names ?? DEFAULT_PROVIDER_CHAIN);
}
