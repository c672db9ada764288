import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { silentLogger } from '../../../runtime/logger.js';
import { failure } from '../test-server.js';
import { Store } from './store.js';

describe('a store that comes to its end', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'document-store-closing-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  it('finishes the writes that were taken in, those that read before they write as well, and takes no more', async () => {
    const store = Store.open(dataDir, silentLogger);
    const taken = store.write(() => {
      store.checkOpen();
      return 'done';
    });
    const closing = store.close();
    expect((await failure(store.write(() => 'late')))['code']).to.equal(91);
    expect(() => store.checkOpen()).to.throw();
    expect(await taken).to.equal('done');
    await closing;
  });

  it('runs no write any more once a commit has failed', async () => {
    let failures = 0;
    const store = Store.open(dataDir, silentLogger, {
      committed() {
        throw new Error('nobody knows what is stored');
      },
      fatal: () => failures++,
    });
    expect((await failure(store.write(() => 'first')))['code']).to.equal(1);
    let runs = 0;
    for (let n = 0; n < 3; n++) expect((await failure(store.write(() => runs++)))['code']).to.equal(1);
    await new Promise((resolve) => setImmediate(resolve));
    await store.close();
    expect([failures, runs]).to.deep.equal([1, 0]);
  });
});
