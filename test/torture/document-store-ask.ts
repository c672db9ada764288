import { MongoBulkWriteError, MongoServerError } from 'mongodb';
import { demand } from './violation.js';

/** What is going on between writers, readers and the server that is to be killed under them. */
export interface Flight {
  /** whether to begin another call */
  readonly going: () => boolean;
  /** whether the server's end has been ordered: calls may go without an answer from now on */
  readonly mayFail: () => boolean;
  /** calls that are being answered, by kind */
  readonly inFlight: Map<string, number>;
  /** a call of this kind goes out */
  readonly onSend: (what: string) => void;
  readonly onAnswer: () => void;
}

/** What came of a call. `stopping`: refused because the server is about to end. */
export type Outcome<T> =
  | { readonly kind: 'answered'; readonly reply: T }
  | { readonly kind: 'refused'; readonly err: MongoServerError; readonly code: number }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'unknown' };

const internalError = 1;
const shutdownInProgress = 91;

/**
 * Makes a call and says what came of it.
 *
 * @throws Violation when the server fails inside, or gives no answer though nobody ended it
 */
export async function ask<T>(flight: Flight, what: string, call: () => Promise<T>): Promise<Outcome<T>> {
  const count = (by: number) => flight.inFlight.set(what, (flight.inFlight.get(what) ?? 0) + by);
  count(1);
  try {
    const answer = call();
    flight.onSend(what);
    const reply = await answer;
    flight.onAnswer();
    return { kind: 'answered', reply };
  } catch (err) {
    const told = () => (err instanceof Error ? err.message : String(err));
    // A bulk write wraps whatever ended it.
    const code = err instanceof MongoServerError && typeof err.code === 'number' ? err.code : undefined;
    if (err instanceof MongoServerError && code !== undefined) {
      demand(code !== internalError, () => `${what} was answered with a fault inside the server: ${told()}`);
      if (code === shutdownInProgress) {
        demand(flight.mayFail(), () => `${what} was refused by a server that nobody stops: ${told()}`);
        return { kind: 'stopping' };
      }
      flight.onAnswer();
      return { kind: 'refused', err, code };
    }
    if (!flight.mayFail()) demand(false, () => `${what} had no answer, and the server was not ended: ${told()}`);
    return { kind: 'unknown' };
  } finally {
    count(-1);
  }
}

/** The refused statements of a write, by number, with their codes. */
export function refusalsOf(err: MongoServerError, code: number): ReadonlyMap<number, number> {
  if (!(err instanceof MongoBulkWriteError)) return new Map([[0, code]]);
  const errors = Array.isArray(err.writeErrors) ? err.writeErrors : [err.writeErrors];
  return new Map(errors.map((one) => [one.index, one.code]));
}

/** The code that a call is refused with; undefined when it is not. */
export async function failureOf(call: Promise<unknown> | undefined): Promise<number | undefined> {
  try {
    await call;
    return undefined;
  } catch (err) {
    if (err instanceof MongoServerError && typeof err.code === 'number') return err.code;
    throw err;
  }
}
