import { expect } from 'chai';
import { inLanes } from './lanes.js';

describe('lanes', () => {
  it('keep as many in flight as there are, and count what was done', async () => {
    let inFlight = 0;
    let most = 0;
    let done = 0;
    const count = await inLanes(4, 20, () => async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setTimeout(resolve, 1));
      inFlight -= 1;
      done += 1;
    });
    expect(most).to.equal(4);
    expect(count).to.equal(done);
  });

  it('do one at least, however short the time', async () => {
    expect(await inLanes(3, 0, () => () => Promise.resolve())).to.equal(3);
  });

  it('do not count what was given up when the time was over', async () => {
    const count = await inLanes(3, 5, () => async (isOver) => {
      while (!isOver()) await new Promise((resolve) => setTimeout(resolve, 1));
      return false;
    });
    expect(count).to.equal(0);
  });

  it('end with the fault of one', async () => {
    const fault = await inLanes(2, 5, () => () => Promise.reject(new Error('no'))).catch((error: unknown) => error);
    expect(fault).to.be.an('error');
  });
});
