import type { EventCause, Intent, Refund } from './objects.js';

// STORED CONTRACT, with the shapes of `objects.ts`: a changed shape or key raises `format` in `ledger-format.ts`.

/** STORED: money that moved. */
export type Movement =
  | {
      kind: 'capture';
      payment_intent: string;
      charge: string;
      amount: number;
      currency: string;
      metadata: Record<string, string>;
      captured_at: number;
    }
  | {
      kind: 'refund';
      refund: string;
      payment_intent: string;
      amount: number;
      currency: string;
      metadata: Record<string, string>;
      refunded_at: number;
    };

/** STORED: what an idempotency key was answered with. */
export interface KeptAnswer {
  fingerprint: string;
  path: string;
  status: number;
  body: string;
  /** since format 2: it is never sent (`never`), or the connection breaks off within it (`lost`) */
  manner?: 'never' | 'lost';
}

/** STORED: a webhook that is not delivered yet. `at` is the next attempt, milliseconds since 1970. */
export interface Delivery {
  id: string;
  type: string;
  payload: string;
  attempts: number;
  at: number;
  /** since format 2: how often it is sent again after it was accepted */
  copies?: number;
  /** since format 2: the number of the delivery that must be gone before this one is sent */
  behind?: number;
}

/** STORED since format 2: what becomes of a charge later on. `at` is milliseconds since 1970. */
export interface Settlement {
  payment_intent: string;
  payment_method: string;
  outcome: 'succeeds' | 'declines';
  at: number;
  cause: EventCause;
}

/** What one request changes in the books. */
export interface Changes {
  intent?: Intent;
  refund?: Refund;
  movement?: Movement;
  settlement?: Omit<Settlement, 'cause'>;
  /** a delivery that was held back and is to follow this change's own */
  told?: { heldFor: string; delivery: Delivery };
}

export type NewDelivery = Delivery & {
  /** behind the one before it in the same commit */
  afterPrevious?: true | undefined;
  /** kept back for a refund of this payment intent */
  heldFor?: string | undefined;
};

/** All of it is stored or nothing. */
export interface Commit extends Omit<Changes, 'settlement'> {
  answer?: { key: string; kept: KeptAnswer };
  deliveries?: NewDelivery[];
  settlement?: Settlement | undefined;
  /** the number of a settlement that is done */
  settled?: number | undefined;
}

/** The numbers of what a commit stored to be done. */
export interface ToDo {
  deliveries: { seq: number; delivery: Delivery }[];
  settlement: number | undefined;
}
