import { definePlugin } from '@mesher/core';
import { GRPC_CHECKER } from './checkers/grpc-checker.js';
import { RestChecker } from './checkers/rest-checker.js';
import { TCP_CHECKER } from './checkers/tcp-checker.js';

/** `protocol: tcp`: healthy is who accepts a connection. */
export const tcpChecker = definePlugin({ kind: 'health-checker', name: 'tcp', create: () => TCP_CHECKER });

/** `protocol: rest`: an HTTP request for `uri`, whose answer is compared with `match`. */
export const restChecker = definePlugin({ kind: 'health-checker', name: 'rest', create: () => new RestChecker() });

/** `protocol: grpc`: the gRPC health checking protocol; `uri` names the service. */
export const grpcChecker = definePlugin({ kind: 'health-checker', name: 'grpc', create: () => GRPC_CHECKER });
