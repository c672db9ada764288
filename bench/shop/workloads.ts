import { randomUUID } from 'node:crypto';
import { decideGroup } from '../../command-api/decide-group.js';
import { StreamState } from '../../command-api/stream-state.js';
import { eventCatalog } from '../../domain/event-catalog.js';
import type { ExpectedRevision, ProposedEvent } from '../../runtime/event-store/event-log.js';
import { type Asking, type Goods, placeOrder, receiveStock, reserveStock } from './asking.js';

export const service = 'bench';

/** Commands of one lane, to streams that no other lane writes. */
export interface Workload {
  readonly name: string;
  /** As many commands as this go to a stream, then comes a new one: streams of a shop are short. */
  readonly perStream: number;
  /** A lane's next command at each call. */
  lane(): () => Asking;
}

const shop_id = '4f1d2c88-7a35-4b0e-9c61-0d8e5b7f2a14';
const userId = 'b7e6c1d4-0f92-4a3b-8d57-2c9a1e4f6083';

export function goodsOf(variantId: string = randomUUID()): Goods {
  const named = { sku: 'LAN-0042-SM', name: 'Enamel Lantern, Small', category: 'Lighting' };
  return { variant_id: variantId, product_id: randomUUID(), shop_id, price: 3_450, ...named };
}

/** A receipt, then reservations, one event each. */
export const reserving: Workload = {
  name: 'reserve stock',
  perStream: 10,
  lane() {
    let goods = goodsOf();
    let asked = 0;
    return () => {
      const fresh = asked % this.perStream === 0;
      asked += 1;
      if (!fresh) return reserveStock(goods);
      goods = goodsOf();
      return receiveStock(goods, 1_000);
    };
  },
};

/** Orders of two lines, each the first event of a stream. */
export const placing: Workload = {
  name: 'place orders',
  perStream: 1,
  lane() {
    const goods = [goodsOf(), goodsOf()];
    let number = 0;
    return () => {
      number += 1;
      return placeOrder({ goods, userId, number });
    };
  },
};

/** What a command would append, without anybody having decided it. */
export interface BareAppend {
  readonly stream: string;
  readonly events: readonly ProposedEvent[];
  readonly expected: ExpectedRevision;
}

/** The appends that a workload comes to, over and over: the same bytes under fresh ids, to streams of the same lengths. */
export function bareLane(workload: Workload): () => BareAppend {
  const next = workload.lane();
  const asked = Array.from({ length: workload.perStream }, next);
  const [first] = asked;
  if (first === undefined) throw new Error(`${workload.name} asks for nothing.`);
  const known = new StreamState(first.aggregate.stream(first.id), first.aggregate.decider, eventCatalog);
  const { proposed } = decideGroup({ catalog: eventCatalog, service }, known, first.aggregate, asked);
  if (proposed.length !== workload.perStream) throw new Error(`${workload.name} is not one event a command.`);
  let stream = '';
  let appended = 0;
  return () => {
    const index = appended % proposed.length;
    appended += 1;
    if (index === 0) stream = first.aggregate.stream(randomUUID());
    const { type, data, metadata } = proposed[index] as ProposedEvent;
    const events = [{ id: randomUUID(), type, data, metadata }];
    return { stream, events, expected: index === 0 ? 'no-stream' : BigInt(index - 1) };
  };
}
