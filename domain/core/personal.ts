import { z } from 'zod';

/** One encrypted value: `v1.<nonce>.<ciphertext>.<tag>`, base64url. */
export const sealed = z.string().regex(/^v1\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{22}$/);

/** Whose key seals the fields: a user's, or an order's own for a guest. */
export const personalSubject = z.string().regex(/^(user|order):[0-9a-f-]{36}$/);

/** Personal fields as events carry them: one subject, every field sealed and optional. */
export function personal<const Fields extends readonly [string, ...string[]]>(
  fields: Fields,
): z.ZodType<Personal<Fields[number]>> {
  return z.strictObject({ subject: personalSubject, fields: z.partialRecord(z.enum(fields), sealed) });
}

export type Personal<Field extends string = string> = {
  readonly subject: string;
  readonly fields: { readonly [F in Field]?: string | undefined };
};
