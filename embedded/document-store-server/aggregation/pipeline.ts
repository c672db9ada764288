import { type BsonValue, bsonType, itemsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import type { Expressions } from '../expressions/compile.js';
import { type Filter, matchAll } from '../query/filter.js';
import type { SortOrder } from '../query/sort.js';
import { parseBucket } from './bucket.js';
import { countingStages } from './counting.js';
import { checkInFacet, parseFacet } from './facet.js';
import { flowStages, parseLimit, parseMatch, parseSkip, parseSortStage, sortStage } from './flow.js';
import { parseGroup } from './group.js';
import { shapingStages } from './shaping.js';
import { type NamedStage, namedStage, type Stage, type StageParser } from './stage.js';
import { parseUnwind } from './unwind.js';

/** A parsed pipeline: what the scan itself does (leading `$match`, `$sort`, `$skip`, `$limit`), and the stages after it. */
export interface Pipeline {
  filter: Filter;
  order: SortOrder;
  skip: number;
  /** 0 for none */
  limit: number;
  stages: Stage[];
}

const parsers: Record<string, StageParser> = {
  ...flowStages,
  ...shapingStages,
  ...countingStages,
  $group: parseGroup,
  $unwind: parseUnwind,
  $bucket: parseBucket,
  $facet: (spec, expressions) => parseFacet(spec, (pipeline) => parseStages(namedStages(pipeline, true), expressions)),
};

/** The stages that pipelines may have. */
export const stageNames = Object.keys(parsers);

function namedStages(pipeline: BsonValue, inFacet: boolean): NamedStage[] {
  return itemsOf(pipeline).map((item) => {
    const { name, spec } = namedStage(item);
    if (inFacet) checkInFacet(name);
    if (!Object.hasOwn(parsers, name)) {
      throw new CommandError(
        40324,
        `Unrecognized or unsupported pipeline stage name: '${name}'; supported are: ${stageNames.join(' ')}`,
      );
    }
    return { name, spec };
  });
}

/** How many documents the stages behind a `$sort` need of it. */
function neededAfter(stages: readonly NamedStage[]): number | undefined {
  const [first, second] = stages;
  if (first?.name === '$limit') return parseLimit(first.spec);
  if (first?.name === '$skip' && second?.name === '$limit') return parseSkip(first.spec) + parseLimit(second.spec);
  return undefined;
}

function parseStages(stages: readonly NamedStage[], expressions: Expressions): Stage[] {
  return stages.map(({ name, spec }, at) =>
    name === '$sort'
      ? sortStage(parseSortStage(spec), neededAfter(stages.slice(at + 1)))
      : (parsers[name] as StageParser)(spec, expressions, name),
  );
}

/**
 * Parses an aggregation pipeline.
 *
 * @throws CommandError 40324 naming a stage outside the scope, 40323 for a malformed one, or a stage's own codes
 */
export function parsePipeline(pipeline: BsonValue, expressions: Expressions): Pipeline {
  if (pipeline.type !== bsonType.array) throw new CommandError(code.typeMismatch, "'pipeline' option must be an array");
  const rest = namedStages(pipeline, false);
  const next = (name: string) => (rest[0]?.name === name ? rest.shift()?.spec : undefined);
  const filters: Filter[] = [];
  for (let spec = next('$match'); spec !== undefined; spec = next('$match'))
    filters.push(parseMatch(spec, expressions));
  const sort = next('$sort');
  const skip = next('$skip');
  const limit = next('$limit');
  return {
    filter: filters.length === 0 ? matchAll : { kind: 'and', parts: filters },
    order: sort === undefined ? [] : parseSortStage(sort),
    skip: skip === undefined ? 0 : parseSkip(skip),
    limit: limit === undefined ? 0 : parseLimit(limit),
    stages: parseStages(rest, expressions),
  };
}
