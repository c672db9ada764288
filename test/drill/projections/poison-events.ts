import type { DomainEvent } from '../../../domain/core/decider.js';
import { eventCatalog } from '../../../domain/event-catalog.js';
import type { OrderKeys } from '../../../domain/order/order-events.js';
import type { EventLog } from '../../../runtime/event-store/event-log.js';
import { chainStart, encodeEvent, eventHash } from '../../../runtime/event-store/hash-chain.js';
import { idOf, newId } from '../../../runtime/ids.js';

/** A stream of the drill's own, in which events of somebody's order are forged; its chain is whole. */
export interface ForgedStream {
  readonly name: string;
  append(event: DomainEvent): Promise<bigint>;
  /** Appends an event that says it is of a version no build knows. */
  appendNewer(event: DomainEvent): Promise<bigint>;
}

export function forgedStream(eventLog: EventLog, orderId: string): ForgedStream {
  const name = `forged-${newId()}`;
  let revision = -1n;
  let previous = chainStart;
  const put = async (event: DomainEvent, change: (metadata: object) => object): Promise<bigint> => {
    const next = revision + 1n;
    const { type, data, metadata } = encodeEvent(eventCatalog, name, next, previous, event, {
      source_service: 'drill',
      $correlationId: orderId,
      $causationId: orderId,
      occurred_at: new Date().toISOString(),
    });
    const changed = { ...change(metadata) };
    const hash = eventHash(name, next, previous, type, data, changed as typeof metadata);
    const proposed = { id: idOf(hash), type, data, metadata: { ...changed, hash } };
    const { position } = await eventLog.append(name, [proposed], next === 0n ? 'no-stream' : revision);
    revision = next;
    previous = hash;
    return position;
  };
  return {
    name,
    append: (event) => put(event, (metadata) => metadata),
    appendNewer: (event) => put(event, (metadata) => ({ ...metadata, event_version: 99 })),
  };
}

/** Events of an order that the drill may forge: they touch neither stock nor money. */
export function eventsOf(orderId: string, created: Readonly<Record<string, unknown>>) {
  const { order_number, user_id, shop_ids, country, currency, placed_at, channel } = created as unknown as OrderKeys;
  const keys = { order_number, user_id, shop_ids, country, currency, placed_at, channel };
  const parcel = {
    ...{ order_id: orderId, ...keys, shop_id: shop_ids[0], carrier: 'Drill', tracking: null },
    lines: [{ line: 1, quantity: 1 }],
  };
  return {
    shipped: { type: 'order.shipped', data: parcel },
    delivered: { type: 'order.delivered', data: parcel },
    returned: {
      type: 'order.returned',
      data: { order_id: orderId, ...keys, lines: parcel.lines, reason: 'a drill' },
    },
    /** As large as the log takes an event, and all of it is kept in the order's timeline. */
    large: {
      type: 'payment.initiated',
      data: {
        ...{ ...keys, payment_id: newId(), order_id: orderId, amount: 0, attempt: 1, provider: 'x'.repeat(1_000_000) },
        ...{ payment_method: 'drill', provider_key: 'drill', deadline: placed_at },
      },
    },
  } satisfies Record<string, DomainEvent>;
}
