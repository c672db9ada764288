import { toInteger } from '../bson/numbers.js';
import { toText } from '../bson/to-text.js';
import { type BsonValue, documentValue } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { Expressions } from '../expressions/compile.js';
import { type Filter, parseFilter } from '../query/filter.js';
import { matchesFilter } from '../query/match.js';
import { limitBatches, mapBatches, skipBatches, sortBatches } from '../query/pipeline.js';
import { parseSort, type SortOrder } from '../query/sort.js';
import { objectSpec, type Stage, type StageParser } from './stage.js';

export function parseMatch(spec: BsonValue, expressions: Expressions): Filter {
  return parseFilter(objectSpec(spec, 15959, '$match'), expressions);
}

export function parseSortStage(spec: BsonValue): SortOrder {
  const order = parseSort(objectSpec(spec, 15973, '$sort'));
  if (order.length === 0) throw new CommandError(15976, '$sort stage must have at least one sort key');
  return order;
}

function count(spec: BsonValue, wrong: number, name: string): number {
  const number = toInteger(spec);
  if (number === undefined || number < 0n) {
    throw new CommandError(
      wrong,
      `invalid argument to ${name} stage: expected a non-negative number in ${toText(spec)}`,
    );
  }
  return Number(number);
}

export function parseSkip(spec: BsonValue): number {
  return count(spec, 5107200, '$skip');
}

export function parseLimit(spec: BsonValue): number {
  const limit = count(spec, 5107201, '$limit');
  if (limit === 0) throw new CommandError(15958, 'the limit must be positive');
  return limit;
}

/** @param limit how many of the first are needed; all without it */
export function sortStage(order: SortOrder, limit: number | undefined): Stage {
  return (source, turns) => sortBatches(source, order, turns, limit);
}

export const flowStages: Record<string, StageParser> = {
  $match(spec, expressions) {
    const filter = parseMatch(spec, expressions);
    const match = (document: Buffer) => (matchesFilter(filter, documentValue(document)) ? document : undefined);
    return (source, turns) => mapBatches(source, match, turns);
  },
  $sort: (spec) => sortStage(parseSortStage(spec), undefined),
  $skip(spec) {
    const skip = parseSkip(spec);
    return (source) => skipBatches(source, skip);
  },
  $limit(spec) {
    const limit = parseLimit(spec);
    return (source) => limitBatches(source, limit);
  },
};
