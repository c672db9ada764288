import type { SalesBody } from '../../projections/analytics/document.js';
import type { Positioned } from '../../runtime/document-store/positioned.js';
import type { FoldedDocument } from './model-fold.js';
import type { Sums } from './money-conserved.js';

type Cell = Pick<SalesBody, 'currency' | 'captured' | 'refunded'>;

/**
 * What the cells of the sales read model add up to, by currency.
 *
 * @param stored the cells as they are stored
 * @param folded the cells up to the position that counts: they stand for stored ones that have seen more
 * @param upTo that position
 */
export function analyticsSums(
  stored: Iterable<Positioned>,
  folded: ReadonlyMap<string, FoldedDocument>,
  upTo: bigint,
): Sums {
  const sums = new Map<string, { captured: number; refunded: number }>();
  for (const document of stored) {
    const cell = (document.position > upTo ? folded.get(document._id)?.body : document) as Cell | undefined;
    if (cell === undefined) continue;
    const sum = sums.get(cell.currency) ?? { captured: 0, refunded: 0 };
    sum.captured += Number(cell.captured);
    sum.refunded += Number(cell.refunded);
    sums.set(cell.currency, sum);
  }
  return sums;
}
