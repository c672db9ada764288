import type { Document } from 'mongodb';
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

/**
 * The filter for what comes after a page's end, in the order of a field and then `_id`. The range keeps to the index; the
 * choice settles equal values.
 */
export function follows(field: string, direction: 1 | -1, { value, id }: PageEnd<unknown>): Document {
  const [range, beyond] = direction === 1 ? ['$gte', '$gt'] : ['$lte', '$lt'];
  return { [field]: { [range]: value }, $or: [{ [field]: { [beyond]: value } }, { _id: { [beyond]: id } }] };
}
