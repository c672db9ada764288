import { assembleDocument } from '../bson/assemble.js';
import { type BsonValue, bsonType, documentValue, fieldsOf } from '../bson/value.js';
import { CommandError } from '../errors.js';
import { typeOf } from '../expressions/expression.js';
import { checkFieldName } from '../expressions/field-path.js';
import { arrayValue } from '../expressions/values.js';
import type { Batches, Turns } from '../query/pipeline.js';
import { Memory } from './memory.js';
import { objectSpec, runStages, type Stage } from './stage.js';

interface Round {
  step: Promise<IteratorResult<Buffer[], void>>;
  settle(step: Promise<IteratorResult<Buffer[], void>>): void;
}

function nextRound(): Round {
  let settle: Round['settle'] = () => undefined;
  const step = new Promise<IteratorResult<Buffer[], void>>((resolve) => {
    settle = resolve;
  });
  return { step, settle };
}

/**
 * One source for several readers, who get every batch in step: the source goes on when all that still read have asked
 * for more, so that no batch waits for anybody.
 */
export function shareBatches(source: Batches, readers: number): Batches[] {
  let reading = readers;
  let asking = 0;
  let round = nextRound();
  const pull = () => {
    if (asking < reading || reading === 0) return;
    asking = 0;
    const { settle } = round;
    round = nextRound();
    settle(source.next());
  };
  async function* reader(): Batches {
    try {
      for (;;) {
        const { step } = round;
        asking++;
        pull();
        const { done, value } = await step;
        if (done === true) return;
        yield value;
      }
    } finally {
      reading--;
      pull();
    }
  }
  return Array.from({ length: readers }, reader);
}

/** Pipelines over the same documents; each becomes an array field of the one document that comes out. */
function facetStage(facets: readonly { name: string; stages: Stage[] }[]): Stage {
  return async function* (source: Batches, turns: Turns): Batches {
    const memory = new Memory('$facet', turns);
    const collect = async (batches: Batches) => {
      const documents: BsonValue[] = [];
      for await (const batch of batches) {
        for (const document of batch) {
          memory.take(document.length);
          documents.push(documentValue(document));
        }
      }
      return arrayValue(documents);
    };
    const readers = shareBatches(source, facets.length);
    const results = await Promise.allSettled(
      facets.map(async ({ stages }, at) => {
        try {
          return await collect(runStages(readers[at] as Batches, stages, turns));
        } catch (err) {
          // the others need not read on
          await source.return();
          throw err;
        }
      }),
    );
    await source.return();
    const fields = results.map((result, at) => {
      if (result.status === 'rejected') throw result.reason;
      return [facets[at]?.name ?? '', result.value] as const;
    });
    yield [assembleDocument(fields).bytes];
  };
}

const banned = new Set(['$facet', '$out', '$merge', '$geoNear', '$indexStats', '$collStats']);

/** @param parseStages parses a pipeline inside */
export function parseFacet(spec: BsonValue, parseStages: (pipeline: BsonValue) => Stage[]): Stage {
  const fields = fieldsOf(objectSpec(spec, 40169, '$facet'));
  if (fields.length === 0) throw new CommandError(40169, 'the $facet specification must be a non-empty object');
  const names = new Set<string>();
  const facets = fields.map(([name, pipeline]) => {
    checkFieldName(name);
    if (names.has(name)) throw new CommandError(40170, `the $facet output '${name}' is named twice`);
    names.add(name);
    if (pipeline.type !== bsonType.array) {
      throw new CommandError(40170, `arguments to $facet must be arrays, ${name} is type ${typeOf(pipeline)}`);
    }
    return { name, stages: parseStages(pipeline) };
  });
  return facetStage(facets);
}

/** @throws CommandError 40600 for a stage that may not stand inside `$facet` */
export function checkInFacet(stage: string): void {
  if (banned.has(stage)) throw new CommandError(40600, `${stage} is not allowed to be used within a $facet stage`);
}
