import { z } from 'zod';

/** Raised when the environment does not satisfy a service's configuration; the message lists every fault at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads and validates a service's configuration.
 *
 * @param schema a zod object whose keys are environment variable names; defaults belong in the schema
 * @param env the environment, `process.env` unless a test says otherwise
 * @returns the parsed configuration
 * @throws ConfigError naming every variable that is missing or wrong (never its value: it may be a secret)
 */
export function loadConfig<T extends z.ZodRawShape>(
  schema: z.ZodObject<T>,
  env: NodeJS.ProcessEnv = process.env,
): z.output<z.ZodObject<T>> {
  const relevant = Object.fromEntries(
    Object.keys(schema.shape)
      .filter((key) => env[key] !== undefined && env[key] !== '')
      .map((key) => [key, env[key]]),
  );
  const parsed = schema.safeParse(relevant);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigError(`The configuration is not usable:\n${faults.join('\n')}`);
}

/** A TCP port given as text; 0 asks the system for a free one. */
export const port = z.coerce.number().int().min(0).max(65535);

/** A secret given as 64 hexadecimal digits (32 bytes). */
export const secret = z.string().regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits (32 bytes)');

export const logLevel = z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info');
