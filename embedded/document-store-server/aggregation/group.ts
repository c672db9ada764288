import { assembleDocument } from '../bson/assemble.js';
import { type BsonValue, bsonType, documentValue, fieldsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { type Accumulator, type CreateAccumulator, detached } from '../expressions/accumulators.js';
import type { Expressions } from '../expressions/compile.js';
import { constant, type Expression } from '../expressions/expression.js';
import { identityOf, int32Value, nullValue } from '../expressions/values.js';
import { collectBatches } from '../query/pipeline.js';
import { accumulatorNames, entryOverhead, groupAccumulators } from './group-accumulators.js';
import { Memory } from './memory.js';
import { objectSpec, type Stage, type StageParser } from './stage.js';

interface Field {
  name: string;
  create: CreateAccumulator;
  operand: Expression;
}

interface Group {
  id: BsonValue;
  accumulators: Accumulator[];
}

/** @throws CommandError 40234 to 40238, 15952 */
export function parseGroupField(name: string, value: BsonValue, expressions: Expressions): Field {
  const fields = value.type === bsonType.document ? fieldsOf(value) : [];
  if (name.includes('.')) throw new CommandError(40235, `The field name '${name}' cannot contain '.'`);
  if (name.startsWith('$')) throw new CommandError(40236, `The field name '${name}' cannot be an operator name`);
  const [only, ...more] = fields;
  if (only === undefined) throw new CommandError(40234, `The field '${name}' must be an accumulator object`);
  if (more.length > 0) throw new CommandError(40238, `The field '${name}' must specify one accumulator`);
  const [operator, operand] = only;
  if (operator === '$count') {
    if (operand.type !== bsonType.document || fieldsOf(operand).length > 0) {
      throw new CommandError(code.typeMismatch, '$count takes no arguments, i.e. $count:{}');
    }
    return { name, create: groupAccumulators['$sum'] as CreateAccumulator, operand: constant(int32Value(1)) };
  }
  const create = Object.hasOwn(groupAccumulators, operator) ? groupAccumulators[operator] : undefined;
  if (create === undefined) {
    throw new CommandError(15952, `unknown group operator '${operator}'; supported are: ${accumulatorNames.join(' ')}`);
  }
  if (operand.type === bsonType.array) {
    throw new CommandError(40237, `The ${operator} accumulator is a unary operator`);
  }
  return { name, create, operand: expressions.compile(operand) };
}

function parseId(value: BsonValue, expressions: Expressions): Expression {
  const fields = value.type === bsonType.document ? fieldsOf(value) : [];
  const isObject = fields.length > 0 && fields[0]?.[0].startsWith('$') !== true;
  if (isObject && fields.some(([, field]) => field.isNumber || field.type === bsonType.boolean)) {
    throw new CommandError(17390, '$group does not support inclusion-style expressions');
  }
  return expressions.compile(value);
}

function* resultOf(groups: Iterable<Group>, fields: readonly Field[]): Generator<Buffer> {
  for (const { id, accumulators } of groups) {
    yield assembleDocument([
      ['_id', id],
      ...fields.map(({ name }, at) => [name, accumulators[at]?.result() ?? nullValue] as const),
    ]).bytes;
  }
}

/** A stage that gives one document a group. Missing and null ids are one group. */
export function groupStage(id: Expression, fields: readonly Field[], expressions: Expressions): Stage {
  const frame = expressions.frame();
  return (source, turns) => {
    const memory = new Memory('$group', turns);
    const take = (bytes: number) => memory.take(bytes);
    const groups = new Map<string, Group>();
    const collector = {
      add(document: Buffer) {
        frame.root = documentValue(document);
        const value = id.evaluate(frame) ?? nullValue;
        const key = identityOf(value);
        let group = groups.get(key);
        if (group === undefined) {
          group = { id: detached(value), accumulators: fields.map(({ create }) => create(take)) };
          memory.take(group.id.buffer.length + key.length + entryOverhead * (1 + fields.length));
          groups.set(key, group);
        }
        for (let at = 0; at < fields.length; at++) {
          group.accumulators[at]?.add(fields[at]?.operand.evaluate(frame));
        }
      },
      result: () => resultOf(groups.values(), fields),
    };
    return collectBatches(source, collector, turns);
  };
}

/**
 * `$group`: `_id` and accumulators over any expressions.
 *
 * @throws CommandError 15947, 15955 without `_id`, 15952 for an unknown accumulator, 40234 to 40238
 */
export const parseGroup: StageParser = (spec, expressions, name) => {
  let id: Expression | undefined;
  const fields: Field[] = [];
  for (const [field, value] of fieldsOf(objectSpec(spec, 15947, name))) {
    if (field !== '_id') fields.push(parseGroupField(field, value, expressions));
    else if (id === undefined) id = parseId(value, expressions);
    else throw new CommandError(15948, "a group's _id may only be specified once");
  }
  if (id === undefined) throw new CommandError(15955, 'a group specification must include an _id');
  return groupStage(id, fields, expressions);
};
