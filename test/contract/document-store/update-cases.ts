import { expect } from 'chai';
import type { Document, UpdateFilter, UpdateOptions } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import type { Doc, Target } from './document-store-targets.js';
import { storedText, textOf, titleOf } from './exact-documents.js';

/** A document before and after an update; instead of the latter the code it is refused with. All without their `_id`. */
export type UpdateCase = [before: Document, update: Document, after: Document | number, options?: UpdateOptions];

/** One test an update: what is stored, byte for byte, and what is said of it. A refused one changes nothing. */
export function updates(target: () => Target, cases: UpdateCase[]): void {
  for (const [before, update, after, options = {}] of cases) {
    const filters = options.arrayFilters === undefined ? '' : ` with ${titleOf(options.arrayFilters)}`;
    const outcome = typeof after === 'number' ? `is refused with ${after}` : `makes ${titleOf(after)}`;
    it(`${titleOf(update)}${filters} ${outcome} of ${titleOf(before)}`, async () => {
      const collection = target().collection('updated');
      const was = { _id: 1, ...before };
      await collection.insertOne(was);
      const run = () => collection.updateOne({ _id: 1 }, update as UpdateFilter<Doc>, options);
      if (typeof after === 'number') {
        expect((await failure(run())).code).to.equal(after);
        expect(await storedText(collection, 1)).to.equal(textOf(was));
        return;
      }
      const is = textOf({ _id: 1, ...after });
      const { matchedCount, modifiedCount, upsertedCount } = await run();
      expect(await storedText(collection, 1)).to.equal(is);
      expect([matchedCount, modifiedCount, upsertedCount]).to.deep.equal([1, is === textOf(was) ? 0 : 1, 0]);
    });
  }
}
