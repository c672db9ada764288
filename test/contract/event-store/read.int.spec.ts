import { BACKWARDS, END, type Position, type ReadRevision, START, StreamNotFoundError } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, rejection, typesOf } from '../../../embedded/event-store-server/store-fixture.js';
import { describeTargets } from './event-store-targets.js';
import { numbered } from './numbered-events.js';

const range = (from: number, to: number) =>
  Array.from({ length: Math.abs(to - from) + 1 }, (_, n) => String(from < to ? from + n : from - n));

describeTargets('reading', (target) => {
  let ten: string;
  let long: string;
  before(async () => {
    const { client, fresh } = target();
    ten = fresh('ten');
    long = fresh('long');
    await client.appendToStream(ten, numbered(10));
    // More than one page of either kind.
    await client.appendToStream(long, numbered(700));
  });

  describe('a stream', () => {
    const cases: { from: ReadRevision; backwards?: boolean; maxCount?: number; expected: string[] }[] = [
      { from: START, expected: range(0, 9) },
      { from: START, maxCount: 3, expected: range(0, 2) },
      { from: 4n, expected: range(4, 9) },
      { from: 4n, maxCount: 2, expected: range(4, 5) },
      { from: 9n, expected: ['9'] },
      { from: 10n, expected: [] },
      { from: 18446744073709551615n, expected: [] },
      { from: END, expected: [] },
      { from: START, backwards: true, expected: ['0'] },
      { from: 4n, backwards: true, expected: range(4, 0) },
      { from: 4n, backwards: true, maxCount: 2, expected: range(4, 3) },
      { from: END, backwards: true, expected: range(9, 0) },
      { from: END, backwards: true, maxCount: 1, expected: ['9'] },
      { from: 99n, backwards: true, maxCount: 1, expected: ['9'] },
    ];
    for (const { from, backwards = false, maxCount, expected } of cases) {
      it(`${backwards ? 'backwards' : 'forwards'} from ${from}${maxCount === undefined ? '' : `, ${maxCount} at most`}`, async () => {
        const events = target().client.readStream(ten, {
          fromRevision: from,
          ...(backwards ? { direction: BACKWARDS } : {}),
          ...(maxCount === undefined ? {} : { maxCount }),
        });
        expect(typesOf(await collect(events))).to.deep.equal(expected);
      });
    }

    it('over several pages, in both directions', async () => {
      const { client } = target();
      expect(typesOf(await collect(client.readStream(long)))).to.deep.equal(range(0, 699));
      const back = await collect(client.readStream(long, { direction: BACKWARDS, fromRevision: END }));
      expect(typesOf(back)).to.deep.equal(range(699, 0));
    });

    it('that does not exist is not found, by name', async () => {
      const missing = target().fresh('missing-流');
      const err = await rejection(collect(target().client.readStream(missing)));
      expect(err).to.be.instanceOf(StreamNotFoundError);
      expect((err as StreamNotFoundError).streamName).to.equal(missing);
    });
  });

  describe('the whole log', () => {
    let stream: string;
    let first: Position;
    let last: Position;
    before(async () => {
      const { client, fresh } = target();
      stream = fresh('log');
      const positions: Position[] = [];
      for (const event of numbered(5)) {
        const { position } = await client.appendToStream(stream, event);
        if (position !== undefined) positions.push(position);
      }
      [first, last] = [positions[0], positions[4]] as [Position, Position];
    });
    const mine = async (options: Parameters<ReturnType<typeof target>['client']['readAll']>[0]) =>
      (await collect(target().client.readAll(options))).filter(({ event }) => event?.streamId === stream);

    it('gives every event once, by rising position, in both directions', async () => {
      const forwards = await collect(target().client.readAll({ fromPosition: first }));
      const positions = forwards.map(({ event }) => Number(event?.position.commit));
      expect(positions).to.deep.equal([...new Set(positions)].sort((a, b) => a - b));
      expect(typesOf(await mine({ fromPosition: first }))).to.deep.equal(range(0, 4));
      const backwards = await mine({ direction: BACKWARDS, fromPosition: END, maxCount: forwards.length });
      expect(typesOf(backwards)).to.deep.equal(range(4, 0));
    });

    it('starts at the position it is given, in both directions', async () => {
      const [at] = await collect(target().client.readAll({ fromPosition: last, maxCount: 1 }));
      expect(at?.event?.position).to.deep.equal(last);
      const back = await collect(
        target().client.readAll({ fromPosition: last, maxCount: 1_000, direction: BACKWARDS }),
      );
      expect(back.every(({ event }) => Number(event?.position.commit) <= Number(last.commit))).to.equal(true);
      expect(back.some(({ event }) => event?.streamId === stream && event.type === '3')).to.equal(true);
    });

    it('is empty from its end forwards and from its start backwards', async () => {
      expect(await mine({ fromPosition: END })).to.have.length(0);
      expect(await mine({ fromPosition: START, direction: BACKWARDS })).to.have.length(0);
    });

    it('gives no more than it is asked for', async () => {
      expect(await collect(target().client.readAll({ fromPosition: first, maxCount: 3 }))).to.have.length(3);
      const back = target().client.readAll({ fromPosition: END, direction: BACKWARDS, maxCount: 3 });
      expect(await collect(back)).to.have.length(3);
    });
  });
});
