import { toInteger } from '../bson/numbers.js';
import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, documentValue, fieldsOf, itemsOf } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { type Filter, matchAll, parseFilter } from './filter.js';
import { parseGroup } from './group.js';
import { matchesFilter } from './match.js';
import { type Batches, collectBatches, limitBatches, mapBatches, skipBatches, sortBatches } from './pipeline.js';
import { parseProjection, project } from './projection.js';
import { parseSort, type SortOrder } from './sort.js';

/** A parsed pipeline: what the scan itself does (leading `$match`, then `$sort`), and the stages after it. */
export interface Pipeline {
  filter: Filter;
  order: SortOrder;
  stages: ((source: Batches) => Batches)[];
}

function wholeNumber(stage: string, value: BsonValue, least: bigint): number {
  const number = toInteger(value);
  if (number === undefined || number < least) {
    throw new CommandError(
      stage === '$limit' ? 15958 : 5107200,
      `invalid argument to ${stage} stage: ${toText(value)}`,
    );
  }
  return Number(number);
}

function documentOf(stage: string, value: BsonValue): BsonValue {
  if (value.type === bsonType.document) return value;
  throw new CommandError(15959, `the ${stage} specification must be an object`);
}

function countStage(value: BsonValue): (source: Batches) => Batches {
  const name = value.type === bsonType.string ? value.text : '';
  if (name === '' || name.startsWith('$') || name.includes('.')) {
    throw new CommandError(40156, 'the count field must be a non-empty string without $ at its start and without dots');
  }
  return (source) => {
    let count = 0;
    return collectBatches(source, {
      add: () => void count++,
      result: () => (count === 0 ? [] : [writeDocument({ [name]: count })]),
    });
  };
}

function parseStage(name: string, value: BsonValue): (source: Batches) => Batches {
  switch (name) {
    case '$match': {
      const filter = parseFilter(documentOf(name, value));
      return (source) =>
        mapBatches(source, (document) => (matchesFilter(filter, documentValue(document)) ? document : undefined));
    }
    case '$sort': {
      const order = parseSort(documentOf(name, value));
      return (source) => sortBatches(source, order);
    }
    case '$skip': {
      const skip = wholeNumber(name, value, 0n);
      return (source) => skipBatches(source, skip);
    }
    case '$limit': {
      const limit = wholeNumber(name, value, 1n);
      return (source) => limitBatches(source, limit);
    }
    case '$project': {
      const projection = parseProjection(documentOf(name, value));
      if (projection === undefined) throw new CommandError(51272, '$project needs at least one field');
      return (source) => mapBatches(source, (document) => project(projection, document));
    }
    case '$group': {
      const collector = parseGroup(value);
      return (source) => collectBatches(source, collector());
    }
    case '$count':
      return countStage(value);
    default:
      throw new CommandError(40324, `Unrecognized or unsupported pipeline stage name: '${name}'`);
  }
}

/** Parses an aggregation pipeline. @throws CommandError naming a stage or operator outside the scope */
export function parsePipeline(pipeline: BsonValue): Pipeline {
  if (pipeline.type !== bsonType.array) throw new CommandError(code.typeMismatch, "'pipeline' option must be an array");
  const filters: Filter[] = [];
  let order: SortOrder = [];
  const stages: ((source: Batches) => Batches)[] = [];
  for (const item of itemsOf(pipeline)) {
    const [only, ...more] = item.type === bsonType.document ? fieldsOf(item) : [];
    if (only === undefined || more.length > 0) {
      throw new CommandError(40323, 'A pipeline stage specification object must contain exactly one field.');
    }
    const [name, value] = only;
    const isLeading = stages.length === 0 && order.length === 0;
    if (isLeading && name === '$match') filters.push(parseFilter(documentOf(name, value)));
    else if (isLeading && name === '$sort') order = parseSort(documentOf(name, value));
    else stages.push(parseStage(name, value));
  }
  return { filter: filters.length === 0 ? matchAll : { kind: 'and', parts: filters }, order, stages };
}
