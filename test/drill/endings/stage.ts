import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderLedger } from '../../../cli/audit/provider-ledger.js';
import type { Reply, ShopClient } from '../../../cli/shop-client.js';
import type { EventLog, StoredEvent } from '../../../runtime/event-store/event-log.js';
import { newId } from '../../../runtime/ids.js';
import { address } from '../../support/catalogue.js';
import { eventually } from '../../support/eventually.js';

export interface Piece {
  readonly product_id: string;
  readonly variant_id: string;
}

/** What the processes can be made to do; where the shop runs in one process there is none. */
export interface Switches {
  /** SIGSTOP: it does nothing, and its connections stay open. */
  pause(process: string): void;
  resume(process: string): void;
  /** `kill -9`; the supervisor starts it again. */
  kill(process: string): Promise<void>;
}

export interface StageOptions {
  readonly customer: ShopClient;
  readonly admin: ShopClient;
  readonly eventLog: EventLog;
  readonly webhookSecret: string;
  readonly readLedger: () => Promise<ProviderLedger>;
  readonly switches: Switches | undefined;
}

const limitMs = 90_000;
const pollMs = 20;

/** A shop in which orders are brought to their end, through the gateway. */
export class Stage {
  private products = 0;
  private readonly flows = new Map<string, StoredEvent[]>();
  private position: bigint | undefined;
  private reading: Promise<void> | undefined;

  private constructor(
    readonly options: StageOptions,
    private readonly shopId: string,
  ) {}

  static async open(options: StageOptions): Promise<Stage> {
    const { data } = await options.admin.must('POST', '/shops', { name: 'Endings', country: 'GB' });
    return new Stage(options, String(data.shop_id));
  }

  /** @param price in pounds @param stock received at once; none when 0 */
  async piece(price: number, stock: number): Promise<Piece> {
    this.products += 1;
    const variants = [{ sku: `END-${this.products}`, price }];
    const body = { shop_id: this.shopId, name: `Piece ${this.products}`, currency: 'GBP', variants };
    const { data } = await this.options.admin.must('POST', '/products', body);
    const piece = { product_id: data.product_id, variant_id: data.variants[0].variant_id };
    if (stock > 0) await this.receive(piece, stock);
    return piece;
  }

  async receive(piece: Piece, quantity: number): Promise<void> {
    await this.options.admin.must('POST', '/inventory/receipts', { lines: [{ ...piece, quantity }] });
  }

  /** Orders one of each. @returns the order's id */
  async order(pieces: readonly Piece[], card: string): Promise<string> {
    const items = pieces.map((piece) => ({ ...piece, quantity: 1 }));
    const body = { items, payment_method: `pm_card_${card}`, shipping_address: address };
    const { data } = await this.options.customer.must('POST', '/orders', body, { 'idempotency-key': newId() });
    return String(data.order_id);
  }

  cancel(orderId: string): Promise<Reply> {
    return this.options.customer.send('POST', `/orders/${orderId}/cancel`, {}, { 'idempotency-key': newId() });
  }

  pay(orderId: string, card: string): Promise<Reply> {
    const body = { payment_method: `pm_card_${card}` };
    return this.options.customer.send('POST', `/orders/${orderId}/payments`, body, { 'idempotency-key': newId() });
  }

  /** What the order, its payment and its fulfilment hold, in log order. */
  async flow(orderId: string): Promise<readonly StoredEvent[]> {
    this.reading ??= this.catchUp().finally(() => {
      this.reading = undefined;
    });
    await this.reading;
    return this.flows.get(orderId) ?? [];
  }

  /** Reads what is new in the log, once for all who wait. */
  private async catchUp(): Promise<void> {
    await sleep(pollMs);
    for await (const event of this.options.eventLog.readAll(this.position)) {
      this.position = event.position;
      const orderId = event.data['order_id'];
      if (typeof orderId !== 'string' || !/^(order|payment|fulfilment)-/.test(event.stream)) continue;
      const flow = this.flows.get(orderId);
      if (flow === undefined) this.flows.set(orderId, [event]);
      else flow.push(event);
    }
  }

  /** Waits until an order's streams hold an event. */
  until(orderId: string, type: string, count = 1): Promise<StoredEvent> {
    return eventually(
      `${type} of order ${orderId}`,
      async () => (await this.flow(orderId)).filter((event) => event.type === type)[count - 1],
      limitMs,
    );
  }

  /** Waits until a piece's stream holds an event, the first or a later one. */
  async untilStock(piece: Piece, type: string, count = 1): Promise<void> {
    const holds = async () => {
      let found = 0;
      for await (const event of this.options.eventLog.readStream(`inventory-${piece.variant_id}`, 0n))
        if (event.type === type) found += 1;
      return found >= count;
    };
    await eventually(`${type} of variant ${piece.variant_id}, number ${count}`, holds, limitMs);
  }

  /** Waits until a moment that an event names has passed. */
  async past(time: unknown, marginMs = 150): Promise<void> {
    const at = Date.parse(String(time)) + marginMs;
    await eventually(`${String(time)} to pass`, () => Date.now() > at, limitMs);
  }

  /**
   * Sends a webhook, signed as the provider does it unless told otherwise.
   *
   * @returns the status of the answer
   */
  async tell(event: object, how: { secret?: string; agedSeconds?: number } = {}): Promise<number> {
    const { secret = this.options.webhookSecret, agedSeconds = 0 } = how;
    const text = JSON.stringify(event);
    const t = Math.floor(Date.now() / 1000) - agedSeconds;
    const v1 = createHmac('sha256', secret).update(`${t}.${text}`).digest('hex');
    const response = await fetch(`${this.options.admin.gatewayUrl}/api/v1/payments/webhooks/stripe`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'stripe-signature': `t=${t},v1=${v1}` },
      body: text,
    });
    await response.arrayBuffer();
    return response.status;
  }

  get switches(): Switches {
    const { switches } = this.options;
    if (switches === undefined) throw new Error('this ending needs processes of its own');
    return switches;
  }
}
