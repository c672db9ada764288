import { expect } from 'chai';
import type { Document } from 'mongodb';
import { failure } from '../../../embedded/document-store-server/test-server.js';
import type { Doc, Target } from './document-store-targets.js';
import { textOf, textsOf, titleOf } from './exact-documents.js';

export const missing = Symbol('missing');
export const refused: unique symbol = Symbol('refused');

/** A pipeline and what it gives: documents, or the code it is refused with, `refused` where that may be any. */
export type PipelineCase = [pipeline: Document[], given: Document[] | number | typeof refused];

/**
 * One test a pipeline over the same documents. The order of what is given counts only where the pipeline sorts last.
 *
 * @param documents numbered by an `_id` from 1 where they have none
 */
export function gives(target: () => Target, documents: Document[], cases: PipelineCase[]): void {
  let name: string;
  before(async () => {
    name = target().fresh('piped');
    const stored = documents.map((document, at) => ({ _id: at + 1, ...document }));
    if (stored.length > 0) await target().db.collection<Doc>(name).insertMany(stored);
  });
  for (const [pipeline, given] of cases) {
    const fails = given === refused ? 'is refused' : `is refused with ${String(given)}`;
    const outcome = Array.isArray(given) ? `gives ${titleOf(given)}` : fails;
    it(`${titleOf(pipeline)} ${outcome}`, async () => {
      const cursor = target().db.collection(name).aggregate(pipeline, { raw: true });
      if (!Array.isArray(given)) {
        const { code } = await failure(cursor.toArray());
        if (given === refused) expect(code).to.be.a('number');
        else expect(code).to.equal(given);
        return;
      }
      const [texts, expected] = [await textsOf(cursor), given.map(textOf)];
      const isOrdered = pipeline.some((stage) => '$sort' in stage || '$sortByCount' in stage || '$bucket' in stage);
      expect(isOrdered ? texts : texts.sort()).to.deep.equal(isOrdered ? expected : expected.sort());
    });
  }
}

/** What an expression comes to; `missing` where it leaves no value, `refused` where it fails. */
export type ExpressionCase = [expression: unknown, value: unknown];

/** One test an expression, over one document. */
export function evaluates(target: () => Target, document: Document, cases: ExpressionCase[]): void {
  let name: string;
  before(async () => {
    name = target().fresh('evaluated');
    await target()
      .db.collection<Doc>(name)
      .insertOne({ _id: 1, ...document });
  });
  for (const [expression, value] of cases) {
    const outcome = typeof value === 'symbol' ? `is ${value.description}` : `is ${titleOf(value)}`;
    it(`${titleOf(expression)} ${outcome}`, async () => {
      const pipeline = [{ $project: { _id: 0, value: expression } }];
      const cursor = target().db.collection(name).aggregate(pipeline, { raw: true });
      if (value === refused) {
        expect((await failure(cursor.toArray())).code).to.be.a('number');
        return;
      }
      expect(await textsOf(cursor)).to.deep.equal([textOf(value === missing ? {} : { value })]);
    });
  }
}
