import { s } from '@mesher/core';
export const proxyOptionsSchema = s.object({}, { doc: 'Proxy core.' });
