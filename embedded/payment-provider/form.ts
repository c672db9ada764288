import { createHash } from 'node:crypto';
import { z } from 'zod';
import { invalidRequest, type StripeError } from './stripe-error.js';

export type FormValue = string | { [key: string]: FormValue };

const deepest = 3;

/**
 * Reads Stripe's form encoding: `metadata[order_id]=1` is an object in an object, `expand[]=a` and `expand[0]=a` are
 * objects with the keys 0, 1, ... (`list` makes arrays of them). Of a repeated key the last one counts.
 *
 * @throws StripeError 400 for keys that cannot be read
 */
export function parseForm(text: string): Record<string, FormValue> {
  const form: Record<string, FormValue> = Object.create(null);
  for (const [key, value] of new URLSearchParams(text)) {
    const path = key.split('[').map((part, depth) => (depth === 0 ? part : part.replace(/\]$/, '')));
    const spelled = path.map((part, depth) => (depth === 0 ? part : `[${part}]`)).join('');
    if (spelled !== key || path[0] === '' || path.length > deepest) throw unreadable(key);
    let place = form;
    path.forEach((part, depth) => {
      const name = part === '' ? String(Object.keys(place).length) : part;
      if (depth === path.length - 1) {
        if (typeof place[name] === 'object') throw unreadable(key);
        place[name] = value;
        return;
      }
      const inner: FormValue = place[name] ?? Object.create(null);
      if (typeof inner === 'string') throw unreadable(key);
      place[name] = inner;
      place = inner;
    });
  }
  return form;
}

function unreadable(key: string): StripeError {
  return invalidRequest(`The parameter ${key.slice(0, 100)} cannot be read.`, undefined, key.slice(0, 100));
}

/** A hash that is equal for equal parameters, in whatever order they were sent. */
export function fingerprint(path: string, text: string): string {
  const pairs = [...new URLSearchParams(text)].map((pair) => JSON.stringify(pair)).toSorted();
  return createHash('sha256')
    .update(JSON.stringify([path, pairs]))
    .digest('base64url');
}

const codes = new Set(['parameter_invalid_integer', 'parameter_invalid_empty', 'amount_too_large']);

export const positiveInteger = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'parameter_invalid_integer')
  .transform(Number);

export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

export const list = <T extends z.ZodType>(item: T) =>
  z.preprocess((value) => (typeof value === 'object' && value !== null ? Object.values(value) : value), z.array(item));

/** Stripe's limits: 50 keys of 40 characters with values of 500; an empty value means no value. */
export const metadata = z
  .record(z.string().min(1).max(40), z.string().max(500))
  .transform((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== '')))
  .refine((record) => Object.keys(record).length <= 50, 'at most 50 keys');

/** @throws StripeError naming the first parameter that is missing, unknown or wrong */
export function validate<T>(schema: z.ZodType<T>, form: Record<string, FormValue>): T {
  const parsed = schema.safeParse(form, { reportInput: true });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue === undefined) throw invalidRequest('The parameters are not usable.');
  const at = (path: PropertyKey[]) =>
    path.map((part, depth) => (depth === 0 ? String(part) : `[${String(part)}]`)).join('');
  if (issue.code === 'unrecognized_keys') {
    const param = at([...issue.path, issue.keys[0] ?? '']);
    throw invalidRequest(`Received unknown parameter: ${param}`, 'parameter_unknown', param);
  }
  const param = at(issue.path);
  if (issue.input === undefined) throw invalidRequest(`Missing required param: ${param}.`, 'parameter_missing', param);
  const code = codes.has(issue.message) ? issue.message : undefined;
  throw invalidRequest(`Invalid ${param}${code === undefined ? `: ${issue.message}` : ` (${code})`}`, code, param);
}
