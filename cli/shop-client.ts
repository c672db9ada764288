import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFault } from './fault.js';

export interface Reply {
  readonly status: number;
  readonly ok: boolean;
  readonly token: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route come through here
  readonly data: any;
  readonly code: string | undefined;
}

const mostWaits = 20;
const longestWaitSeconds = 60;

/** Talks to the gateway as any client does; where it asks for too much at once it waits as long as it is told. */
export class ShopClient {
  constructor(
    readonly gatewayUrl: string,
    private readonly accessToken?: string,
  ) {}

  /** @throws CommandFault when the gateway cannot be reached */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    let response = await this.ask(method, path, body, headers);
    for (let waits = 0; response.status === 429 && waits < mostWaits; waits += 1) {
      await response.body?.cancel();
      const seconds = Number(response.headers.get('retry-after') ?? 1);
      await sleep(Math.min(seconds, longestWaitSeconds) * 1_000);
      response = await this.ask(method, path, body, headers);
    }
    const envelope = (await response.json().catch(() => ({}))) as { data?: unknown; code?: string };
    const token = response.headers.get('x-consistency-token');
    return { status: response.status, ok: response.ok, token, data: envelope.data, code: envelope.code };
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
