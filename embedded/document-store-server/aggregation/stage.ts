import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, fieldsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import type { Expressions } from '../expressions/compile.js';
import { type Batches, inTurns, type Turns } from '../query/pipeline.js';

/** What a stage makes of the documents before it. */
export type Stage = (source: Batches, turns: Turns) => Batches;

/** @param spec what stands behind the stage's name */
export type StageParser = (spec: BsonValue, expressions: Expressions, name: string) => Stage;

/** One item of a pipeline: the stage's name, and what stands behind it. */
export interface NamedStage {
  name: string;
  spec: BsonValue;
}

/** @throws CommandError 14 and 40323 for what is no object of one field */
export function namedStage(item: BsonValue): NamedStage {
  if (item.type !== bsonType.document) {
    throw new CommandError(code.typeMismatch, "Each element of the 'pipeline' array must be an object");
  }
  const [only, ...more] = fieldsOf(item);
  if (only === undefined || more.length > 0) {
    throw new CommandError(40323, 'A pipeline stage specification object must contain exactly one field.');
  }
  const [name, spec] = only;
  return { name, spec };
}

/** One stage after the other, each of them in turns with other clients. */
export function runStages(source: Batches, stages: readonly Stage[], turns: Turns): Batches {
  return stages.reduce((before, stage) => inTurns(stage(before, turns), turns), source);
}

/** @throws CommandError with `wrongType` when the specification is no object */
export function objectSpec(spec: BsonValue, wrongType: number, name: string): BsonValue {
  if (spec.type === bsonType.document) return spec;
  throw new CommandError(wrongType, `the ${name} stage specification must be an object, not ${toText(spec)}`);
}
