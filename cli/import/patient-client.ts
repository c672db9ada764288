import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFault } from '../fault.js';
import { type Reply, ShopClient } from '../shop-client.js';
import type { Patience } from './patience.js';

/** A request that was answered with a refusal: no repeat would change that. */
export class Refused extends CommandFault {
  constructor(
    readonly code: string,
    what: string,
    status: number,
  ) {
    super(`${what} was refused: ${status} ${code}`);
  }
}

export interface PatientOptions {
  readonly gatewayUrl: string;
  readonly email: string;
  readonly password: string;
  /** From an earlier log-in; a new one only once it no longer serves. */
  readonly token?: string | undefined;
  readonly onToken?: (token: string) => void;
  readonly patience: Patience;
}

/** Answers that another try may turn into others. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Asks the gateway until it has an answer: whoever is down meanwhile is waited for, and every try of a request has the
 * same Idempotency-Key, so that one whose answer was lost is not done twice.
 */
export class PatientClient {
  private client: ShopClient;
  private loggingIn: Promise<ShopClient> | undefined;

  constructor(private readonly options: PatientOptions) {
    this.client = new ShopClient(options.gatewayUrl, options.token);
  }

  /** @throws Refused, CommandFault when patience is over */
  post(path: string, body: unknown, key: string): Promise<Reply> {
    return this.ask('POST', path, body, { 'idempotency-key': key }, key);
  }

  /** @param token of a write that is to be in what is read @throws Refused, CommandFault when patience is over */
  get(path: string, token: bigint): Promise<Reply> {
    return this.ask('GET', path, undefined, { 'x-consistency-token': String(token) });
  }

  /** As {@link get}, answered as it stands where the write is not in it yet: the reply says so. */
  look(path: string, token: bigint): Promise<Reply> {
    const headers = { 'x-consistency-token': String(token), 'x-consistency-wait': '500', 'x-allow-stale': 'true' };
    return this.ask('GET', path, undefined, headers);
  }

  private ask(method: string, path: string, body: unknown, headers: Record<string, string>, about = '') {
    const what = `${method} ${path.split('?')[0]} ${about}`.trim();
    return this.options.patience.until(what, () => this.once(method, path, body, headers, what));
  }

  /** @returns the answer, or what hinders it */
  private async once(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
    what: string,
  ): Promise<{ value: Reply } | string> {
    const { client } = this;
    let reply: Reply;
    try {
      if (client.accessToken === undefined) await this.logIn(client);
      reply = await this.client.send(method, path, body, headers);
    } catch (error) {
      if (error instanceof Refused || !(error instanceof CommandFault)) throw error;
      return error.message;
    }
    // An answer that broke off tells its status and nothing else.
    if (reply.ok && reply.data !== undefined) return { value: reply };
    if (reply.status === 401 && reply.code !== 'credentials-wrong') {
      // The next try logs in, and may have to wait for that as for anything else.
      if (this.client === client) this.client = new ShopClient(this.options.gatewayUrl);
      return 'the log-in has run out';
    }
    const code = reply.code ?? 'no code';
    if (!reply.ok && !passing.has(reply.status)) throw new Refused(code, what, reply.status);
    if (reply.retryAfter !== undefined) await sleep(reply.retryAfter * 1_000);
    return `the gateway answers ${reply.status} ${code}`;
  }

  /** Many requests may find out at once that a token has run out; one of them logs in. */
  private async logIn(before: ShopClient): Promise<void> {
    if (this.client !== before) return;
    const { gatewayUrl, email, password, onToken } = this.options;
    this.loggingIn ??= this.freshClient(gatewayUrl, email, password).finally(() => {
      this.loggingIn = undefined;
    });
    this.client = await this.loggingIn;
    if (this.client.accessToken !== undefined) onToken?.(this.client.accessToken);
  }

  private async freshClient(gatewayUrl: string, email: string, password: string): Promise<ShopClient> {
    const reply = await new ShopClient(gatewayUrl).send('POST', '/auth/login', { email, password });
    if (reply.ok && reply.data !== undefined) return new ShopClient(gatewayUrl, String(reply.data.access_token));
    const code = reply.code ?? 'no code';
    if (reply.ok || passing.has(reply.status))
      throw new CommandFault(`the log-in is answered with ${reply.status} ${code}`);
    throw new Refused(code, 'the log-in', reply.status);
  }
}
