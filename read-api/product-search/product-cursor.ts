import { z } from 'zod';

export const productSorts = ['relevance', 'newest', 'name', 'price_asc', 'price_desc'] as const;
export type ProductSort = (typeof productSorts)[number];

/** The field of each order; `_id` in the same direction settles ties. */
export const sortFields = {
  newest: ['created_at', -1],
  name: ['name_key', 1],
  price_asc: ['min_price', 1],
  price_desc: ['min_price', -1],
} as const;

/** The best first, of equally good ones the newest. */
export const relevanceOrder = { score: -1, created_at: -1, _id: -1 } as const;

/** Where a page ended: the order it was in, and its last product's values of what it goes by, the id last. */
export interface ProductCursor {
  readonly sort: ProductSort;
  readonly values: readonly (string | number)[];
}

const shapes: Readonly<Record<ProductSort, z.ZodType<(string | number)[]>>> = {
  relevance: z.tuple([z.int(), z.iso.datetime(), z.uuid()]),
  newest: z.tuple([z.iso.datetime(), z.uuid()]),
  name: z.tuple([z.string().max(2_000), z.uuid()]),
  price_asc: z.tuple([z.int(), z.uuid()]),
  price_desc: z.tuple([z.int(), z.uuid()]),
};

export function cursorText({ sort, values }: ProductCursor): string {
  return Buffer.from(JSON.stringify([sort, ...values])).toString('base64url');
}

/** A cursor as a query sends it back. */
export const productCursor = z
  .string()
  .max(6_000)
  .transform((text, context): ProductCursor => {
    try {
      const [sort, ...values] = z.array(z.unknown()).parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
      const known = z.enum(productSorts).parse(sort);
      return { sort: known, values: shapes[known].parse(values) };
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a next_cursor that an earlier page answered with' });
      return z.NEVER;
    }
  });

/** The place of a product in an order. */
export function cursorAt(sort: ProductSort, product: object): ProductCursor {
  const fields = product as Readonly<Record<string, string | number>>;
  const names = sort === 'relevance' ? Object.keys(relevanceOrder) : [sortFields[sort][0], '_id'];
  return { sort, values: names.map((name) => fields[name] ?? '') };
}

/** What comes after a place in a list by relevance. */
export function lessRelevant({ values: [score, created_at, _id] }: ProductCursor): object {
  return {
    $or: [
      { score: { $lt: score } },
      { score, created_at: { $lt: created_at } },
      { score, created_at, _id: { $lt: _id } },
    ],
  };
}
