import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { startDueWork } from './due-work.js';

describe('work that is due', () => {
  it('is begun in the order of its times, and of its numbers at the same time', async () => {
    const times = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(times, async (list) => {
        let now = 0;
        const done: number[] = [];
        const due = startDueWork({
          clock: () => new Date(now),
          concurrency: 1,
          work: async (item) => void done.push(item),
          onFault: (err) => {
            throw err;
          },
        });
        list.forEach((at, item) => {
          due.add(item, at);
        });
        expect([done.length, due.size()]).to.deep.equal([0, list.length]);
        now = 20;
        // Whoever adds looks at the clock.
        due.add(list.length, 20);
        while (due.size() > 0) await turn();
        await due.close();
        const expected = [...list, 20].map((at, item) => ({ at, item })).toSorted((a, b) => a.at - b.at);
        expect(done).to.deep.equal(expected.map(({ item }) => item));
      }),
    );
  });

  it('is done so many at a time, whatever fails', async () => {
    let running = 0;
    let most = 0;
    const faults: number[] = [];
    const due = startDueWork({
      clock: () => new Date(),
      concurrency: 3,
      async work(item) {
        running += 1;
        most = Math.max(most, running);
        await turn();
        running -= 1;
        if (item % 2 === 0) throw new Error('refused');
      },
      onFault: (_err, item) => void faults.push(item),
    });
    for (let item = 0; item < 10; item += 1) due.add(item, 0);
    while (due.size() > 0) await turn();
    expect([most, faults.toSorted()]).to.deep.equal([3, [0, 2, 4, 6, 8]]);
  });

  it('is not begun after the end, which waits for what is under way', async () => {
    const done: number[] = [];
    const due = startDueWork({
      clock: () => new Date(),
      concurrency: 1,
      async work(item) {
        await turn();
        done.push(item);
      },
      onFault: () => {},
    });
    due.add(1, 0);
    due.add(2, 0);
    await due.close();
    expect(done).to.deep.equal([1]);
  });
});
