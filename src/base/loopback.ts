/** Which hosts are this machine itself, whatever its network does. */
import { isIPv4 } from 'node:net';

/** Whether the host of a URL, as `URL.hostname` has it, is a loopback address or `localhost`. */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'))
  );
}
