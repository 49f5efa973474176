import { formatHostPort, type Direction } from '@mesher/core';
import {
  beginningOf,
  chooseTarget,
  type SeenProtocol,
  type TransparentRoute,
  type TransparentSpec,
} from '@mesher/proxy';
import { Trail, type TrailStep } from './trail.js';

/** A connection that is asked about. */
export interface TransparentQuestion {
  readonly address: string;
  readonly port: number;
  /** What its client speaks; http1 when left out. */
  readonly protocol?: 'http1' | 'http2' | 'tls' | 'tcp' | undefined;
  /** The host that its client names. */
  readonly host?: string | undefined;
}

export interface TransparentExplanation {
  readonly address: string;
  readonly port: number;
  readonly protocol: SeenProtocol;
  readonly host: string;
  readonly direction: Direction | 'unknown';
  /** `loop`: it would be reset. */
  readonly verdict: 'mesh' | 'passed' | 'refused' | 'loop';
  /** The service that decides or is counted, if one is known. */
  readonly service?: string | undefined;
  /** Why, in the order in which it is decided. */
  readonly steps: readonly TrailStep[];
}

/** What decides; the very parts that the listener asks, but for the memory of where connections went. */
export interface TransparentDecider extends Pick<TransparentSpec, 'httpPorts' | 'opaquePorts' | 'isOwnAddress'> {
  /** True for the transparent listener itself. */
  isOwnListener(address: string, port: number): boolean;
  route(
    direction: Direction,
    original: { readonly address: string; readonly port: number },
    why: Trail,
  ): TransparentRoute;
  /** For the first step. */
  readonly whoRuns: string;
}

const BEGINNINGS = {
  opaque: 'transparent.opaquePorts names the port: its connections pass without a look, and the server may speak first',
  http: 'transparent.httpPorts names the port: where requests are served, nothing is dialled before the first of them',
  auto: 'it is dialled at once, whoever speaks first decides, and the first bytes of the client are looked at',
} as const;

/** What would become of a connection, and why. Nothing is dialled, counted or remembered. */
export function explainTransparent(question: TransparentQuestion, decider: TransparentDecider): TransparentExplanation {
  const { address, port, host = '' } = question;
  const why = new Trail();
  const beginning = beginningOf(port, decider);
  const protocol: SeenProtocol = beginning === 'opaque' ? 'opaque' : (question.protocol ?? 'http1');
  const asked = { address, port, protocol, host };
  why.say(
    'rules',
    `whether rules bring it here is not known to the sidecar, which runs as ${decider.whoRuns}: mesher intercept verify tries it`,
  );
  if (decider.isOwnListener(address, port)) {
    why.say(
      'listener',
      'that is the transparent listener itself: passed on, it would come back for ever, so it is reset',
    );
    return { ...asked, direction: 'unknown', verdict: 'loop', steps: why.steps };
  }
  const direction = decider.isOwnAddress(address) ? 'inbound' : 'outbound';
  why.say(
    'direction',
    direction === 'inbound'
      ? `inbound: ${address} is an address of this machine`
      : `outbound: ${address} is no address of this machine`,
  );
  why.say('port', BEGINNINGS[beginning]);
  const route = decider.route(direction, { address, port }, why);
  const target = decide(route, protocol, host, why);
  const { verdict, destination } = target;
  why.say('verdict', verdictText(verdict, formatHostPort({ host: address, port }), destination?.service));
  return { ...asked, direction, verdict, service: destination?.service, steps: why.steps };
}

function decide(
  route: TransparentRoute,
  protocol: SeenProtocol,
  host: string,
  why: Trail,
): Pick<TransparentRoute, 'verdict' | 'destination'> {
  if (protocol !== 'http1' && protocol !== 'http2' && protocol !== 'tls') {
    why.say('protocol', `${protocol}: bytes pass as they are`);
    return route;
  }
  const target = chooseTarget(route, protocol, host.toLowerCase());
  if (target === 'observed') {
    why.say('protocol', `${protocol}: it passes on the connection that is dialled, and its requests are seen`);
    return route;
  }
  if (target !== undefined) {
    why.say(
      'protocol',
      protocol === 'tls'
        ? 'tls: it goes where the name says, and stays encrypted'
        : `${protocol}: its requests are served one by one`,
    );
    return target;
  }
  why.say(
    'protocol',
    protocol === 'tls' ? 'tls: it passes as it is; it is never decrypted' : `${protocol}: bytes pass as they are`,
  );
  return route;
}

function verdictText(verdict: TransparentRoute['verdict'], original: string, service: string | undefined): string {
  if (verdict === 'refused') return 'refused: it is reset';
  const counted = service === undefined ? '' : `, counted for ${service}`;
  if (verdict === 'passed') return `passed: to ${original}${counted}`;
  return `mesh: policies decide${service === undefined ? '' : ` as for a call to ${service}`}; mesher explain GET http://... says what they would`;
}
