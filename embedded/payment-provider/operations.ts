import type { Logger } from '../../runtime/logger.js';
import { settle } from './charges.js';
import { startDueWork } from './due-work.js';
import { type FormValue, fingerprint, parseForm } from './form.js';
import type { EventCause } from './objects.js';
import { decided, type Operation, type Outcome, type PaymentDeps } from './operation.js';
import type { KeptAnswer, ToDo } from './stored.js';
import { invalidRequest, StripeError } from './stripe-error.js';
import type { Webhooks } from './webhooks.js';

export interface ChangeRequest {
  path: string;
  /** the form-encoded body as it came */
  text: string;
  cause: EventCause;
}

export interface Answer {
  status: number;
  body: string;
  /** the stored answer of an earlier request with the same idempotency key */
  replayed: boolean;
  /** `lost`: the connection breaks off within it; `never`: nothing is said */
  manner?: KeptAnswer['manner'];
}

export interface Operations {
  execute(request: ChangeRequest, prepare: (form: Record<string, FormValue>) => Operation): Promise<Answer>;
  /** Gives the answers at once that were to come late. */
  hurry(): void;
  /** Ends the settling of charges that were left open; what is not due yet is kept. */
  close(): Promise<void>;
}

export interface OperationDeps extends PaymentDeps {
  webhooks: Webhooks | undefined;
  log: Logger;
}

const settleAgainMs = 5_000;

/**
 * Runs operations as Stripe does: what passed validation is decided once per idempotency key, its answer (a refusal
 * too) is stored with its changes before it is given, and a request that comes while its key is in work waits. Charges
 * that were left open are settled when they are due, also those of an earlier run.
 */
export function startOperations(deps: OperationDeps): Operations {
  const { ledger, webhooks, clock, log } = deps;
  const inWork = new Map<string, Promise<Answer>>();
  const queues = new Map<string, Promise<unknown>>();
  const late = new Set<() => void>();

  const serially = <T>(id: string | undefined, work: () => Promise<T>): Promise<T> => {
    if (id === undefined) return work();
    const before = queues.get(id) ?? Promise.resolve();
    const mine = before.then(work, work);
    queues.set(id, mine);
    const leave = () => {
      if (queues.get(id) === mine) queues.delete(id);
    };
    mine.then(leave, leave);
    return mine;
  };

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        late.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      late.add(end);
    });

  const store = async (
    { changes, events }: Outcome,
    cause: EventCause,
    more: { answer?: { key: string; kept: KeptAnswer }; settled?: number },
  ): Promise<ToDo> => {
    const { settlement, ...rest } = changes;
    const toDo = await ledger.commit({
      ...rest,
      ...more,
      ...(settlement === undefined ? {} : { settlement: { ...settlement, cause } }),
      deliveries: events.flatMap((news) => webhooks?.prepare(news, cause) ?? []),
    });
    webhooks?.deliver(toDo.deliveries);
    if (settlement !== undefined && toDo.settlement !== undefined) due.add(toDo.settlement, settlement.at);
    return toDo;
  };

  const due = startDueWork({
    clock,
    concurrency: 8,
    async work(seq) {
      const settlement = ledger.settlement(seq);
      if (settlement === undefined) return;
      const operation = settle(settlement, deps);
      await serially(operation.intentId, () => store(decided(operation), settlement.cause, { settled: seq }));
    },
    onFault(err, seq) {
      log.error('charge could not be settled', { err, settlement: seq });
      due.add(seq, clock().getTime() + settleAgainMs);
    },
  });
  for (const { seq, settlement } of ledger.settlements()) due.add(seq, settlement.at);

  const run = (
    request: ChangeRequest,
    prepare: Parameters<Operations['execute']>[1],
    print: string,
  ): Promise<Answer> => {
    const operation = prepare(parseForm(request.text));
    return serially(operation.intentId, async () => {
      const outcome = decided(operation);
      const { status, answer } = outcome;
      const body = JSON.stringify(outcome.body);
      const { path, cause } = request;
      const key = cause.idempotencyKey;
      const kept: KeptAnswer = { fingerprint: print, path, status, body };
      if (answer === 'never') kept.manner = 'never';
      if (answer === 'always-lost') kept.manner = 'lost';
      const toDo = await store(outcome, cause, key === null ? {} : { answer: { key, kept } });
      if (answer === 'after-webhook') await webhooks?.attempted(toDo.deliveries);
      if (answer === 'late') await pause(outcome.answerAfterMs ?? 0);
      return { status, body, replayed: false, manner: answer === 'lost' ? 'lost' : kept.manner };
    });
  };

  const execute: Operations['execute'] = async (request, prepare) => {
    const print = fingerprint(request.path, request.text);
    const key = request.cause.idempotencyKey;
    if (key === null) return run(request, prepare, print);
    if (key.length > 255) throw invalidRequest('An idempotency key has at most 255 characters.');
    for (;;) {
      const kept = ledger.answer(key);
      if (kept !== undefined) {
        if (kept.fingerprint === print) return { ...kept, replayed: true };
        throw new StripeError(400, {
          type: 'idempotency_error',
          message:
            kept.path === request.path
              ? 'This idempotency key was first used with other parameters.'
              : `This idempotency key was first used for ${kept.path}.`,
        });
      }
      const other = inWork.get(key);
      if (other === undefined) break;
      await other.catch(() => {});
    }
    const mine = new Promise<Answer>((resolve) => resolve(run(request, prepare, print))).finally(() =>
      inWork.delete(key),
    );
    inWork.set(key, mine);
    return mine;
  };

  return {
    execute,
    hurry: () => {
      for (const end of late) end();
    },
    close: () => due.close(),
  };
}
