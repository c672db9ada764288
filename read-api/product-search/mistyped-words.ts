import type { Collection, Filter } from 'mongodb';
import {
  isOneLetterOff,
  neighbourhood,
  type ProductDocument,
  wordsOf,
} from '../../projections/product-search/document.js';
import type { Words } from './product-filter.js';

const mostLookedAt = 200;
const mostGuesses = 10;

/** Words of names and categories of approved products that are one letter off from a word, most frequent first. */
async function guesses(products: Collection<ProductDocument>, word: string): Promise<string[]> {
  const tokens = neighbourhood(word);
  if (tokens.length === 0) return [];
  const near: Filter<ProductDocument> = { status: 'approved', near: { $in: tokens } };
  const found = await products
    .find(near, { projection: { name_terms: 1, category: 1 } })
    .limit(mostLookedAt)
    .toArray();
  const counts = new Map<string, number>();
  for (const { name_terms, category } of found) {
    for (const term of new Set([...name_terms, ...wordsOf(category)])) {
      if (term !== word && isOneLetterOff(term, word)) counts.set(term, (counts.get(term) ?? 0) + 1);
    }
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, mostGuesses)
    .map(([term]) => term);
}

/**
 * For a search that found nothing: the same words, each also written as a product writes it with one letter other.
 *
 * @returns undefined where there is nothing to guess
 */
export async function mistypedWords(products: Collection<ProductDocument>, words: Words): Promise<Words | undefined> {
  const all = await Promise.all(
    words.all.map(async (ways) => [
      ...ways,
      ...(await Promise.all(ways.map((word) => guesses(products, word)))).flat(),
    ]),
  );
  return all.some((ways) => ways.length > 1) ? { all, beginning: words.beginning } : undefined;
}
