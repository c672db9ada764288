import { expect } from 'chai';
import { newId } from '../../runtime/ids.js';
import { silentLogger } from '../../runtime/logger.js';
import { startTestLog, type TestLog } from '../../test/support/stores.js';
import { openCheckpoint } from './fulfilment-checkpoint.js';

describe('the checkpoint of fulfilment', () => {
  let events: TestLog;
  let told: string[];
  const stream = 'checkpoint-test';

  beforeEach(async () => {
    events = await startTestLog();
    told = [];
  });
  afterEach(() => events.close());

  const open = () => {
    const log = { ...silentLogger, error: (text: string) => void told.push(text) };
    return openCheckpoint(events.eventLog, stream, log);
  };
  const storedCount = async () => {
    let count = 0;
    for await (const _ of events.eventLog.readStream(stream)) count += 1;
    return count;
  };

  it('is none in the beginning, then the last one, stored once for the same content', async () => {
    const checkpoints = await open();
    expect(checkpoints.resumed).to.equal(undefined);
    const waiting: [string, number, number] = ['b', 20, 10];
    const one = { position: '7', open: ['a'], retry: [waiting], silent: [] };
    await checkpoints.store(one);
    await checkpoints.store(one);
    expect((await open()).resumed).to.deep.equal(one);
    expect(await storedCount()).to.equal(1);
  });

  it('that an older build stored lists nothing that waits', async () => {
    const data = { position: '7', open: ['a'] };
    await events.eventLog.appendSide(stream, { id: newId(), type: 'checkpoint.stored', data, metadata: {} });
    expect((await open()).resumed).to.deep.equal({ ...data, retry: [], silent: [] });
  });

  it('that would not fit an event is left out, aloud: the one before stays true', async () => {
    const checkpoints = await open();
    const small = { position: '7', open: ['a'], retry: [], silent: [] };
    await checkpoints.store(small);
    await checkpoints.store({ ...small, position: '8', open: Array.from({ length: 30_000 }, () => newId()) });
    expect(told.length).to.equal(1);
    expect((await open()).resumed).to.deep.equal(small);
  });
});
