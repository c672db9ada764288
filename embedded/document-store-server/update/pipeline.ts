import { transforms } from '../aggregation/shaping.js';
import { namedStage } from '../aggregation/stage.js';
import { type BsonValue, itemsOf } from '../bson/value.js';
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
    const { name, spec } = namedStage(item);
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
