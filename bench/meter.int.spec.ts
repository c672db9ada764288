import { expect } from 'chai';
import { canMeter, cpuOf, memoryOf, metered } from './meter.js';

const twoTicks = 20_000;
const ownCpu = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

function burn(micros: number): void {
  const end = ownCpu() + micros;
  while (ownCpu() < end);
}

describe('the meter', () => {
  before(function () {
    if (!canMeter) this.skip();
  });

  it('reads the CPU time that the process itself knows of', async () => {
    burn(60_000);
    const before = ownCpu();
    const read = await cpuOf(process.pid);
    expect(read).to.be.within(before - twoTicks, ownCpu() + twoTicks);
  });

  it('reads the memory that the process itself knows of, and its parts', async () => {
    const { total, anonymous, file } = await memoryOf(process.pid);
    const { rss } = process.memoryUsage();
    expect(total).to.be.within(rss / 2, rss * 2);
    expect(anonymous).to.be.greaterThan(0);
    expect(file).to.be.greaterThan(0);
    expect(anonymous + file).to.be.at.most(total);
  });

  it('divides what work cost by the operations it did', async () => {
    const sample = await metered(process.pid, async () => {
      burn(200_000);
      return 4;
    });
    expect(sample.operations).to.equal(4);
    expect(sample.perSecond).to.be.closeTo(4 / sample.seconds, 1e-9);
    expect(sample.cpu.client).to.be.at.least(50_000);
    // Client and server are the same process here.
    expect(sample.cpu.server).to.be.closeTo(sample.cpu.client, twoTicks);
  });

  it('knows nothing of a process that is not there', async () => {
    expect(await cpuOf(2 ** 30).catch((err: unknown) => err)).to.have.property('code', 'ENOENT');
  });
});
