import { DomainError } from '../../domain/core/domain-error.js';
import type { OrderEvent } from '../../domain/order/order-events.js';
import { orderAggregate } from '../aggregates.js';
import { emailHmacOf } from '../auth/email.js';
import type { CommandDeps } from '../deps.js';
import type { Accepted, CommandContext } from '../handle-command.js';
import type { Priced } from '../products/pricing.js';
import { createOrderNumbers } from './order-numbers.js';

type OrderCreated = Extract<OrderEvent, { type: 'order.created' }>;

/** An order on its way to its first event. */
export interface OrderDraft {
  readonly orderId: string;
  /** null for a guest, whose personal data are the order's own */
  readonly userId: string | null;
  readonly channel: OrderCreated['data']['channel'];
  readonly placedAt: Date;
  readonly externalReference: string | null;
  readonly cartId: string | null;
  readonly paymentMethod: string;
  readonly email: string | undefined;
  readonly address: { readonly country: string } & { readonly [field in AddressField]?: string | undefined };
  /** What is ordered and what it costs; asked for only where the order is not there yet. */
  price(): Promise<Priced>;
}

type AddressField = 'name' | 'address_line1' | 'address_line2' | 'city' | 'state' | 'postal_code';

/** What an order began with, and where the log stood then. */
export interface Placed {
  readonly created: OrderCreated['data'];
  readonly accepted: Accepted;
}

/**
 * Places orders: what was accepted once is answered as it was then, whatever has become of products and prices since.
 *
 * @returns throws DomainError what pricing refuses, `order-already-exists`, `idempotency-key-reused`; PersonalDataError
 */
export function orderPlacer({ commands, personalData, hmacSecret, clock }: CommandDeps) {
  const nextNumber = createOrderNumbers(commands);

  const place = async (draft: OrderDraft, context: CommandContext): Promise<Accepted<OrderEvent>> => {
    const { orderId, userId, email, placedAt } = draft;
    // An import is sent again as a whole: what is there already must not draw a number, which would be an event.
    const cachedOnly = draft.channel !== 'import';
    const before = await commands.answered(orderAggregate, orderId, context, cachedOnly);
    if (before !== undefined) return before;
    const { items, currency, shopIds, total } = await draft.price();
    const { country, ...address } = draft.address;
    const subject = userId === null ? `order:${orderId}` : `user:${userId}`;
    const personal = await personalData.seal(subject, { ...address, email });
    const now = clock();
    const data = {
      order_id: orderId,
      order_number: await nextNumber(placedAt.getUTCFullYear(), now),
      user_id: userId,
      shop_ids: shopIds,
      country,
      currency,
      placed_at: placedAt.toISOString(),
      channel: draft.channel,
      cart_id: draft.cartId,
      payment_method: draft.paymentMethod,
      email_hmac: email === undefined ? null : emailHmacOf(hmacSecret, email),
      external_reference: draft.externalReference,
      items,
      item_total: total,
      discount: 0,
      shipping: 0,
      tax: 0,
      total,
      ...(Object.keys(personal.fields).length === 0 ? {} : { personal }),
    };
    const command = { type: 'PlaceOrder' as const, data, metadata: { now: now.toISOString() } };
    return commands.handle(orderAggregate, orderId, command, { ...context, correlationId: orderId, creates: true });
  };

  return async (draft: OrderDraft, context: CommandContext): Promise<Placed> => {
    const { orderId } = draft;
    const accepted = await place(draft, context).catch(async (error: unknown) => {
      const before =
        error instanceof DomainError ? await commands.answered(orderAggregate, orderId, context) : undefined;
      if (before === undefined) throw error;
      return before;
    });
    const [created] = accepted.events;
    if (created?.type !== 'order.created') throw new Error(`order ${orderId} was accepted without being created`);
    return { created: created.data, accepted };
  };
}
