import { HttpError, notFound } from '../runtime/http/http-error.js';
import type { LimitName } from './rate-limit-table.js';

export type UpstreamName = 'command-api' | 'read-api';
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One row of the table that says what the gateway lets through, to whom and for how long. */
export interface Route {
  readonly method: Method;
  /** Behind {@link routePrefix}; a segment that begins with `:` takes any one value. */
  readonly path: string;
  readonly service: UpstreamName | 'gateway';
  /** `optional`: a caller may have no token, but one that is sent must be good. `none`: tokens are not looked at. */
  readonly auth: 'none' | 'optional' | 'required';
  /** The caller needs one of these. */
  readonly roles?: readonly string[];
  /** Until the upstream's answer begins. */
  readonly timeoutMs: number;
  /** Counted apart from the `default` limit, which holds for all other rows. */
  readonly limit?: LimitName | 'none';
  /** Attempts count against the account and the address they come from together, until one succeeds. */
  readonly attempts?: LimitName;
}

export const routePrefix = '/api/v1';

const read = { service: 'read-api', timeoutMs: 5_000 } as const;
const write = { service: 'command-api', timeoutMs: 10_000 } as const;
const analysts = { auth: 'required', roles: ['admin', 'auditor', 'importer'] } as const;
const stockKeepers = { auth: 'required', roles: ['seller', 'admin', 'importer', 'auditor'] } as const;
const sellers = { auth: 'required', roles: ['seller', 'admin', 'importer'] } as const;

export const routes: readonly Route[] = [
  { method: 'GET', path: '/health', service: 'gateway', auth: 'none', timeoutMs: 5_000, limit: 'none' },

  { method: 'POST', path: '/auth/register', ...write, auth: 'none' },
  { method: 'POST', path: '/auth/login', ...write, auth: 'none', attempts: 'log-in' },
  { method: 'GET', path: '/auth/jwks.json', service: 'command-api', auth: 'none', timeoutMs: 5_000 },
  { method: 'POST', path: '/users', ...write, auth: 'required', roles: ['importer', 'admin'], limit: 'users' },
  { method: 'GET', path: '/users/profile', service: 'command-api', auth: 'required', timeoutMs: 5_000, limit: 'users' },

  { method: 'GET', path: '/products', ...read, auth: 'optional', limit: 'products' },
  { method: 'GET', path: '/products/:id', ...read, auth: 'optional', limit: 'products' },
  { method: 'POST', path: '/products', ...write, ...sellers, limit: 'products' },
  { method: 'POST', path: '/shops', ...write, ...sellers },
  { method: 'POST', path: '/inventory/receipts', ...write, ...sellers },
  { method: 'GET', path: '/inventory', ...read, ...stockKeepers },
  { method: 'GET', path: '/inventory/:variant_id', ...read, ...stockKeepers },
  { method: 'GET', path: '/inventory/:variant_id/reservations', ...read, ...stockKeepers },

  { method: 'POST', path: '/cart/items', ...write, auth: 'required' },
  { method: 'PATCH', path: '/cart/items/:variant_id', ...write, auth: 'required' },
  { method: 'DELETE', path: '/cart/items/:variant_id', ...write, auth: 'required' },

  { method: 'POST', path: '/orders', ...write, auth: 'required' },
  { method: 'GET', path: '/orders', ...read, auth: 'required' },
  { method: 'GET', path: '/orders/:id', ...read, auth: 'required' },
  { method: 'POST', path: '/orders/:id/cancel', ...write, auth: 'required' },
  { method: 'POST', path: '/orders/:id/payments', ...write, auth: 'required', limit: 'payments' },

  { method: 'GET', path: '/notifications', ...read, auth: 'required' },

  { method: 'GET', path: '/analytics/sales', ...read, ...analysts },
  { method: 'GET', path: '/analytics/products', ...read, ...analysts },

  { method: 'POST', path: '/payments/webhooks/stripe', ...write, auth: 'none', timeoutMs: 30_000, limit: 'webhooks' },
];

interface Node {
  readonly literals: Map<string, Node>;
  anyValue?: Node;
  readonly rows: Map<string, Route>;
}

const newNode = (): Node => ({ literals: new Map(), rows: new Map() });

function nodeAt(root: Node, path: string): Node {
  let node = root;
  for (const segment of path.split('/').slice(1)) {
    let next = segment.startsWith(':') ? node.anyValue : node.literals.get(segment);
    if (next === undefined) {
      next = newNode();
      if (segment.startsWith(':')) node.anyValue = next;
      else node.literals.set(segment, next);
    }
    node = next;
  }
  return node;
}

/** A literal row wins over one that takes any value, segment by segment. */
function find(node: Node, segments: readonly string[], at: number): Node | undefined {
  const segment = segments[at];
  if (segment === undefined) return node.rows.size === 0 ? undefined : node;
  const literal = node.literals.get(segment);
  const found = literal === undefined ? undefined : find(literal, segments, at + 1);
  if (found !== undefined || segment === '' || node.anyValue === undefined) return found;
  return find(node.anyValue, segments, at + 1);
}

/**
 * Compiles the table. Paths are compared exactly, letter case and trailing slash included; HEAD is answered as GET.
 *
 * @returns the row for a method and a path (the whole path, prefix included)
 * @throws Error when two rows share method and path
 */
export function compileRoutes(table: readonly Route[]): (method: string, path: string) => Route {
  const root = newNode();
  for (const row of table) {
    const { rows } = nodeAt(root, row.path);
    if (rows.has(row.method)) throw new Error(`${row.method} ${row.path} is in the route table twice`);
    rows.set(row.method, row);
  }
  return (method, path) => {
    const inside = path.startsWith(`${routePrefix}/`);
    const node = inside ? find(root, path.slice(routePrefix.length).split('/').slice(1), 0) : undefined;
    if (node === undefined) throw notFound('route');
    const row = node.rows.get(method === 'HEAD' ? 'GET' : method);
    if (row !== undefined) return row;
    const allowed = [...node.rows.keys()].flatMap((known) => (known === 'GET' ? ['GET', 'HEAD'] : [known]));
    throw new HttpError(405, 'method-not-allowed', 'This route does not take that method.', undefined, {
      Allow: allowed.join(', '),
    });
  };
}
