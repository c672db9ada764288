import { createContext, Script } from 'node:vm';
import { LRUCache } from 'lru-cache';
import type { StoredEvent } from './reader.js';
import { recordStream, recordType } from './record.js';

export interface Filter {
  on: 'stream' | 'type';
  /** events to examine between two checkpoints */
  checkpointEvery: number;
  /** One answer per event, in order. @throws FilterError when the expression takes too long */
  test(events: readonly StoredEvent[]): boolean[];
}

/** What a caller asks to see: names that begin with one of the prefixes, or match the expression where it is not ''. */
export interface FilterSpec {
  on: Filter['on'];
  prefixes: string[];
  regex: string;
}

/** @param checkpointEvery events to examine between two checkpoints @throws FilterError for an invalid expression */
export function createFilter({ on, prefixes, regex }: FilterSpec, checkpointEvery: number): Filter {
  if (regex === '')
    return nameFilter(on, checkpointEvery, (name) => prefixes.some((prefix) => name.startsWith(prefix)));
  if (withoutSystem.has(regex)) return nameFilter(on, checkpointEvery, (name) => name !== '' && !name.startsWith('$'));
  return regexFilter(on, regex, checkpointEvery);
}

/** The caller's expression is not usable; the message is for the caller. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
}

const limitMs = 500;
const longestExpression = 10_000;

/** How clients leave system events out: what every follower of the whole log asks for, and what cannot take long. */
const withoutSystem = new Set(['^[^$]', '^[^$].*', '^[^\\$].*']);

function nameFilter(on: Filter['on'], checkpointEvery: number, matches: (name: string) => boolean): Filter {
  const text = on === 'stream' ? recordStream : recordType;
  return { on, checkpointEvery, test: (events) => events.map(({ record }) => matches(text(record))) };
}

/**
 * A regular expression from a client can backtrack for ever and there is one event loop: new values of a page are
 * tested together in a script with a time limit, and answers are remembered.
 *
 * @throws FilterError when the expression is not a valid one
 */
function regexFilter(on: Filter['on'], source: string, checkpointEvery: number): Filter {
  const text = on === 'stream' ? recordStream : recordType;
  const known = new LRUCache<string, boolean>({ max: 2_000 });
  const regex = compile(source);
  return {
    on,
    checkpointEvery,
    test(events) {
      const values = events.map(({ record }) => text(record));
      const unknown = [...new Set(values)].filter((value) => !known.has(value));
      const fresh = new Map<string, boolean>();
      if (unknown.length > 0) {
        const answers = testInTime(regex, unknown);
        for (const [index, value] of unknown.entries()) fresh.set(value, answers[index] === true);
      }
      const answers = values.map((value) => fresh.get(value) ?? known.get(value) === true);
      for (const [value, answer] of fresh) known.set(value, answer);
      return answers;
    },
  };
}

interface Sandbox {
  regex: RegExp;
  values: readonly string[];
  answers: boolean[];
}

const idle = (): Sandbox => ({ regex: /(?:)/, values: [], answers: [] });
let sandbox: Sandbox | undefined;
let script: Script | undefined;

/** One sandbox for all filters: each would cost a tenth of a megabyte. @throws FilterError when it takes too long */
function testInTime(regex: RegExp, values: readonly string[]): boolean[] {
  sandbox ??= createContext(idle()) as Sandbox;
  script ??= new Script('answers = values.map((value) => regex.test(value))');
  try {
    script.runInContext(Object.assign(sandbox, { regex, values }), { timeout: limitMs });
    return sandbox.answers;
  } catch {
    throw new FilterError(`The filter's regular expression takes longer than ${limitMs} ms.`);
  } finally {
    Object.assign(sandbox, idle());
  }
}

function compile(source: string): RegExp {
  if (source.length > longestExpression) throw new FilterError("The filter's regular expression is too long.");
  try {
    return new RegExp(source);
  } catch {
    throw new FilterError("The filter's regular expression is not valid.");
  }
}
