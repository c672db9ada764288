import type { Collection, Db, Document, Filter } from 'mongodb';
import { type ProductDocument, productSearchModel } from '../../projections/product-search/document.js';
import { readModelId } from '../../runtime/document-store/read-model.js';
import { type PageEnd, readPage } from '../paging.js';
import { mistypedWords } from './mistyped-words.js';
import { lessRelevant, type ProductCursor, type ProductSort, relevanceOrder, sortFields } from './product-cursor.js';
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
/** A word that more products have says little: only so many of them are compared, the newest. */
const mostCompared = 5_000;

/** The stages of a list by relevance. */
function byRelevance(filter: Filter<ProductDocument>, words: Words, { after, limit }: ProductListQuery): Document[] {
  return [
    { $match: filter },
    { $limit: mostCompared },
    { $addFields: { score: relevance(words), images: { $slice: ['$images', 1] } } },
    ...(after === undefined ? [] : [{ $match: lessRelevant(after) }]),
    { $sort: relevanceOrder },
    { $limit: limit + 1 },
    { $project: unshown },
  ];
}

function endOf(after: ProductCursor | undefined): PageEnd<unknown> | undefined {
  return after === undefined ? undefined : { value: after.values[0], id: String(after.values[1]) };
}

export function productQueries(db: Db): ProductQueries {
  const products: Collection<ProductDocument> = db.collection(readModelId(productSearchModel));

  const read = async (
    query: ProductListQuery,
    filter: Filter<ProductDocument>,
    words: Words | undefined,
  ): Promise<{ page: readonly ProductSummary[]; more: boolean }> => {
    const { sort, after, limit } = query;
    if (sort === 'relevance') {
      if (words === undefined) return { page: [], more: false };
      const found = await products.aggregate<ProductSummary>(byRelevance(filter, words, query)).toArray();
      return { page: found.slice(0, limit), more: found.length > limit };
    }
    const [field, direction] = sortFields[sort];
    const projection = { ...unshown, images: { $slice: 1 } };
    return readPage(products, { filter, field, direction, after: endOf(after), limit, projection });
  };

  return {
    async list(query) {
      const { search } = query.filter;
      let words = search === undefined ? undefined : searchedWords(search);
      if (search !== undefined && words === undefined) {
        return { products: [], more: false, guessed: null, facets: query.facets ? noFacets : null };
      }
      let filter = matching(query.filter, words);
      let found = await read(query, filter, words);
      let guessed: ProductList['guessed'] = null;
      if (found.page.length === 0 && words !== undefined) {
        // A later page may be empty for another reason: the last one was full.
        const nothingFits =
          query.after === undefined || (await products.findOne(filter, { projection: { _id: 1 } })) === null;
        const others = nothingFits ? await mistypedWords(products, words) : undefined;
        if (others !== undefined) {
          words = others;
          filter = matching(query.filter, words);
          found = await read(query, filter, words);
          guessed = words.all;
        }
      }
      const facets = query.facets ? await countFacets(products, filter) : null;
      return { products: found.page, more: found.more, guessed, facets };
    },
    async find(productId) {
      return (await products.findOne({ _id: productId, status: 'approved' })) ?? undefined;
    },
  };
}
