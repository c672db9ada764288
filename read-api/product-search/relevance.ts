import type { Words } from './product-filter.js';

const perWord = 1_000;
const begun = 500;
const share = 100;

/**
 * An expression for how well a product's name answers a search, as an integer: its words that were asked for, then the
 * beginning of one, then how little else the name says.
 */
export function relevance({ all, beginning }: Words): object {
  const asked = [...new Set(all.flat())];
  const whole = { $size: { $setIntersection: ['$name_terms', asked] } };
  const beginnings = { $substrCP: ['$$word', 0, [...(beginning ?? '')].length] };
  const begins =
    beginning === undefined
      ? false
      : { $in: [beginning, { $map: { input: '$name_terms', as: 'word', in: beginnings } }] };
  const said = { $max: [1, { $size: '$name_terms' }] };
  const part = { $toInt: { $floor: { $divide: [{ $multiply: [share, whole] }, said] } } };
  return { $add: [{ $multiply: [perWord, whole] }, { $cond: [begins, begun, 0] }, part] };
}
