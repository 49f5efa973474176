import { MeshError } from '@mesher/core';

/** What can go wrong with interception, and what to do about it. */
export const INTERCEPT_ERRORS = {
  INTERCEPT_SETTING: {
    meaning: 'A flag or variable has a value that cannot be used.',
    remedy: 'Every mistake is named together with an example.',
  },
  INTERCEPT_NOT_LINUX: {
    meaning: 'Packet filter rules and original destinations exist on Linux only.',
    remedy: 'Run Mesher as a proxy that is configured (http_proxy) instead.',
  },
  INTERCEPT_NOT_PERMITTED: {
    meaning: 'The process may not change packet filter rules.',
    remedy: 'Run as root, or give the capabilities NET_ADMIN and NET_RAW.',
  },
  INTERCEPT_NO_PROGRAM: {
    meaning: 'A program that is needed is not installed.',
    remedy: 'Install iptables or nftables; TPROXY needs ip of iproute2, too.',
  },
  INTERCEPT_KERNEL: {
    meaning: 'The kernel does not know a kind of rule, or its module is not loaded.',
    remedy: 'Load the module on the host, or leave out the option that needs it.',
  },
  INTERCEPT_HOST_NETWORK: {
    meaning: 'The rules would change the network of the whole machine, not of one pod or container.',
    remedy: 'Run inside the network namespace of the application, or insist with --host-network.',
  },
  INTERCEPT_COMMAND: {
    meaning: 'A command that changes rules has failed; what was changed before has been taken back.',
    remedy: 'The message has the output of the command.',
  },
  INTERCEPT_NOT_HOLDING: {
    meaning: 'The rules are not there, or connections do not go through them.',
    remedy: 'Run mesher intercept apply in the same network namespace; the message names what is missing.',
  },
  INTERCEPT_NO_KOFFI: {
    meaning: 'koffi, the library for the system call that Node lacks, cannot be loaded.',
    remedy: 'npm install koffi, or use TPROXY with a listener inherited from systemd (Transparent=true).',
  },
  INTERCEPT_SOCKET: {
    meaning: 'The kernel refused a socket option.',
    remedy: 'TPROXY needs the capability NET_ADMIN in the sidecar.',
  },
} as const;

export type InterceptErrorCode = keyof typeof INTERCEPT_ERRORS;

/** A failure of interception; the message names the cause, the remedy follows it. */
export class InterceptError extends MeshError {
  declare readonly code: InterceptErrorCode;

  constructor(code: InterceptErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.name = 'InterceptError';
  }

  /** What to do about it. */
  get remedy(): string {
    return INTERCEPT_ERRORS[this.code].remedy;
  }
}
