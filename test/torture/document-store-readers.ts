import type { Db, Document, Long } from 'mongodb';
import { type Random, seeded } from '../support/seeded.js';
import { ask, type Flight } from './document-store-ask.js';
import type { Content } from './document-store-content.js';
import { indexPlans } from './document-store-indexes.js';
import { demand } from './violation.js';

/** A cursor that somebody is in the middle of. */
export interface OpenCursor {
  readonly id: Long;
  readonly collection: string;
}

/** Documents that nobody ever changes: their ids, by collection. A whole scan gives each of them once. */
export type Still = ReadonlyMap<string, ReadonlySet<string>>;

interface Batch {
  readonly cursor: { readonly id: Long; readonly firstBatch?: Content[]; readonly nextBatch?: Content[] };
}

const exactIds = { promoteLongs: false };
const badValue = 2;
const planKilled = 175;
const mostOpen = 12;

/**
 * Readers side by side, by raw commands so that every cursor is known: scans by nature and by index, some of them left
 * open, until there is nothing more to begin.
 *
 * @param open takes the cursors that are in the middle of their result
 * @returns how many documents they were given
 * @throws Violation
 */
export async function runReaders(
  flight: Flight,
  dbs: readonly Db[],
  still: Still,
  open: Set<OpenCursor>,
  random: Random,
  readers: number,
): Promise<number> {
  const run = random.uuid();
  let seen = 0;
  const read = async (number: number) => {
    const own = seeded(run, 'reader', number);
    const db = dbs[number % dbs.length];
    if (db === undefined) return;
    for (let n = 0; flight.going(); n += 1) {
      // There is a cursor in the middle of its result from the start on.
      const given = await scan(flight, db, still, open, own, n === 0 && number < 2);
      if (given === undefined) return;
      seen += given;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: readers }, (_, number) => read(number)));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return seen;
}

/** @returns how many documents it gave; undefined when there was no answer */
async function scan(
  flight: Flight,
  db: Db,
  still: Still,
  open: Set<OpenCursor>,
  random: Random,
  stays: boolean,
): Promise<number | undefined> {
  const collection = random.chance(0.7) ? 'docs' : 'wide';
  const plan = random.chance(0.5) ? random.pick(indexPlans) : undefined;
  const filter: Document = plan?.covered ?? (random.chance(0.3) ? { owner: 'still' } : {});
  const batchSize = stays ? 5 : random.between(5, 400);
  const find = { find: collection, filter, batchSize, ...(plan === undefined ? {} : { hint: plan.name }) };
  const seen = new Set<string>();
  let cursor: OpenCursor | undefined;
  let given = 0;
  for (;;) {
    const name = `a scan of ${collection} by ${plan?.name ?? JSON.stringify(filter)}`;
    const next = cursor === undefined ? find : { getMore: cursor.id, collection, batchSize };
    const outcome = await ask(flight, cursor === undefined ? 'find' : 'getMore', () => db.command(next, exactIds));
    if (outcome.kind === 'unknown' || outcome.kind === 'stopping') return undefined;
    if (outcome.kind === 'refused') {
      const { code, err } = outcome;
      const isGone = code === planKilled || (code === badValue && cursor === undefined && plan !== undefined);
      demand(isGone, () => `${name} was refused with ${code}: ${err.message}`);
      if (cursor !== undefined) open.delete(cursor);
      return given;
    }
    const { id, firstBatch, nextBatch } = (outcome.reply as Batch).cursor;
    for (const content of firstBatch ?? nextBatch ?? []) {
      given += 1;
      demand(content['n'] === content['m'], () => `${name} gave a document that no write made: ${content._id}`);
      if (!content._id.startsWith('still-')) continue;
      demand(!seen.has(content._id), () => `${name} gave ${content._id} twice`);
      seen.add(content._id);
    }
    if (id.isZero()) break;
    if (cursor === undefined) {
      cursor = { id, collection };
      open.add(cursor);
      if (stays || (open.size < mostOpen && random.chance(0.3))) return given;
    }
  }
  if (cursor !== undefined) open.delete(cursor);
  const missed =
    plan === undefined || Object.keys(filter).length === 0 ? (still.get(collection)?.size ?? 0) - seen.size : 0;
  demand(missed === 0, () => `a whole scan of ${collection} by ${plan?.name ?? 'nature'} missed ${missed} documents`);
  return given;
}
