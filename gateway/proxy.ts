import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Dispatcher, Pool } from 'undici';
import { HttpError } from '../runtime/http/http-error.js';
import type { Logger } from '../runtime/logger.js';
import { responseHeaders } from './forwarded-headers.js';

export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly method: string;
  /** Path and query as the service knows them. */
  readonly path: string;
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer | undefined;
  /** Until the answer begins. */
  readonly timeoutMs: number;
}

export interface Upstream {
  readonly name: string;
  readonly pool: Pool;
  /** Exchanges that have begun and not ended, those that wait for a connection included. */
  underWay: number;
}

const maxUnderWay = 5_000;

const badGateway = () => new HttpError(502, 'bad-gateway', 'A service behind the gateway does not answer.');
const tooSlow = () => new HttpError(504, 'gateway-timeout', 'A service behind the gateway took too long.');
const overloaded = () =>
  new HttpError(503, 'overloaded', 'Too much is asked at the moment. Try again.', undefined, { 'Retry-After': '1' });

/** Enough to tell a refused connection from a broken one; a stack of each would drown the log in an outage. */
function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

export function openUpstream(name: string, url: string, connections = 128): Upstream {
  const pool = new Pool(new URL(url).origin, {
    connections,
    pipelining: 1,
    connect: { timeout: 2_000 },
    // The exchange has a time limit of its own; between two pieces of an answer this one counts.
    headersTimeout: 0,
    bodyTimeout: 30_000,
    keepAliveTimeout: 4_000,
  });
  return { name, pool, underWay: 0 };
}

/**
 * Asks the upstream and streams its answer to the client. A client that leaves ends a read; a write goes on, because
 * what it does is done either way.
 *
 * @throws HttpError 502 `bad-gateway`, 504 `gateway-timeout`, as long as no answer has begun; 503 `overloaded`
 */
export function exchange(upstream: Upstream, log: Logger, asked: Exchange): Promise<void> {
  const { res, method, path, headers, body, timeoutMs } = asked;
  const isRead = method === 'GET' || method === 'HEAD';
  if (upstream.underWay >= maxUnderWay) return Promise.reject(overloaded());
  upstream.underWay += 1;
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let over = false;

    const finish = (error?: HttpError) => {
      if (over) return;
      over = true;
      upstream.underWay -= 1;
      clearTimeout(timer);
      res.off('close', onClientClose);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onClientClose = () => {
      if (!isRead) return;
      finish();
      controller?.abort(new Error('the client left'));
    };
    const timer = setTimeout(() => {
      finish(tooSlow());
      controller?.abort(new Error('out of time'));
    }, timeoutMs);
    res.once('close', onClientClose);

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started;
        // Over while it waited for a connection: nothing has been sent yet, and nothing shall be.
        if (over) started.abort(new Error('nobody waits any more'));
      },
      onResponseStart(_controller, status, received) {
        if (over || status < 200) return;
        clearTimeout(timer);
        if (!res.destroyed) res.writeHead(status, responseHeaders(received));
      },
      onResponseData(using, chunk) {
        if (over || res.destroyed || res.write(chunk)) return;
        using.pause();
        const resume = () => {
          res.off('drain', resume).off('close', resume);
          using.resume();
        };
        res.on('drain', resume).on('close', resume);
      },
      onResponseEnd() {
        if (over) return;
        if (!res.destroyed) res.end();
        finish();
      },
      onResponseError(_controller, err) {
        if (over) return;
        log.warn('upstream failed', { upstream: upstream.name, because: codeOf(err) });
        if (res.headersSent) {
          res.destroy();
          finish();
          return;
        }
        finish(badGateway());
      },
    };
    try {
      upstream.pool.dispatch({ method: method as Dispatcher.HttpMethod, path, headers, body: body ?? null }, handler);
    } catch (err) {
      log.warn('request could not be built', { upstream: upstream.name, err });
      finish(badGateway());
    }
  });
}
