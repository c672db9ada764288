import type { Collection, Db, Document, Filter, Sort } from 'mongodb';
import { type ProductDocument, productSearchModel } from '../../projections/product-search/document.js';
import { readModelId } from '../../runtime/document-store/read-model.js';
import { mistypedWords } from './mistyped-words.js';
import { comesAfter, type ProductCursor, type ProductSort, sortKeys } from './product-cursor.js';
import { countFacets, noFacets, type ProductFacets } from './product-facets.js';
import { matching, type ProductFilter, searchedWords, type Words } from './product-filter.js';
import { relevance } from './relevance.js';

export interface ProductListQuery {
  readonly filter: ProductFilter;
  /** `relevance` needs a search. */
  readonly sort: ProductSort;
  readonly after?: ProductCursor | undefined;
  readonly limit: number;
  readonly facets: boolean;
}

/** A product as lists show it; `score` where they are sorted by relevance. */
export type ProductSummary = Omit<
  ProductDocument,
  'description' | 'terms' | 'name_terms' | 'near' | 'position' | 'status' | 'price_band'
> & { readonly score?: number };

export interface ProductList {
  readonly products: readonly ProductSummary[];
  /** Whether there is another page. */
  readonly more: boolean;
  /** Where nothing had the words as they were written: what was looked for instead. */
  readonly guessed: readonly (readonly string[])[] | null;
  readonly facets: ProductFacets | null;
}

export interface ProductQueries {
  /** Approved products. */
  list(query: ProductListQuery): Promise<ProductList>;
  /** @returns undefined unless it is approved */
  find(productId: string): Promise<ProductDocument | undefined>;
}

const unshown = { description: 0, terms: 0, name_terms: 0, near: 0, position: 0, status: 0, price_band: 0 };
/** A word that more products than this have is no search; which of them are compared is then left to the index. */
const mostCompared = 20_000;

/** The stages of a list by relevance; for those who ask how they are carried out as well. */
export function relevancePipeline(
  filter: Filter<ProductDocument>,
  words: Words,
  page: { readonly after?: ProductCursor | undefined; readonly limit: number },
): Document[] {
  return [
    { $match: filter },
    { $limit: mostCompared },
    { $addFields: { score: relevance(words), images: { $slice: ['$images', 1] } } },
    ...(page.after === undefined ? [] : [{ $match: comesAfter(page.after) }]),
    { $sort: Object.fromEntries(sortKeys.relevance) },
    { $limit: page.limit },
    { $project: unshown },
  ];
}

export function productQueries(db: Db): ProductQueries {
  const products: Collection<ProductDocument> = db.collection(readModelId(productSearchModel));

  const page = async ({ sort, after, limit }: ProductListQuery, filter: Filter<ProductDocument>, words?: Words) => {
    if (sort === 'relevance' && words !== undefined) {
      const stages = relevancePipeline(filter, words, { after, limit: limit + 1 });
      return products.aggregate<ProductSummary>(stages).toArray();
    }
    const from = after === undefined ? filter : { $and: [filter, comesAfter(after)] };
    return products
      .find<ProductSummary>(from, { projection: { ...unshown, images: { $slice: 1 } } })
      .sort(Object.fromEntries(sortKeys[sort]) as Sort)
      .limit(limit + 1)
      .toArray();
  };

  return {
    async list(query) {
      const { search } = query.filter;
      let words = search === undefined ? undefined : searchedWords(search);
      if (search !== undefined && words === undefined) {
        return { products: [], more: false, guessed: null, facets: query.facets ? noFacets : null };
      }
      let filter = matching(query.filter, words);
      let found = await page(query, filter, words);
      let guessed: ProductList['guessed'] = null;
      // A later page of guesses is guessed anew: the words as they were written still find nothing.
      if (found.length === 0 && words !== undefined) {
        const exact = query.after === undefined ? null : await products.findOne(filter, { projection: { _id: 1 } });
        const others = exact === null ? await mistypedWords(products, words) : undefined;
        if (others !== undefined) {
          words = others;
          filter = matching(query.filter, words);
          found = await page(query, filter, words);
          guessed = words.all;
        }
      }
      return {
        products: found.slice(0, query.limit),
        more: found.length > query.limit,
        guessed,
        facets: query.facets ? await countFacets(products, filter) : null,
      };
    },
    async find(productId) {
      return (await products.findOne({ _id: productId, status: 'approved' })) ?? undefined;
    },
  };
}
