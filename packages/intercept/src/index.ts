export { INTERCEPT_ERRORS, InterceptError } from './intercept-error.js';
export type { InterceptErrorCode } from './intercept-error.js';
export { contains, formatCidr, parseCidr } from './settings/cidr.js';
export type { Cidr } from './settings/cidr.js';
export type {
  CommandOptions,
  DnsOptions,
  InboundOptions,
  InterceptOptions,
  OutboundOptions,
} from './settings/intercept-options.js';
export type { PortRange, PortSet } from './settings/port-set.js';
export { readSettings } from './settings/read-settings.js';
export type { ReadSettings, SettingSources } from './settings/read-settings.js';
export { planInterception } from './planning/planner.js';
export type { Action, ChainName, Family, Hook, Match, Owner, Plan, RouteStep, Rule, Table } from './planning/plan.js';
export { PLAN_FORMATS, renderPlan } from './planning/render-plan.js';
export type { PlanFormat } from './planning/render-plan.js';
export * from './original-destination/index.js';
export { runCommand } from './applying/command-runner.js';
export type { CommandResult, CommandRunner } from './applying/command-runner.js';
export { aloneInNamespace } from './applying/namespace-lock.js';
export { familiesFor, Interception } from './applying/interception.js';
export type { Applied, FullDrift, InterceptionTools } from './applying/interception.js';
export { verifyInterception } from './verifying/verify.js';
export type { Finding, VerifyTools } from './verifying/verify.js';
