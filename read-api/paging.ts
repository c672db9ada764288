import type { Collection, Document, Filter } from 'mongodb';
import { z } from 'zod';

/** How many entries a page has: digits in the query, 20 unless told. */
export const pageLimit = z
  .string()
  .regex(/^\d{1,3}$/)
  .transform(Number)
  .pipe(z.int().min(1).max(100))
  .default(20);

/** The last entry of the page before, as its sort value and id: paging goes on after it. */
export interface PageEnd<Value = string> {
  readonly value: Value;
  readonly id: string;
}

export function cursorText({ value, id }: PageEnd<string | number>): string {
  return Buffer.from(JSON.stringify([value, id])).toString('base64url');
}

/** The query's `cursor`, as {@link cursorText} wrote it. Whatever a client makes up itself is refused. */
export function cursor<Value>(value: z.ZodType<Value>, id: z.ZodType<string>) {
  const shape = z.tuple([value, id]);
  return z.string().transform((text, context): PageEnd<Value> => {
    try {
      const [last, lastId] = shape.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
      return { value: last, id: lastId };
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a next_cursor that an earlier page answered with' });
      return z.NEVER;
    }
  });
}

/** One page of a collection, in the order of a field and then of `_id`. */
export interface PageAsked<Doc extends Document> {
  readonly filter: Filter<Doc>;
  readonly field: string & keyof Doc;
  readonly direction: 1 | -1;
  readonly after?: PageEnd<unknown> | undefined;
  readonly limit: number;
  readonly projection?: Document;
}

/**
 * Reads a page. What has the same value as the end of the page before is asked for first, and what lies beyond it then:
 * each is a range of one index, so that a page costs the same however many have equal values.
 *
 * @returns `more` where there is another page
 */
export async function readPage<Doc extends Document & { _id: string }>(
  collection: Collection<Doc>,
  { filter, field, direction, after, limit, projection = {} }: PageAsked<Doc>,
): Promise<{ page: Doc[]; more: boolean }> {
  const beyond = direction === 1 ? '$gt' : '$lt';
  const ranges: Document[] =
    after === undefined
      ? [{}]
      : [{ [field]: after.value, _id: { [beyond]: after.id } }, { [field]: { [beyond]: after.value } }];
  const found: Doc[] = [];
  for (const range of ranges) {
    if (found.length > limit) break;
    const wanted = { $and: [filter, range] } as Filter<Doc>;
    const rest = collection.find<Doc>(wanted, { projection, sort: { [field]: direction, _id: direction } });
    found.push(...(await rest.limit(limit + 1 - found.length).toArray()));
  }
  return { page: found.slice(0, limit), more: found.length > limit };
}
