import { expect } from 'chai';
import type { Document, Filter, IndexSpecification } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import type { Doc, Target } from './document-store-targets.js';
import { titleOf } from './exact-documents.js';

/** A filter, and the names of the documents it finds, between spaces. */
export type FilterCase = [filter: Document, found: string];

/**
 * One test a filter: it finds the same documents by a scan and through an index.
 *
 * @param documents by name, which becomes their `_id`
 * @param index on the field that the filters are about
 */
export function finds(
  target: () => Target,
  documents: Record<string, Document>,
  cases: FilterCase[],
  index: IndexSpecification = { a: 1 },
): void {
  const names = new Map<string, string>();
  before(async () => {
    const { db, fresh } = target();
    for (const kind of ['scanned', 'indexed']) {
      const name = fresh(kind);
      names.set(kind, name);
      const collection = db.collection<Doc>(name);
      await collection.insertMany(Object.entries(documents).map(([_id, fields]) => ({ ...fields, _id })));
      if (kind === 'indexed') await collection.createIndex(index);
    }
  });
  for (const [filter, found] of cases) {
    it(`${titleOf(filter)} finds ${found === '' ? 'nothing' : found}`, async () => {
      for (const [kind, name] of names) {
        const cursor = target()
          .db.collection<Doc>(name)
          .find(filter as Filter<Doc>);
        if (kind === 'indexed') cursor.hint(index as Document);
        const ids = (await cursor.project({ _id: 1 }).toArray()).map(({ _id }) => String(_id));
        expect(ids.sort(), kind).to.deep.equal(found.split(' ').filter(Boolean).sort());
      }
    });
  }
}

/** One test a filter that is refused with a code, whether there is a document or not. */
export function refuses(target: () => Target, cases: [filter: Document, code: number][]): void {
  for (const [filter, code] of cases) {
    it(`${titleOf(filter)} is refused with ${code}`, async () => {
      const collection = target().collection('refused');
      const find = () => failure(collection.find(filter as Filter<Doc>).toArray());
      expect((await find()).code).to.equal(code);
      await collection.insertOne({ _id: 1, a: [1] });
      expect((await find()).code).to.equal(code);
      expect((await failure(collection.deleteMany(filter as Filter<Doc>))).code).to.equal(code);
    });
  }
}
