import { ServiceCenterError } from './service-center-error.js';

/**
 * The base URL of an address as users write it: `http://sc:30100`, `sc:30100`, with a path where there is a gateway; without a slash at
 * the end. Login data in a URL is refused, because addresses are logged.
 * @throws ServiceCenterError SC_SETTING
 */
export function baseOf(address: string): string {
  const text = address.includes('://') ? address : `http://${address}`;
  try {
    const url = new URL(text);
    const isHttp = url.protocol === 'http:' || url.protocol === 'https:';
    if (isHttp && url.username === '' && url.password === '') return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  } catch {
    // Said below.
  }
  const shown = address.replace(/\/\/[^/@]*@/, '//***@');
  throw new ServiceCenterError(
    'SC_SETTING',
    `servicecomb.registry.address: '${shown}' is no address like http://service-center:30100`,
  );
}

/** The same address for a WebSocket. */
export function socketBase(base: string): string {
  return base.replace(/^http/, 'ws');
}
