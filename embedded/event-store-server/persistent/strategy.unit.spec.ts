import { expect } from 'chai';
import { encodeRecord } from '../record.js';
import { type Choosable, chooser } from './strategy.js';

const consumer = (id: string, hasRoom = true): Choosable => ({ id, hasRoom });
const record = (stream: string, correlationId?: string) =>
  encodeRecord(
    {
      id: '00000000-0000-4000-8000-000000000001',
      type: 't',
      isJson: true,
      data: Buffer.from('{}'),
      customMetadata: Buffer.from(correlationId === undefined ? '' : JSON.stringify({ $correlationId: correlationId })),
    },
    { position: 1, streamId: 1, streamName: Buffer.from(stream), revision: 0, created: 0 },
  );
const three = [consumer('a'), consumer('b'), consumer('c')];
const chosen = (consumers: readonly Choosable[], choose: ReturnType<typeof chooser>, records: Buffer[]) =>
  records.map((event) => choose(consumers, event)?.id);
const same = Array.from({ length: 4 }, () => record('s-1'));

describe('the choice of a consumer', () => {
  it('goes round, past those who have no room', () => {
    const choose = chooser('RoundRobin');
    expect(chosen(three, choose, same)).to.deep.equal(['a', 'b', 'c', 'a']);
    expect(chosen([consumer('a'), consumer('b', false), consumer('c')], choose, same)).to.deep.equal([
      'c',
      'a',
      'c',
      'a',
    ]);
    expect(chosen([consumer('a', false)], choose, same)).to.deep.equal([undefined, undefined, undefined, undefined]);
  });

  it('stays with the first that has room when dispatching to a single one', () => {
    const choose = chooser('DispatchToSingle');
    expect(new Set(chosen(three, choose, same))).to.deep.equal(new Set(['a']));
    expect(choose([consumer('a', false), consumer('b')], same[0])?.id).to.equal('b');
  });

  describe('that is pinned', () => {
    const streams = Array.from({ length: 600 }, (_, n) => record(`order-${n}`));

    it('waits for the consumer of its stream and takes no other', () => {
      const choose = chooser('Pinned');
      const whose = choose(three, same[0])?.id ?? '';
      const busy = three.map(({ id }) => consumer(id, id !== whose));
      expect(choose(busy, same[0])).to.equal(undefined);
    });

    it('spreads streams over all, and moves only those of the consumer that left', () => {
      const choose = chooser('Pinned');
      const before = chosen(three, choose, streams);
      for (const { id } of three) expect(before.filter((who) => who === id)).to.have.length.within(120, 280);
      const after = chosen(three.slice(0, 2), choose, streams);
      for (const [n, who] of before.entries()) if (who !== 'c') expect(after[n]).to.equal(who);
    });

    it('goes by correlation id when asked, and by stream where there is none', () => {
      const choose = chooser('PinnedByCorrelation');
      const flow = chosen(
        three,
        choose,
        streams.map((_, n) => record(`order-${n}`, 'one-flow')),
      );
      expect(new Set(flow).size).to.equal(1);
      expect(new Set(chosen(three, choose, streams)).size).to.equal(3);
    });
  });
});
