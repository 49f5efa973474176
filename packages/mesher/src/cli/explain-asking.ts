import { MeshError, type CallExplanation, type ExplainRequest } from '@mesher/core';
import { askAdmin, unanswered } from './ask-admin.js';

/**
 * Asks the admin API of a running sidecar.
 * @param admin its address, `host:port`
 * @throws MeshError saying what to do when nobody answers, or what is wrong with the question
 */
export async function askSidecar(request: ExplainRequest, admin: string): Promise<CallExplanation> {
  const { status, value } = await askAdmin({
    admin,
    path: '/v1/mesher/explain',
    body: JSON.stringify(request),
    otherwise: 'Without a sidecar: mesher explain --config DIR --instances FILE METHOD URL',
  });
  if (status === 200 && isExplanation(value)) return value;
  if (status === 404 || value === undefined) {
    throw unanswered(
      `${admin} answers, but it is no admin port of a sidecar that can explain calls (status ${status})`,
    );
  }
  const { message = '' } = value as { message?: string };
  throw status === 400
    ? new MeshError('MESH_ERR_EXPLAIN_REQUEST', message)
    : unanswered(`the sidecar at ${admin} refused the question with status ${status}: ${message}`);
}

function isExplanation(value: object | undefined): value is CallExplanation {
  return value !== undefined && 'steps' in value && 'sent' in value;
}
