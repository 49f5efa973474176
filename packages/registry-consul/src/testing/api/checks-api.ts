import { bad } from '../http/agent-error.js';
import { jsonOf, param, type Call, type Handler, type Routes } from '../http/call.js';
import { readCheck } from '../store/read-definition.js';
import { isStatus, type Status } from '../store/records.js';

/** What clients say about the checks that they keep up. */
export const CHECKS_API: Routes = {
  'PUT /v1/agent/check/pass/:id': byClient('passing'),
  'PUT /v1/agent/check/warn/:id': byClient('warning'),
  'PUT /v1/agent/check/fail/:id': byClient('critical'),
  'PUT /v1/agent/check/update/:id': (call) => {
    const { Status: status, Output = '' } = jsonOf(call);
    if (!isStatus(status)) return bad(`Invalid check status: '${String(status ?? '')}'`);
    update(call, status, String(Output));
    return {};
  },
  'PUT /v1/agent/check/register': (call) => {
    const json = jsonOf(call);
    const name = typeof json['Name'] === 'string' ? json['Name'] : '';
    if (name === '') bad('Missing check name');
    const { ServiceID: serviceId = '', ID: id = name } = json;
    const service = call.store.service(String(serviceId));
    if (serviceId !== '' && service === undefined) bad(`ServiceID "${String(serviceId)}" does not exist`);
    call.rights.need('serviceWrite', service?.Service ?? '');
    call.store.addCheck(readCheck(json, String(id), name), service?.ID ?? '');
    return {};
  },
  'PUT /v1/agent/check/deregister/:id': (call) => {
    update(call, undefined, '');
    call.store.removeCheck(param(call, 'id'));
    return {};
  },
};

function byClient(status: Status): Handler {
  return (call) => {
    update(call, status, call.query.get('note') ?? '');
    return {};
  };
}

/** @throws AgentError 403, 404, 500 */
function update({ store, rights, params }: Call, status: Status | undefined, output: string): void {
  const { id = '' } = params;
  const known = store.check(id);
  if (known !== undefined) rights.need('serviceWrite', known.ServiceName);
  if (status !== undefined || known === undefined) store.updateCheck(id, status ?? 'critical', output);
}
