import type { ReadModel } from '../../runtime/document-store/read-model.js';

// The contract with read-api: a changed shape or meaning raises the version.

export const notificationsModel: ReadModel = {
  name: 'notifications',
  version: 1,
  indexes: [{ key: { user_id: 1, at: -1, _id: -1 } }, { key: { user_id: 1, kind: 1, at: -1, _id: -1 } }],
};

/** `payment_declined`: the order still waits for another card. */
export const notificationKinds = [
  'order_received',
  'payment_declined',
  'order_confirmed',
  'order_failed',
  'order_cancelled',
  'payment_refunded',
  'order_shipped',
  'order_delivered',
] as const;
export type NotificationKind = (typeof notificationKinds)[number];

/** News of one kind about one order for the user who placed it, `_id` is `<order id>:<kind>`. Nothing in it is personal. */
export interface NotificationBody {
  readonly user_id: string;
  readonly kind: NotificationKind;
  readonly order_id: string;
  readonly order_number: string;
  /** When it last happened, ISO 8601 UTC with milliseconds. */
  readonly at: string;
  /** How often: cards declined, parcels, refunds. */
  readonly times: number;
  /** Minor units: what was ordered, what is asked for, what was given back in all; null where no money is meant. */
  readonly amount: number | null;
  readonly currency: string;
  /** A code; null where there is none to tell. */
  readonly reason: string | null;
}

export interface NotificationDocument extends NotificationBody {
  readonly _id: string;
  readonly position: bigint;
}
