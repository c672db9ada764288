import type { Operation } from './case.js';
import { isArray, isDoc, type Value } from './model/values.js';

/** Operators that MongoDB has and this server may refuse as not supported, with the codes it may do so with. */
const mayBeRefused: ReadonlySet<string> = new Set(['$mod']);
const refusalCodes: ReadonlySet<number> = new Set([2, 9, 72]);

/** What a run came to. */
export class Tally {
  readonly cases = new Map<string, number>();
  /** answers of the server that were compared with the model */
  answers = 0;
  /** what was refused as the model says, by code */
  readonly refusals = new Map<number, number>();
  /** what MongoDB answers and the server refused as not supported, by operator and code */
  readonly unsupported = new Map<string, number>();

  /** Counts the statements of an update each. */
  add(operation: Operation): void {
    increase(this.cases, operation.kind, operation.kind === 'update' ? operation.statements.length : 1);
  }

  /** Whether this refusal says that something is not supported that is known not to be; counts it. */
  isUnsupported(asked: Value, { code }: { readonly code: number }): boolean {
    const operator = operatorIn(asked);
    if (operator === undefined || !refusalCodes.has(code)) return false;
    increase(this.unsupported, `${operator} (${code})`);
    return true;
  }
}

export function increase<K>(counts: Map<K, number>, key: K, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function operatorIn(asked: Value): string | undefined {
  if (isArray(asked)) return asked.map(operatorIn).find((found) => found !== undefined);
  if (!isDoc(asked)) return undefined;
  for (const [name, value] of asked) {
    if (mayBeRefused.has(name)) return name;
    const found = operatorIn(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
