import type { Collection, Filter } from 'mongodb';
import {
  isOneLetterOff,
  neighbourhood,
  type ProductDocument,
  wordsOf,
} from '../../projections/product-search/document.js';
import { beginsWith, type Words } from './product-filter.js';

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
 * For a search that found nothing: words that no product has are taken as their neighbours, the others as they are.
 *
 * @returns undefined where there is nothing to guess
 */
export async function mistypedWords(products: Collection<ProductDocument>, words: Words): Promise<Words | undefined> {
  const { beginning } = words;
  const last = words.all.length - 1;
  const isKnown = async (ways: readonly string[], at: number) => {
    const has = at === last && beginning !== undefined ? beginsWith(beginning) : { terms: { $in: [...ways] } };
    return (await products.findOne({ status: 'approved', ...has }, { projection: { _id: 1 } })) !== null;
  };
  const guessed = await Promise.all(
    words.all.map(async (ways, at) =>
      (await isKnown(ways, at)) ? undefined : (await Promise.all(ways.map((word) => guesses(products, word)))).flat(),
    ),
  );
  // A word that is neither known nor like a known one leaves nothing to be found.
  if (guessed.every((ways) => ways === undefined) || guessed.some((ways) => ways?.length === 0)) return undefined;
  const all = words.all.map((ways, at) => guessed[at] ?? ways);
  return { all, beginning: guessed[last] === undefined ? beginning : undefined };
}
