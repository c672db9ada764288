import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Db, MongoClient } from 'mongodb';
import { type DocumentStore, startDocumentStore } from '../../embedded/document-store-server/document-store.js';
import { toHttpError } from '../http/http-error.js';
import { silentLogger } from '../logger.js';
import { openPersonalData } from './personal-data.js';
import { PersonalDataError, type PersonalDataFault } from './personal-data-error.js';

async function expectFault(code: PersonalDataFault, act: () => Promise<unknown>): Promise<PersonalDataError> {
  const error = await act().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error, `expected ${code}`).to.be.instanceOf(PersonalDataError);
  expect((error as PersonalDataError).code).to.equal(code);
  return error as PersonalDataError;
}

describe('personal data', function () {
  this.timeout(20_000);
  let dataDir: string;
  let store: DocumentStore;
  let client: MongoClient;
  let db: Db;
  const masterKey = randomBytes(32).toString('hex');
  const open = (over: { masterKey?: string; db?: Db; cacheSize?: number; timeoutMs?: number } = {}) =>
    openPersonalData({ db, masterKey, log: silentLogger, ...over });
  const newSubject = () => `user:${randomUUID()}`;
  const dataKeys = () => db.collection<{ _id: string; wrapped?: string; erased?: boolean }>('data_keys');

  const start = async (port = 0) => {
    store = await startDocumentStore({ dataDir, port, log: silentLogger });
    client = new MongoClient(store.connectionString, { serverSelectionTimeoutMS: 1_000 });
    db = client.db('personal');
  };
  const stop = async () => {
    await client.close();
    await store.close();
  };

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'personal-data-'));
    await start();
  });
  after(async () => {
    await stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('opens what it sealed, in this process and in one that starts later', async () => {
    const subject = newSubject();
    const sealed = await open().seal(subject, { email: 'ada@example.org', name: 'Ada', phone: undefined });
    expect(sealed.subject).to.equal(subject);
    expect(sealed.fields).to.have.all.keys('email', 'name');
    expect(JSON.stringify(sealed)).not.to.include('Ada');
    expect(await open().open(sealed)).to.deep.equal({ email: 'ada@example.org', name: 'Ada' });
  });

  it('stores the key wrapped, before it answers, and never in the clear', async () => {
    const subject = newSubject();
    await open().seal(subject, { name: 'Ada' });
    const document = await dataKeys().findOne({ _id: subject });
    expect(document).to.have.all.keys('_id', 'wrapped', 'master_key_id', 'created_at');
    expect(document?.wrapped).to.match(/^v1\./);
    await stop();
    await start();
    expect(await dataKeys().findOne({ _id: subject })).to.deep.equal(document);
  });

  it('makes no key for nothing', async () => {
    const subject = newSubject();
    expect(await open().seal(subject, { name: undefined })).to.deep.equal({ subject, fields: {} });
    expect(await dataKeys().countDocuments({ _id: subject })).to.equal(0);
  });

  it('agrees on one key where many processes seal for a new subject at once', async () => {
    const subject = newSubject();
    const processes = Array.from({ length: 8 }, () => open());
    const sealed = await Promise.all(
      processes.flatMap((one, index) => [
        one.seal(subject, { name: `first ${index}` }),
        one.seal(subject, { name: `second ${index}` }),
      ]),
    );
    expect(await dataKeys().countDocuments({ _id: subject })).to.equal(1);
    const reader = open();
    const names = await Promise.all(sealed.map(async (one) => (await reader.open(one))?.name));
    expect(new Set(names).size).to.equal(16);
  });

  it('has no words for a subject without a key', async () => {
    const sealed = await open().seal(newSubject(), { name: 'Ada' });
    expect(await open().open({ ...sealed, subject: newSubject() })).to.equal(undefined);
  });

  it('refuses values that were changed or moved', async () => {
    const data = open();
    const sealed = await data.seal(newSubject(), { name: 'Ada', phone: '112' });
    const other = await data.seal(newSubject(), { name: 'Grace' });
    await expectFault('sealed-value-unreadable', () => data.open({ ...sealed, fields: { name: sealed.fields.phone } }));
    await expectFault('sealed-value-unreadable', () => data.open({ ...other, fields: { name: sealed.fields.name } }));
    await expectFault('subject-malformed', () => data.open({ subject: 'user:x', fields: {} }));
    await expectFault('subject-malformed', () => data.seal('somebody', { name: 'Ada' }));
  });

  it('does not read keys of another master key, nor changed ones', async () => {
    const subject = newSubject();
    const sealed = await open().seal(subject, { name: 'Ada' });
    const stranger = open({ masterKey: randomBytes(32).toString('hex') });
    await expectFault('data-key-unreadable', () => stranger.open(sealed));
    await expectFault('data-key-unreadable', () => stranger.seal(subject, { name: 'Ada' }));
    const another = newSubject();
    await open().seal(another, { name: 'Grace' });
    const foreign = await dataKeys().findOne({ _id: another });
    await dataKeys().updateOne({ _id: subject }, { $set: { wrapped: foreign?.wrapped ?? '' } });
    await expectFault('data-key-unreadable', () => open().open(sealed));
  });

  describe('of an erased subject', () => {
    it('is unreadable for good, and nothing is sealed any more', async () => {
      const subject = newSubject();
      const data = open();
      const sealed = await data.seal(subject, { name: 'Ada' });
      await data.erase(subject);
      for (const one of [data, open()]) {
        expect(await one.open(sealed)).to.equal(undefined);
        const fault = await expectFault('subject-erased', () => one.seal(subject, { name: 'Ada' }));
        expect(toHttpError(fault).status).to.equal(409);
      }
      const tombstone = await dataKeys().findOne({ _id: subject });
      expect(tombstone).to.have.all.keys('_id', 'created_at', 'erased', 'erased_at');
      expect(tombstone?.erased).to.equal(true);
    });

    it('may be erased twice, and before there was a key', async () => {
      const subject = newSubject();
      await open().erase(subject);
      await open().erase(subject);
      await expectFault('subject-erased', () => open().seal(subject, { name: 'Ada' }));
    });

    it('is readable elsewhere until that process is told to forget', async () => {
      const subject = newSubject();
      const [here, elsewhere] = [open(), open()];
      const sealed = await here.seal(subject, { name: 'Ada' });
      expect(await elsewhere.open(sealed)).to.deep.equal({ name: 'Ada' });
      await here.erase(subject);
      elsewhere.forget(subject);
      expect(await elsewhere.open(sealed)).to.equal(undefined);
    });

    it('leaves no key behind that was being made meanwhile', async () => {
      for (let round = 0; round < 20; round += 1) {
        const subject = newSubject();
        const [here, elsewhere] = [open(), open()];
        const sealing = here.seal(subject, { name: 'Ada' }).catch((error: unknown) => error);
        await Promise.all([sealing, elsewhere.erase(subject)]);
        const document = await dataKeys().findOne({ _id: subject });
        expect(document?.erased).to.equal(true);
        expect(document).not.to.have.property('wrapped');
      }
    });
  });

  it('keeps no more keys than it was told', async () => {
    const data = open({ cacheSize: 2 });
    const sealed = await Promise.all(['a', 'b', 'c'].map((name) => data.seal(newSubject(), { name })));
    const [first] = sealed;
    await dataKeys().deleteMany({ _id: { $in: sealed.map(({ subject }) => subject) } });
    expect(await data.open(first ?? { subject: '', fields: {} })).to.equal(undefined);
    expect(await Promise.all(sealed.slice(1).map((one) => data.open(one)))).to.deep.equal([
      { name: 'b' },
      { name: 'c' },
    ]);
  });

  it('goes on with the keys it has while the document store is down, and recovers', async () => {
    const subject = newSubject();
    const data = open({ timeoutMs: 500 });
    const sealed = await data.seal(subject, { name: 'Ada' });
    const unknown = await open().seal(newSubject(), { name: 'Grace' });
    const { port } = store;
    await store.close();
    expect(await data.open(sealed)).to.deep.equal({ name: 'Ada' });
    const more = await data.seal(subject, { name: 'Ada L' });
    expect(await data.open(more)).to.deep.equal({ name: 'Ada L' });
    const fault = await expectFault('data-keys-unavailable', () => data.open(unknown));
    expect(toHttpError(fault)).to.include({ status: 503, code: 'unavailable' });
    await expectFault('data-keys-unavailable', () => data.seal(newSubject(), { name: 'Ada' }));
    await expectFault('data-keys-unavailable', () => data.erase(subject));
    store = await startDocumentStore({ dataDir, port, log: silentLogger });
    const deadline = Date.now() + 10_000;
    for (;;) {
      const opened = await data.open(unknown).catch(() => undefined);
      if (opened !== undefined) {
        expect(opened).to.deep.equal({ name: 'Grace' });
        break;
      }
      if (Date.now() > deadline) throw new Error('did not recover');
    }
  });
});
