import { expect } from 'chai';
import { inParallel } from './in-parallel.js';

/** Work that ends when it is told to. */
function manual() {
  const started: number[] = [];
  const ends = new Map<number, (error?: Error) => void>();
  const work = (item: number) =>
    new Promise<void>((resolve, reject) => {
      started.push(item);
      ends.set(item, (error) => (error === undefined ? resolve() : reject(error)));
    });
  const end = async (item: number, error?: Error) => {
    ends.get(item)?.(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { started, work, end };
}
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('working in parallel', () => {
  it('does each item once, in order, no more at a time than there are lanes', async () => {
    const { started, work, end } = manual();
    const done = inParallel(numbers(5), 2, work);
    expect(started).to.deep.equal([0, 1]);
    await end(1);
    expect(started).to.deep.equal([0, 1, 2]);
    await end(0);
    await end(2);
    expect(started).to.deep.equal([0, 1, 2, 3, 4]);
    await end(3);
    await end(4);
    await done;
  });

  it('does nothing for no items, and needs no more lanes than items', async () => {
    const { started, work, end } = manual();
    await inParallel([], 4, work);
    const done = inParallel([7], 100, work);
    expect(started).to.deep.equal([7]);
    await end(7);
    await done;
  });

  it('throws the first fault and takes no more items', async () => {
    const { started, work, end } = manual();
    const outcome = inParallel(numbers(9), 3, work).then(
      () => 'done',
      (error: unknown) => (error instanceof Error ? error.message : 'odd'),
    );
    await end(1, new Error('first'));
    await end(0, new Error('second'));
    await end(2);
    expect(await outcome).to.equal('first');
    expect(started).to.deep.equal([0, 1, 2]);
  });

  it('hands on a fault that is thrown before any promise', async () => {
    const { started, work, end } = manual();
    const outcome = inParallel(numbers(9), 2, (item) => {
      if (item === 1) throw new Error('at once');
      return work(item);
    }).catch((error: unknown) => error);
    await end(0);
    expect(await outcome).to.be.instanceOf(Error);
    expect(started).to.deep.equal([0]);
  });
});
