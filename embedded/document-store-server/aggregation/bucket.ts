import { classOf, compareValues } from '../bson/key-encoding.js';
import { type BsonValue, bsonType, documentValue, fieldsOf, itemsOf } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { CommandError } from '../errors.js';
import type { Expressions } from '../expressions/compile.js';
import { constantValue, type Expression, typeOf } from '../expressions/expression.js';
import { compareOrMissing, nullValue } from '../expressions/values.js';
import { parseSort } from '../query/sort.js';
import { sortStage } from './flow.js';
import { groupStage, parseGroupField } from './group.js';
import { objectSpec, type StageParser } from './stage.js';

function constantOf(value: BsonValue, notConstant: number, what: string, expressions: Expressions): BsonValue {
  const expression = expressions.compile(value);
  if (!expression.constant) throw new CommandError(notConstant, `the $bucket ${what} must be constant`);
  return constantValue(expression) ?? nullValue;
}

function parseBoundaries(value: BsonValue, expressions: Expressions): BsonValue[] {
  if (value.type !== bsonType.array) {
    throw new CommandError(40200, `the $bucket 'boundaries' field must be an array, but found ${typeOf(value)}`);
  }
  const boundaries = itemsOf(value).map((item) => constantOf(item, 40191, "'boundaries'", expressions));
  if (boundaries.length < 2)
    throw new CommandError(40192, "the $bucket 'boundaries' field must have at least 2 values");
  boundaries.reduce((lower, upper) => {
    if (classOf(lower.type) !== classOf(upper.type)) {
      throw new CommandError(40193, "all values in the 'boundaries' option to $bucket must have the same type");
    }
    if (compareValues(lower, upper) >= 0) {
      throw new CommandError(40194, "the 'boundaries' option to $bucket must be sorted in ascending order");
    }
    return upper;
  });
  return boundaries;
}

function checkGroupBy(value: BsonValue): void {
  const isPath = value.type === bsonType.string && value.text.startsWith('$');
  const isExpression = value.type === bsonType.document && fieldsOf(value)[0]?.[0].startsWith('$') === true;
  if (!isPath && !isExpression) {
    throw new CommandError(40202, "the $bucket 'groupBy' field must be defined as a $-prefixed path or an expression");
  }
}

function checkDefault(value: BsonValue, boundaries: readonly BsonValue[]): void {
  const [first = nullValue] = boundaries;
  const last = boundaries.at(-1) ?? nullValue;
  const isInside = compareValues(value, first) >= 0 && compareValues(value, last) < 0;
  if (classOf(value.type) === classOf(first.type) && isInside) {
    throw new CommandError(40199, "the $bucket 'default' field must lie outside of the boundaries");
  }
}

/** The lower boundary of the bucket a value is in. */
function bucketOf(groupBy: Expression, boundaries: readonly BsonValue[], otherwise: BsonValue | undefined): Expression {
  return {
    constant: false,
    evaluate(frame) {
      const value = groupBy.evaluate(frame);
      // a missing value comes before every boundary
      const upper = boundaries.findIndex((boundary) => compareOrMissing(value, boundary) < 0);
      const bucket = upper > 0 ? boundaries[upper - 1] : otherwise;
      if (bucket === undefined) {
        throw new CommandError(40066, '$bucket found a value outside of its boundaries, and no default was specified');
      }
      return bucket;
    },
  };
}

const byId = parseSort(documentValue(writeDocument({ _id: 1 })));
const onlyCount = documentValue(writeDocument({ count: { $sum: 1 } }));
const options = new Set(['groupBy', 'boundaries', 'default', 'output']);

/** `$bucket`: groups by ranges of a value, in their order. */
export const parseBucket: StageParser = (spec, expressions, name) => {
  const given = new Map(fieldsOf(objectSpec(spec, 40201, name)));
  const stray = [...given.keys()].find((option) => !options.has(option));
  if (stray !== undefined) throw new CommandError(40197, `Unrecognized option to $bucket: ${stray}`);
  const groupBy = given.get('groupBy');
  if (groupBy !== undefined) checkGroupBy(groupBy);
  const listed = given.get('boundaries');
  const boundaries = listed && parseBoundaries(listed, expressions);
  const fallback = given.get('default');
  const otherwise = fallback && constantOf(fallback, 40195, "'default'", expressions);
  const output = given.get('output') ?? onlyCount;
  if (output.type !== bsonType.document) {
    throw new CommandError(40196, `the $bucket 'output' field must be an object, but found ${typeOf(output)}`);
  }
  if (groupBy === undefined || boundaries === undefined) {
    throw new CommandError(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified");
  }
  if (otherwise !== undefined) checkDefault(otherwise, boundaries);
  const fields = fieldsOf(output).map(([field, value]) => parseGroupField(field, value, expressions));
  const grouped = groupStage(bucketOf(expressions.compile(groupBy), boundaries, otherwise), fields, expressions);
  const sorted = sortStage(byId, undefined);
  return (source, turns) => sorted(grouped(source, turns), turns);
};
