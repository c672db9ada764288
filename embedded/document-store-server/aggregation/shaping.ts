import { type BsonValue, bsonType, documentValue, fieldsOf, itemsOf } from '../bson/value.js';
import { writeDocument, writeFields } from '../bson/write.js';
import { CommandError } from '../errors.js';
import type { Expressions } from '../expressions/compile.js';
import { type Expression, typeOf } from '../expressions/expression.js';
import { parseAddFields } from '../projection/add-fields.js';
import { parseProjectionTree } from '../projection/parse.js';
import { project } from '../projection/projection.js';
import { mapBatches } from '../query/pipeline.js';
import { objectSpec, type StageParser } from './stage.js';

/** What a stage makes of one document, whatever comes before or behind it. */
type Transform = (document: Buffer) => Buffer;

type TransformParser = (spec: BsonValue, expressions: Expressions, name: string) => Transform;

function projecting(spec: BsonValue, expressions: Expressions): Transform {
  const projection = { ...parseProjectionTree(spec, expressions, false), frame: expressions.frame() };
  return (document) => project(projection, document);
}

const addFields: TransformParser = (spec, expressions, name) => {
  const root = parseAddFields(objectSpec(spec, 40272, name), expressions);
  const frame = expressions.frame();
  return (document) => project({ mode: 'addition', root, frame }, document);
};

const unset: TransformParser = (spec, expressions) => {
  if (spec.type !== bsonType.string && spec.type !== bsonType.array) {
    throw new CommandError(31002, '$unset specification must be a string or an array');
  }
  const names = (spec.type === bsonType.string ? [spec] : itemsOf(spec)).map((item) => {
    if (item.type !== bsonType.string) throw new CommandError(31120, '$unset specification must be of strings only');
    return item.text;
  });
  if (names.length === 0) {
    throw new CommandError(31119, '$unset specification must be a string or an array with at least one field');
  }
  return projecting(documentValue(writeFields(names.map((name) => [name, false] as const))), expressions);
};

function replacing(expression: Expression, expressions: Expressions, name: string): Transform {
  const frame = expressions.frame();
  return (document) => {
    frame.root = documentValue(document);
    const root = expression.evaluate(frame);
    if (root?.type === bsonType.document) return root.bytes;
    throw new CommandError(40228, `${name}: 'newRoot' must evaluate to an object, but is of type ${typeOf(root)}`);
  };
}

const replaceRoot: TransformParser = (spec, expressions, name) => {
  const fields = fieldsOf(objectSpec(spec, 40229, name));
  const stray = fields.find(([field]) => field !== 'newRoot');
  if (stray !== undefined) throw new CommandError(40230, `unrecognized option to $replaceRoot stage: ${stray[0]}`);
  const [newRoot] = fields;
  if (newRoot === undefined) throw new CommandError(40231, 'no newRoot specified for the $replaceRoot stage');
  return replacing(expressions.compile(newRoot[1]), expressions, name);
};

/** The stages that make one document of each: what an update by a pipeline may have. */
export const transforms: Record<string, TransformParser> = {
  $project(spec, expressions, name) {
    if (objectSpec(spec, 15969, name).bytes.equals(writeDocument({}))) {
      throw new CommandError(51272, 'projection specification must have at least one field');
    }
    return projecting(spec, expressions);
  },
  $addFields: addFields,
  $set: addFields,
  $unset: unset,
  $replaceRoot: replaceRoot,
  $replaceWith: (spec, expressions, name) => replacing(expressions.compile(spec), expressions, name),
};

function stageOf(parse: TransformParser): StageParser {
  return (spec, expressions, name) => {
    const transform = parse(spec, expressions, name);
    return (source, turns) => mapBatches(source, transform, turns);
  };
}

export const shapingStages: Record<string, StageParser> = Object.fromEntries(
  Object.entries(transforms).map(([name, parse]) => [name, stageOf(parse)]),
);
