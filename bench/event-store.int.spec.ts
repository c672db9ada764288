import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { temporaryFolder } from '../test/support/stores.js';
import { readArguments } from './arguments.js';
import { eventStore } from './event-store.js';
import { canMeter } from './meter.js';
import { answer, type Result } from './result.js';

const sizes = {
  large: 600,
  small: 200,
  tiny: 50,
  streams: 200,
  'arm-ms': 20,
  'memory-rounds': 1,
  'sample-ms': 10,
};

describe('the question event-store', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async function () {
    if (!canMeter) this.skip();
    folder = await temporaryFolder();
  });
  after(() => folder?.remove());

  it('is answered in full, on a small scale', async () => {
    const args = Object.entries(sizes).map(([name, size]) => `--${name}=${size}`);
    const [asked] = readArguments(['event-store', '--rounds=2', ...args], [eventStore]);
    if (asked === undefined) throw new Error('Nothing is asked.');
    const told: string[] = [];
    const { result, path } = await answer(asked, {
      folder: join(folder.path, 'results'),
      progress: (text) => told.push(text),
    });

    const written = JSON.parse(readFileSync(path, 'utf8')) as Result;
    expect(written).to.deep.equal(JSON.parse(JSON.stringify(result)));
    expect(written).to.deep.include({ question: 'event-store', rounds: 2, seed: 1, sizes });
    expect(written.commit).to.be.a('string');
    expect(written.machine.cores).to.be.at.least(1);
    expect(told).to.include('appends, round 1 of 3: 64 in flight');

    const { rows } = result;
    for (const { measure, samples, value, goal, met } of rows) {
      expect(samples, measure).to.have.length.at.least(1);
      for (const figure of [...samples, ...Object.values(value)]) {
        expect(Number.isFinite(figure) && figure >= 0, `${measure}: ${figure}`).to.equal(true);
      }
      expect(met, measure).to.be.a(goal === undefined ? 'undefined' : 'boolean');
    }
    const figures = (part: string) => rows.filter(({ measure }) => measure.startsWith(part));
    expect(figures('events appended').map(({ measure }) => measure.split(', ')[1])).to.deep.equal([
      '1 in flight',
      '16 in flight',
      '64 in flight',
      '256 in flight',
      '8 x batches of 100',
    ]);
    expect(figures('start to first')).to.have.length(2);
    expect(figures('events caught up')).to.have.length(2);
    for (const { measure, samples, cpu } of [...figures('events'), ...figures('start to')]) {
      expect(samples, measure).to.have.length(2);
      expect(cpu?.client.median, measure).to.be.greaterThan(0);
      expect(Number.isFinite(cpu?.server.median), measure).to.equal(true);
    }
    for (const log of ['600 events in 60 streams', '200 events in 20 streams', '200 events in 200 streams']) {
      const memory = rows.filter(({ measure }) => measure.includes('memory') && measure.endsWith(log));
      expect(memory).to.have.length(5);
      for (const { value } of memory) expect(value.median).to.be.greaterThan(0);
    }
    expect(rows.filter(({ goal }) => goal !== undefined).map(({ id, goal }) => [id, goal])).to.deep.equal([
      ['P14', { atLeast: 5 }],
      ['P15', { atMost: 1.2 }],
      [undefined, { atMost: 0.5 }],
      [undefined, { atMost: 1.1 }],
    ]);
  }).timeout(60_000);
});
