import { setImmediate as untilNextTurn } from 'node:timers/promises';
import { type CommandHandler, createCommandHandler } from '../../command-api/handle-command.js';
import { OrderProcess } from '../../command-api/process-manager/order-process.js';
import type { PaymentProvider } from '../../command-api/process-manager/payment-provider.js';
import { eventCatalog } from '../../domain/event-catalog.js';
import type { EventLog } from '../../runtime/event-store/event-log.js';
import { silentLogger } from '../../runtime/logger.js';
import { type Placing, placeOrder } from './asking.js';
import { type BareAppend, service } from './workloads.js';

/** Appends that can be in flight together; a step begins when the one before it is answered. */
export type Step = readonly BareAppend[];

/** The shop's own write loop over a log that only notes what is appended. */
export interface Recorder {
  readonly eventLog: EventLog;
  readonly commands: CommandHandler;
  /** What was appended since the last call. */
  take(): Step[];
}

export function createRecorder(): Recorder {
  let steps: BareAppend[][] = [];
  let open: BareAppend[] | undefined;
  let position = 0n;
  const append: EventLog['append'] = async (stream, events, expected) => {
    if (open === undefined) {
      open = [];
      steps.push(open);
      setImmediate(() => {
        open = undefined;
      });
    }
    open.push({ stream, events, expected });
    position += BigInt(events.length);
    const appended = { revision: (expected === 'no-stream' ? -1n : expected) + BigInt(events.length), position };
    await untilNextTurn();
    return appended;
  };
  // Nothing is read: every state is in the cache from its first event on.
  const eventLog = { append } as EventLog;
  return {
    eventLog,
    commands: createCommandHandler({ eventLog, catalog: eventCatalog, service, log: silentLogger }),
    take() {
      const taken = steps;
      steps = [];
      return taken;
    },
  };
}

/** Takes every card but one. */
const provider: PaymentProvider = {
  name: 'stripe',
  async charge({ provider_key, payment_method }) {
    await untilNextTurn();
    if (payment_method === declinedCard) return { kind: 'declined', reason: 'lost_card', retryable: false };
    return { kind: 'captured', provider_transaction_id: `pi_${provider_key}`, payment_method: 'card' };
  },
  refund: () => Promise.reject(new Error('Nothing is refunded here.')),
};
export const declinedCard = 'pm_card_chargeDeclinedLostCard';

const policy = {
  reservationMs: 900_000,
  paymentMs: 600_000,
  graceMs: 60_000,
  refundRetryMs: 60_000,
  lowStockThreshold: 5,
};

/** Takes an order from `POST` to its end, by the shop's own code. @returns its id */
export async function recordOrder({ eventLog, commands }: Recorder, placing: Placing): Promise<string> {
  const { aggregate, id, command, context } = placeOrder(placing);
  const { events, eventIds, position } = await commands.handle(aggregate, id, command, context);
  const now = command.metadata.now;
  const clock = () => new Date(now);
  const process = new OrderProcess(id, {
    eventLog,
    commands,
    catalog: eventCatalog,
    provider,
    policy,
    clock,
    log: silentLogger,
  });
  process.take({
    id: String(eventIds[0]),
    stream: aggregate.stream(id),
    revision: 0n,
    position,
    type: 'order.created',
    data: events[0]?.data as Record<string, unknown>,
    metadata: { event_version: 1, $correlationId: id, user_id: placing.userId },
    recordedAt: clock(),
  });
  const outcome = await process.run(() => false);
  if (outcome !== 'ended') throw new Error(`order ${id} is ${outcome}: ${process.parked ?? 'no reason'}`);
  return id;
}
