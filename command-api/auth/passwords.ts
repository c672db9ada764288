import { randomUUID } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { z } from 'zod';
import { Overloaded } from '../../runtime/event-store/event-log.js';
import { createGate, within } from '../../runtime/gate.js';

// Argon2id, the library's default kind, with the least that OWASP asks for.
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Hashes run on the thread pool that files and name look-ups need too: half of its four threads, and a bounded queue. */
const maxRunning = 2;
const maxWaiting = 24;

const gate = createGate(maxRunning);

async function bounded<T>(work: () => Promise<T>): Promise<T> {
  if (gate.waiting() >= maxWaiting) throw new Overloaded('Too many log-ins at the moment.');
  return within(gate, work);
}

/** The same text however a keyboard composed it. */
export const newPassword = z
  .string()
  .min(8)
  .max(200)
  .transform((text) => text.normalize('NFKC'));

/** @throws Overloaded too many passwords wait to be hashed */
export function hashPassword(password: string): Promise<string> {
  return bounded(() => hash(password, cost));
}

let nobody: Promise<string> | undefined;

/**
 * Whether the password is the one that was hashed. Where there is no hash it answers false after the same work, so that
 * time does not tell an address that is registered from one that is not.
 *
 * @throws Overloaded too many passwords wait to be hashed
 */
export async function verifyPassword(hashed: string | undefined, password: string): Promise<boolean> {
  if (hashed !== undefined) return bounded(() => verify(hashed, password));
  nobody ??= bounded(() => hash(randomUUID(), cost)).catch((error: unknown) => {
    nobody = undefined;
    throw error;
  });
  const dummy = await nobody;
  await bounded(() => verify(dummy, password));
  return false;
}
