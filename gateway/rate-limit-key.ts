import { isIP, isIPv4 } from 'node:net';
import type { VerifiedCaller } from './auth.js';
import type { LimitName } from './rate-limit-table.js';
import type { Route } from './routes.js';

/**
 * The client's address: the other end of the connection, or what the outermost of our own proxies saw. Whatever the
 * client itself wrote into `X-Forwarded-For` stands further left and does not count.
 *
 * @param trustedProxies how many proxies of ours every request passes before it comes here
 */
export function clientAddress(peer: string | undefined, forwardedFor: string | undefined, trustedProxies: number) {
  const hops = [...(forwardedFor ?? '').split(',').map((hop) => hop.trim()), peer ?? ''];
  const hop = hops.at(-1 - trustedProxies) ?? '';
  return isIP(hop) === 0 ? (peer ?? 'unknown') : hop;
}

/** What an address counts as: one host has all of an IPv6 /64 to itself. */
export function networkOf(address: string): string {
  const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  if (isIPv4(plain) || isIP(plain) === 0) return plain;
  const [left = '', right] = (plain.split('%')[0] ?? '').split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const groups =
    right === undefined ? head : [...head, ...Array(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Which limit a request counts against, and as whom: the user, else the address. An importer has one for all routes. */
export function limitOf(
  route: Route,
  caller: VerifiedCaller | 'anonymous',
  address: string,
): { readonly limit: LimitName; readonly key: string } | undefined {
  if (route.limit === 'none') return undefined;
  if (caller === 'anonymous') return { limit: route.limit ?? 'default', key: networkOf(address) };
  const limit = caller.roles.includes('importer') ? 'importer' : (route.limit ?? 'default');
  return { limit, key: caller.userId };
}
