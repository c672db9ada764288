import { type FormValue, fingerprint, parseForm } from './form.js';
import type { Ledger } from './ledger.js';
import type { EventCause } from './objects.js';
import type { Operation, Outcome } from './payments.js';
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
}

export type Execute = (
  request: ChangeRequest,
  prepare: (form: Record<string, FormValue>) => Operation,
) => Promise<Answer>;

/**
 * Runs operations as Stripe does: what passed validation is decided once per idempotency key, its answer (a refusal
 * too) is stored with its changes before it is given, and a request that comes while its key is in work waits.
 */
export function buildExecute(ledger: Ledger, webhooks: Webhooks | undefined): Execute {
  const inWork = new Map<string, Promise<Answer>>();
  const queues = new Map<string, Promise<unknown>>();

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

  const run = (request: ChangeRequest, prepare: Parameters<Execute>[1], print: string): Promise<Answer> => {
    const operation = prepare(parseForm(request.text));
    return serially(operation.intentId, async () => {
      const outcome = decide(operation);
      const body = JSON.stringify(outcome.body);
      const { path, cause } = request;
      const key = cause.idempotencyKey;
      const seqs = await ledger.commit({
        ...outcome.changes,
        ...(key === null ? {} : { answer: { key, kept: { fingerprint: print, path, status: outcome.status, body } } }),
        deliveries: outcome.events.flatMap(({ type, object }) => webhooks?.prepare(type, object, cause) ?? []),
      });
      webhooks?.deliver(seqs);
      return { status: outcome.status, body, replayed: false };
    });
  };

  return async (request, prepare) => {
    const print = fingerprint(request.path, request.text);
    const key = request.cause.idempotencyKey;
    if (key === null) return run(request, prepare, print);
    if (key.length > 255) throw invalidRequest('An idempotency key has at most 255 characters.');
    for (;;) {
      const kept = ledger.answer(key);
      if (kept !== undefined) {
        if (kept.fingerprint === print) return { status: kept.status, body: kept.body, replayed: true };
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
}

/** A refusal by the state of things is an answer like any other: it is kept for its key. */
function decide(operation: Operation): Outcome {
  try {
    return operation.decide();
  } catch (err) {
    if (!(err instanceof StripeError)) throw err;
    return { status: err.status, body: { error: err.body }, changes: {}, events: [] };
  }
}
