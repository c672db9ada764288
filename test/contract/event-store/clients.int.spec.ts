import { jsonEvent } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect } from '../../../embedded/event-store-server/store-fixture.js';
import { describeTargets } from './event-store-targets.js';

const event = (type: string) => jsonEvent({ type, data: {} });

describeTargets('several clients of one process', (target) => {
  it('are served, whichever is closed first', async () => {
    const { client, connect, fresh } = target();
    const clients = [connect(), connect(), connect()];
    for (const each of clients) await each.appendToStream(fresh('client'), event('a'));
    const survivor = fresh('survivor');
    for (const gone of [1, 0, 2]) {
      await clients[gone]?.dispose();
      await client.appendToStream(survivor, event(`after ${gone}`));
    }
    expect(await collect(client.readStream(survivor))).to.have.length(3);
  });
});
