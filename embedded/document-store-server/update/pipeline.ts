import { transforms } from '../aggregation/shaping.js';
import { type BsonValue, bsonType, fieldsOf, itemsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import type { Expressions } from '../expressions/compile.js';

/** An update by an aggregation pipeline of stages that each make one document of one. */
export interface PipelineUpdate {
  kind: 'pipeline';
  transform(document: Buffer): Buffer;
}

/** MongoDB's other stages. An update may not have them; what is not here either, MongoDB does not know. */
const otherStages = new Set(
  '$bucket $bucketAuto $changeStream $collStats $count $densify $documents $facet $fill $geoNear $graphLookup $group $indexStats $limit $listSessions $lookup $match $merge $out $planCacheStats $redact $sample $search $setWindowFields $skip $sort $sortByCount $unionWith $unwind'.split(
    ' ',
  ),
);

/**
 * Parses the array of stages that stands in the place of an update's modifiers.
 *
 * @throws CommandError 72 for a stage that no update may have, 40324 for an unknown one, 40323 and 14 for malformed ones
 */
export function parsePipelineUpdate(pipeline: BsonValue, expressions: Expressions): PipelineUpdate {
  const steps = itemsOf(pipeline).map((item) => {
    if (item.type !== bsonType.document) {
      throw new CommandError(code.typeMismatch, "Each element of the 'pipeline' array must be an object");
    }
    const [only, ...more] = fieldsOf(item);
    if (only === undefined || more.length > 0) {
      throw new CommandError(40323, 'A pipeline stage specification object must contain exactly one field.');
    }
    const [name, spec] = only;
    const parse = Object.hasOwn(transforms, name) ? transforms[name] : undefined;
    if (parse !== undefined) return parse(spec, expressions, name);
    const supported = Object.keys(transforms).join(' ');
    throw otherStages.has(name)
      ? new CommandError(
          code.invalidOptions,
          `${name} is not allowed to be used within an update; supported are: ${supported}`,
        )
      : new CommandError(40324, `Unrecognized pipeline stage name: '${name}'; supported are: ${supported}`);
  });
  return { kind: 'pipeline', transform: (document) => steps.reduce((before, step) => step(before), document) };
}
