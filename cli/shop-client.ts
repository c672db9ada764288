import { CommandFault } from './fault.js';

export interface Reply {
  readonly status: number;
  readonly ok: boolean;
  readonly token: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route come through here
  readonly data: any;
  readonly code: string | undefined;
}

/** Talks to the gateway as any client does. */
export class ShopClient {
  constructor(
    readonly gatewayUrl: string,
    private readonly accessToken?: string,
  ) {}

  /** @throws CommandFault when the gateway cannot be reached */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    let response: Response;
    try {
      response = await fetch(`${this.gatewayUrl}/api/v1${path}`, {
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
    const envelope = (await response.json().catch(() => ({}))) as { data?: unknown; code?: string };
    const token = response.headers.get('x-consistency-token');
    return { status: response.status, ok: response.ok, token, data: envelope.data, code: envelope.code };
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
