import type { Piece, Stage } from './stage.js';

/** How an order is to end. */
export interface Expected {
  readonly order: 'confirmed' | 'failed' | 'cancelled';
  /** why it failed */
  readonly reason?: string;
  /** how often the provider took the order's money, and gave it back */
  readonly captures: number;
  readonly refunds: number;
  /** attempts to pay, as the log holds them */
  readonly attempts: number;
}

/** What a story was about; it may be over before its order is. */
export interface Played {
  readonly orderId: string;
  readonly pieces: readonly Piece[];
  /** what was received of each piece */
  readonly received: readonly number[];
  /** pieces that other orders of the story bought */
  readonly soldElsewhere?: number;
  /** answers that were not as they had to be */
  readonly faults?: readonly string[];
}

export interface Ending {
  readonly name: string;
  readonly expected: Expected;
  play(stage: Stage): Promise<Played>;
}

export const price = 19.99;
export const stock = 3;

/** What follows from how often money moved. */
export const confirmed: Expected = { order: 'confirmed', captures: 1, refunds: 0, attempts: 1 };
export const failed = (reason: string): Expected => ({
  order: 'failed',
  reason,
  captures: 0,
  refunds: 0,
  attempts: 1,
});
export const cancelled: Expected = { order: 'cancelled', captures: 0, refunds: 0, attempts: 1 };
export const refunded = { captures: 1, refunds: 1 } as const;

/** Orders one piece that is in stock; `then` goes on with the order. */
export function withCard(
  card: string,
  then: (stage: Stage, orderId: string) => Promise<readonly string[] | undefined> = async () => undefined,
  piecePrice = price,
): Ending['play'] {
  return async (stage) => {
    const piece = await stage.piece(piecePrice, stock);
    const orderId = await stage.order([piece], card);
    const faults = (await then(stage, orderId)) ?? [];
    return { orderId, pieces: [piece], received: [stock], faults };
  };
}

/** A complaint where an answer has another status. */
export function answered(what: string, status: number, wanted: number): readonly string[] {
  return status === wanted ? [] : [`${what} was answered with ${status}, not ${wanted}`];
}
