import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType } from '../bson/value.js';
import { CommandError } from '../errors.js';
import type { Expressions } from '../expressions/compile.js';
import { type Batches, inTurns, type Turns } from '../query/pipeline.js';

/** What a stage makes of the documents before it. */
export type Stage = (source: Batches, turns: Turns) => Batches;

/** @param spec what stands behind the stage's name */
export type StageParser = (spec: BsonValue, expressions: Expressions, name: string) => Stage;

/** One stage after the other, each of them in turns with other clients. */
export function runStages(source: Batches, stages: readonly Stage[], turns: Turns): Batches {
  return stages.reduce((before, stage) => inTurns(stage(before, turns), turns), source);
}

/** @throws CommandError with `wrongType` when the specification is no object */
export function objectSpec(spec: BsonValue, wrongType: number, name: string): BsonValue {
  if (spec.type === bsonType.document) return spec;
  throw new CommandError(wrongType, `the ${name} stage specification must be an object, not ${toText(spec)}`);
}
