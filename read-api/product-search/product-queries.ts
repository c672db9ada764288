import type { Collection, Db, Filter } from 'mongodb';
import { type ProductDocument, productSearchModel, wordsOf } from '../../projections/product-search/document.js';
import { readModelId } from '../../runtime/document-store/read-model.js';

export interface ProductListQuery {
  readonly search?: string | undefined;
  readonly category?: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

export interface ProductQueries {
  /** Approved products, newest first. `more` tells whether there is another page. */
  list(query: ProductListQuery): Promise<{ products: readonly ProductDocument[]; more: boolean }>;
  /** @returns undefined unless it is approved */
  find(productId: string): Promise<ProductDocument | undefined>;
}

/** Every word must be there; the last one may be the beginning of a word, as while somebody types. */
function matching(search: string): Filter<ProductDocument> | undefined {
  const words = wordsOf(search);
  const last = words.pop();
  if (last === undefined) return undefined;
  const prefix: Filter<ProductDocument> = { terms: { $regex: `^${last}` } };
  return words.length === 0 ? prefix : { $and: [{ terms: { $all: words } }, prefix] };
}

export function productQueries(db: Db): ProductQueries {
  const products: Collection<ProductDocument> = db.collection(readModelId(productSearchModel));
  return {
    async list({ search, category, limit, offset }) {
      const words = search === undefined ? {} : matching(search);
      // A search of nothing but signs and spaces finds nothing rather than everything.
      if (words === undefined) return { products: [], more: false };
      const filter: Filter<ProductDocument> = {
        status: 'approved',
        ...(category === undefined ? {} : { category }),
        ...words,
      };
      const found = await products
        .find(filter)
        .sort({ created_at: -1, _id: -1 })
        .skip(offset)
        .limit(limit + 1)
        .toArray();
      return { products: found.slice(0, limit), more: found.length > limit };
    },
    async find(productId) {
      return (await products.findOne({ _id: productId, status: 'approved' })) ?? undefined;
    },
  };
}
