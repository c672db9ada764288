import { expect } from 'chai';
import { startEventStore } from '../../embedded/event-store-server/server.js';
import { eventually } from '../../test/support/eventually.js';
import { temporaryFolder } from '../../test/support/stores.js';
import { silentLogger } from '../logger.js';
import { openEventLog } from './event-log.js';
import { followLog } from './follow.js';
import { collect, numberOf, several, verdictOf } from './log-fixture.js';

describe('the event log of a store with a password', () => {
  const password = 'p@ss:word';
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: Awaited<ReturnType<typeof startEventStore>>;
  before(async () => {
    folder = await temporaryFolder();
    store = await startEventStore({ dataDir: folder.path, port: 0, password, log: silentLogger });
  });
  after(async () => {
    await store.close();
    await folder.remove();
  });
  const open = (user: string) => openEventLog(store.connectionString.replace('://', `://${user}`), silentLogger);

  it('appends, reads and follows with the credentials of its connection string, without TLS too', async () => {
    const log = open(`admin:${encodeURIComponent(password)}@`);
    await log.append('s', several(3), 'no-stream');
    expect((await collect(log.readStream('s'))).map(numberOf)).to.deep.equal([0, 1, 2]);
    expect(await log.head()).to.equal(3n);
    const followed: number[] = [];
    const follower = followLog(log, {
      after: undefined,
      maxBatch: 10,
      log: silentLogger,
      handle: async ({ events }) => {
        followed.push(...events.map(numberOf));
      },
    });
    await eventually('the follower', () => followed.length === 3);
    await follower.close();
    await log.close();
  });

  for (const user of ['', 'admin:wrong@']) {
    it(`is denied with ${user === '' ? 'no' : 'wrong'} credentials`, async () => {
      const log = open(user);
      expect(await verdictOf(log.append('t', several(1), 'no-stream'))).to.equal('OutcomeUnknown');
      expect(await verdictOf(collect(log.readStream('t')))).to.equal('LogUnavailable');
      await log.close();
    });
  }
});
