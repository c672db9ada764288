import type { BsonValue } from '../bson/value.js';
import type { Filter } from '../query/filter.js';
import type { Clock } from './clock.js';

/** What holds while one document is updated. */
export interface Run {
  /** the document is being made by an upsert */
  inserting: boolean;
  clock: Clock;
  /** the conditions of `$[identifier]` */
  filters: ReadonlyMap<string, Filter>;
  /** the array index that the query found, as a name: what the positional `$` stands for */
  matched: string | undefined;
  /** what each `$rename` moves; one that is not here has nothing to move */
  moved: Map<object, BsonValue>;
  /** the document before, for messages */
  document: BsonValue;
}

/** What an update operator does at the place its path names. */
export interface Operator {
  /** @returns the value itself when nothing changes, undefined when it goes away */
  change(current: BsonValue, run: Run): BsonValue | undefined;
  /** The value where there was none; undefined when the operator creates nothing. */
  create(run: Run): BsonValue | undefined;
  /** an error where the path could not exist, though nothing would be created */
  strict: boolean;
  /** levels of fields inside what it writes */
  levels: number;
}

/** Parses an operand. `path` is for messages. @throws CommandError as MongoDB refuses the operand */
export type ParseOperator = (operand: BsonValue, path: string) => Operator;
