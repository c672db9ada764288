import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFault } from './fault.js';

export interface Reply {
  readonly status: number;
  readonly ok: boolean;
  readonly token: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route come through here
  readonly data: any;
  readonly code: string | undefined;
  /** Seconds that the answer asks to wait before another try. */
  readonly retryAfter: number | undefined;
  /** Whether the same request had been accepted before. */
  readonly replayed: boolean;
  /** Whether a read did not hold the write that it was to hold, where the request allows that. */
  readonly stale: boolean;
}

const mostWaits = 20;
const longestWaitSeconds = 60;
/** Longer than any route takes behind the gateway. */
const longestAnswerMs = 60_000;

function retryAfterOf(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? Math.min(seconds, longestWaitSeconds) : undefined;
}

/** Talks to the gateway as any client does; where it asks for too much at once it waits as long as it is told. */
export class ShopClient {
  constructor(
    readonly gatewayUrl: string,
    readonly accessToken?: string,
  ) {}

  /** @throws CommandFault when the gateway cannot be reached */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    let response = await this.ask(method, path, body, headers);
    for (let waits = 0; response.status === 429 && waits < mostWaits; waits += 1) {
      await response.body?.cancel();
      await sleep((retryAfterOf(response) ?? 1) * 1_000);
      response = await this.ask(method, path, body, headers);
    }
    const envelope = (await response.json().catch(() => ({}))) as { data?: unknown; code?: string };
    const { status, ok, headers: told } = response;
    return {
      status,
      ok,
      token: told.get('x-consistency-token'),
      data: envelope.data,
      code: envelope.code,
      retryAfter: retryAfterOf(response),
      replayed: told.get('idempotent-replayed') === 'true',
      stale: told.get('x-stale') === 'true',
    };
  }

  private async ask(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<Response> {
    try {
      return await fetch(`${this.gatewayUrl}/api/v1${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(this.accessToken === undefined ? {} : { authorization: `Bearer ${this.accessToken}` }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(longestAnswerMs),
      });
    } catch {
      throw new CommandFault(
        `nothing answers at ${this.gatewayUrl}: start the system with npm start, or say --gateway URL.`,
      );
    }
  }

  /** As {@link send}, for what must succeed. @throws CommandFault naming the request and the code of the refusal */
  async must(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply> {
    const reply = await this.send(method, path, body, headers);
    if (reply.ok) return reply;
    throw new CommandFault(`${method} ${path} was answered with ${reply.status} ${reply.code ?? ''}`.trim());
  }

  /** @throws CommandFault */
  async logIn(email: string, password: string): Promise<ShopClient> {
    const { data } = await this.must('POST', '/auth/login', { email, password });
    return new ShopClient(this.gatewayUrl, String(data.access_token));
  }
}
