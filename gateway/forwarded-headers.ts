import type { IncomingHttpHeaders } from 'node:http';
import type { VerifiedCaller } from './auth.js';

/** Headers that speak of one connection, not of the request; undici frames the next one itself. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What the gateway says itself, or keeps to itself. */
const replaced = new Set([
  'authorization',
  'content-length',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'via',
  'x-real-ip',
  'x-request-id',
  'x-original-url',
  'x-rewrite-url',
]);

const ownNames = /^x-(?:user|internal|gateway|source|forwarded)(?:-|$)/;

/** Names that a `Connection` header adds to the hop-by-hop ones. */
function namedByConnection(connection: string | string[] | undefined): ReadonlySet<string> {
  if (connection === undefined) return hopByHop;
  const names = String(connection).toLowerCase().split(',');
  return new Set([...hopByHop, ...names.map((name) => name.trim())]);
}

export interface Forwarding {
  readonly requestId: string;
  readonly service: string;
  readonly caller: VerifiedCaller | 'anonymous';
  readonly internalToken: string;
  /** The address at the other end of the client's connection; what the client says about itself does not count. */
  readonly peer: string;
}

/** An address may hold letters that a header cannot; such a one is percent-encoded as a whole. */
function asHeader(text: string): string {
  return /^[\x21-\x7e]+$/.test(text) ? text : encodeURIComponent(text);
}

/** The request headers a service gets: the client's own without those above, and what the gateway vouches for. */
export function requestHeaders(sent: IncomingHttpHeaders, forwarding: Forwarding): Record<string, string | string[]> {
  const dropped = namedByConnection(sent.connection);
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(sent)) {
    if (value === undefined || dropped.has(name) || replaced.has(name)) continue;
    // Some frameworks read x_user_id as x-user-id.
    if (ownNames.test(name.includes('_') ? name.replaceAll('_', '-') : name)) continue;
    headers[name] = value;
  }
  const { caller } = forwarding;
  if (caller !== 'anonymous') {
    headers['x-user-id'] = caller.userId;
    headers['x-user-roles'] = caller.roles.join(',');
    if (caller.email !== undefined) headers['x-user-email'] = asHeader(caller.email);
  }
  headers['x-request-id'] = forwarding.requestId;
  headers['x-gateway-service'] = forwarding.service;
  headers['x-source-service'] = 'gateway';
  headers['x-forwarded-for'] = forwarding.peer;
  headers['x-internal-token'] = forwarding.internalToken;
  return headers;
}

/** The answer's headers a client gets. `X-Request-ID` is set already. */
export function responseHeaders(sent: IncomingHttpHeaders): Record<string, string | string[]> {
  const dropped = namedByConnection(sent.connection);
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(sent)) {
    if (value === undefined || dropped.has(name)) continue;
    if (name === 'x-request-id' || name === 'x-powered-by' || name === 'server' || name.startsWith('x-internal-'))
      continue;
    headers[name] = value;
  }
  return headers;
}
