import { binaryEvent, jsonEvent } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect } from '../../../embedded/event-store-server/store-fixture.js';
import { describeTargets } from './event-store-targets.js';

const numbered = (count: number) =>
  Array.from({ length: count }, (_, n) => jsonEvent({ type: String(n), data: { n } }));
const linkTo = (revision: number, stream: string) =>
  binaryEvent({ type: '$>', data: Buffer.from(`${revision}@${stream}`) });

describeTargets('links', (target) => {
  it('are resolved when asked, and given bare where their event is gone', async () => {
    const { client, fresh } = target();
    const [ten, links] = [fresh('ten'), fresh('links')];
    await client.appendToStream(ten, numbered(10));
    await client.appendToStream(links, [linkTo(3, ten), linkTo(99, ten), linkTo(0, fresh('nowhere'))]);
    const resolved = await collect(client.readStream(links, { resolveLinkTos: true }));
    expect(resolved.map(({ event, link: bare }) => [event?.streamId, event?.type, bare?.type])).to.deep.equal([
      [ten, '3', '$>'],
      [undefined, undefined, '$>'],
      [undefined, undefined, '$>'],
    ]);
    const plain = await collect(client.readStream(links));
    expect(plain.every(({ event, link: bare }) => event?.type === '$>' && bare === undefined)).to.equal(true);
  });
});
