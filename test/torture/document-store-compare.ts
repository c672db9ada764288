import type { Db, Document } from 'mongodb';
import { inParallel } from '../../runtime/in-parallel.js';
import { eventually } from '../support/eventually.js';
import type { Books } from './document-store-calls.js';
import { type Content, canonical } from './document-store-content.js';
import { expiring, indexPlans } from './document-store-indexes.js';
import { keyOf } from './document-store-ledger.js';
import { projectionAt } from './document-store-writers.js';
import { demand } from './violation.js';

const naturally = { $natural: 1 };
const modelled = ['docs', 'wide'];
const lanes = 4;
const expiryLimitMs = 10_000;

/**
 * Compares what a store holds, when nothing is in flight, with what was sent; and every index, and the counts, with the
 * documents.
 *
 * @returns how many documents there are
 * @throws Violation
 */
export async function compare(db: Db, books: Books): Promise<number> {
  const { ledger, shared, indexes } = books;
  const stored = new Map<string, Content>();
  const sharedContents = new Map<string, Content[]>([
    ['counters', []],
    ['projections', []],
  ]);
  let documents = 0;
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  await inParallel(names, lanes, async (name) => {
    if (name === expiring) await expired(db);
    const contents = await db.collection<Content>(name).find({}, { hint: naturally, batchSize: 1_000 }).toArray();
    documents += contents.length;
    await compareCounts(db, name, contents.length);
    await compareIndexes(db, name, contents);
    const common = sharedContents.get(name);
    if (common !== undefined) common.push(...contents);
    else for (const content of contents) stored.set(keyOf(name, content._id), content);
  });
  books.expiring = 0;
  for (const name of modelled) {
    const listed = names.includes(name) ? await db.collection(name).indexes() : [];
    indexes.settle(
      name,
      listed.map((index) => String(index.name)),
    );
  }
  ledger.settle(stored);
  const numbers = (name: string, field: string) =>
    new Map(sharedContents.get(name)?.map((content) => [content._id, Number(content[field])]));
  for (const content of sharedContents.get('projections') ?? []) {
    const whole = canonical(content) === canonical(projectionAt(content._id, Number(content['position'])));
    demand(whole, () => `the projection ${content._id} is torn: ${JSON.stringify(content)}`);
  }
  shared.settle(numbers('counters', 'n'), numbers('projections', 'position'));
  return documents;
}

/** Waits until nothing is there any more that has expired. */
async function expired(db: Db): Promise<void> {
  const left = () => db.collection(expiring).countDocuments({ fades: true });
  await eventually('expired documents to go', async () => (await left()) === 0, expiryLimitMs);
}

async function compareCounts(db: Db, name: string, count: number): Promise<void> {
  const docs = db.collection(name);
  const [estimated, counted] = [await docs.estimatedDocumentCount(), await docs.countDocuments({})];
  demand(
    estimated === count && counted === count,
    () => `${name} has ${count} documents, its counter says ${estimated}, counting them ${counted}`,
  );
}

async function compareIndexes(db: Db, name: string, contents: readonly Content[]): Promise<void> {
  const docs = db.collection<Content>(name);
  for (const { name: index, unique, key } of await docs.indexes()) {
    if (index === undefined) continue;
    const plan = indexPlans.find((one) => one.name === index);
    const covered: Document = plan?.covered ?? {};
    const by = (hint: string | Document, filter: Document) =>
      docs
        .find(filter, { hint, projection: { _id: 1 }, batchSize: 1_000 })
        .map(({ _id }) => _id)
        .toArray();
    const [field = ''] = Object.keys(key as object);
    const filters = [covered];
    const some = contents[Math.floor(contents.length / 2)]?.[field];
    if (Object.keys(covered).length === 0 && some !== undefined && !Array.isArray(some))
      filters.push({ [field]: some });
    for (const filter of filters) {
      const byIndex = await by(index, filter);
      const given = new Set(byIndex);
      const isWhole = Object.keys(filter).length === 0;
      const byScan = isWhole ? contents.map(({ _id }) => _id) : await by(naturally, filter);
      const told = () => `${name}: ${JSON.stringify(filter)} by the index ${index}`;
      demand(given.size === byIndex.length, () => `${told()} gives a document twice`);
      const missing = byScan.filter((id) => !given.has(id));
      demand(
        missing.length === 0 && byIndex.length === byScan.length,
        () => `${told()} gives ${byIndex.length} documents, a scan ${byScan.length}; missing: ${missing.slice(0, 5)}`,
      );
      const explained = JSON.stringify(await docs.find(filter, { hint: index }).explain('queryPlanner'));
      demand(explained.includes(`"${index}"`), () => `${told()} is not answered by the index`);
    }
    if (unique !== true || index === '_id_') continue;
    const values = contents.map((content) => content[field]).filter((value) => value !== undefined);
    demand(new Set(values).size === values.length, () => `${name} has a value twice under the unique index ${index}`);
  }
}
