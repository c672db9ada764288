import { parseArgs } from 'node:util';
import type { z } from 'zod';

/**
 * Reads the flags of an embedded server's command.
 *
 * @param schema every flag by its name; those in `switches` take no value
 * @throws Error with a sentence for each flag that is unknown or wrong
 */
export function readFlags<Flags extends z.ZodObject>(
  schema: Flags,
  switches: readonly string[],
  argv: string[],
): z.output<Flags> {
  const kind = (name: string) => ({ type: switches.includes(name) ? ('boolean' as const) : ('string' as const) });
  const options = Object.fromEntries(Object.keys(schema.shape).map((name) => [name, kind(name)]));
  const parsed = schema.safeParse(parseArgs({ args: argv, options }).values);
  if (parsed.success) return parsed.data;
  throw new Error(parsed.error.issues.map((issue) => `--${issue.path.join('.')}: ${issue.message}.`).join(' '));
}

/** Whether only this machine reaches an address to listen on. */
export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');
