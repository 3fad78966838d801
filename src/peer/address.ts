/** Network addresses: which stay on this machine, and how they are written. */
import { promises as dns, type LookupAddress } from 'node:dns';
import { BlockList, isIPv6 } from 'node:net';

/** All addresses of a host; an address stands for itself. Rejects with Node's errors (`ENOTFOUND`). */
export type Resolve = (host: string) => Promise<LookupAddress[]>;

export const systemResolve: Resolve = (host) => dns.lookup(host, { all: true });

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether what is sent to `address` cannot leave this machine. */
export function isLoopback({ address, family }: LookupAddress): boolean {
  return LOOPBACK.check(address.replace(/%.*$/, ''), family === 6 ? 'ipv6' : 'ipv4');
}

/** `host:port`, with an IPv6 address in brackets and an IPv4 one that came through an IPv6 socket as itself. */
export function authority(host: string | undefined, port: number | undefined): string {
  const plain = (host ?? 'unknown').replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
  return `${isIPv6(plain) ? `[${plain}]` : plain}:${port ?? 0}`;
}
