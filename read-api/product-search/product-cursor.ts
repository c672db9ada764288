import { z } from 'zod';

export const productSorts = ['relevance', 'newest', 'name', 'price_asc', 'price_desc'] as const;
export type ProductSort = (typeof productSorts)[number];

type Key = readonly [field: string, direction: 1 | -1];

/** The fields of each order; the last one settles every tie. */
export const sortKeys: Readonly<Record<ProductSort, readonly Key[]>> = {
  relevance: [
    ['score', -1],
    ['created_at', -1],
    ['_id', -1],
  ],
  newest: [
    ['created_at', -1],
    ['_id', -1],
  ],
  name: [
    ['name_key', 1],
    ['_id', 1],
  ],
  price_asc: [
    ['min_price', 1],
    ['_id', 1],
  ],
  price_desc: [
    ['min_price', -1],
    ['_id', -1],
  ],
};

/** Where a page ended: the order it was in, and its last product's values of that order's fields. */
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
  return { sort, values: sortKeys[sort].map(([field]) => fields[field] ?? '') };
}

/** A filter for what comes after a cursor. The first field's range keeps to the index; the choice settles the ties. */
export function comesAfter({ sort, values }: ProductCursor): Record<string, unknown> {
  const keys = sortKeys[sort];
  const beyond = (at: number) => ({ [keys[at]?.[1] === -1 ? '$lt' : '$gt']: values[at] });
  const first = keys[0];
  if (first === undefined) return {};
  return {
    [first[0]]: { [first[1] === -1 ? '$lte' : '$gte']: values[0] },
    $or: keys.map(([field], at) => ({
      ...Object.fromEntries(keys.slice(0, at).map(([earlier], index) => [earlier, values[index]])),
      [field]: beyond(at),
    })),
  };
}
