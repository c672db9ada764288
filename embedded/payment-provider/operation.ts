import type { Conduct } from './behaviours.js';
import type { Ledger } from './ledger.js';
import type { Changes } from './stored.js';
import { StripeError } from './stripe-error.js';

export interface PaymentDeps {
  ledger: Ledger;
  clock: () => Date;
  /** `newId('pi')` -> `pi_...` */
  newId: (prefix: string) => string;
}

/** An event to tell, and how: once, now, in no order, unless it says otherwise. */
export interface News {
  type: string;
  object: unknown;
  waitMs?: number;
  /** by how much the event is older than the change that tells it */
  ageSeconds?: number;
  /** how often it is told again after it was accepted */
  copies?: number;
  /** only when the news before it was accepted or given up */
  afterPrevious?: true;
  /** kept back until a refund of this payment intent is told */
  heldFor?: string;
}

/** What a request comes to: an answer, what is stored before it is given, and the events that follow. */
export interface Outcome {
  status: number;
  body: unknown;
  changes: Changes;
  events: News[];
  /** how the answer is given, where it is not simply sent */
  answer?: Conduct['answer'];
  answerAfterMs?: number;
}

/** A request whose parameters are valid; `decide` reads the ledger, so it runs when its intent is free. */
export interface Operation {
  /** operations on one intent run one after the other */
  intentId: string | undefined;
  decide: () => Outcome;
}

/** A refusal by the state of things is an answer like any other: it is kept for its key. */
export function decided({ decide }: Operation): Outcome {
  try {
    return decide();
  } catch (err) {
    if (!(err instanceof StripeError)) throw err;
    return { status: err.status, body: { error: err.body }, changes: {}, events: [] };
  }
}

export function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
