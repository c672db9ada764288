import { expect } from 'chai';
import { caseFromDoc } from './document-store/case.js';
import { finds } from './document-store/found/finds.js';
import { writes } from './document-store/found/writes.js';
import { docFromJson } from './document-store/json.js';
import { fuzz, replay } from './document-store/run.js';
import { type Server, startServer } from './document-store/server.js';
import { Tally } from './document-store/tally.js';
import { summaryOf } from './document-store.js';

const seed = 4;

describe('cases in which the document store once disagreed with the model', () => {
  let server: Server;
  before(async () => {
    server = await startServer();
  });
  after(async () => {
    expect(await server.end()).to.deep.equal([]);
  });

  for (const [what, found] of [...finds, ...writes]) {
    it(`are answered as MongoDB answers: ${what}`, () => replay(server, caseFromDoc(docFromJson(found)), new Tally()));
  }
});

/** A slice of `npm run fuzz -- document-store`. */
describe('random finds and writes of the document store', function () {
  this.timeout(120_000);

  it(`are answered as the model answers (seed ${seed})`, async () => {
    const done = await fuzz({ seed, first: 1, worlds: Number.POSITIVE_INFINITY, seconds: 40, say: () => {} });
    expect(done.tally.answers, summaryOf(done)).to.be.greaterThan(1000);
  });
});
