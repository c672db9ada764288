import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { ask, type Harness, type Settings } from './harness.js';
import { type Row, row } from './rows.js';
import { startService } from './server-process.js';

const settings: Settings = { sizes: {}, rounds: 9, seed: 1, progress: () => {} };
const asking = (run: (harness: Harness) => Promise<Row[]>, more: Partial<Settings> = {}) =>
  ask({ name: 'sample', about: '', sizes: {}, run }, { ...settings, ...more });
const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (err: unknown) => err,
  );
const forever = () => new Promise<never>(() => {});

const startStore = async (harness: Harness) => {
  const dataDir = await harness.folder();
  return startService(harness, 'embedded/event-store-server/main', ['--data', dataDir, '--port', '0']);
};

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the harness of the benchmark', () => {
  it('hands on the rows of a question, and removes its folders and processes', async () => {
    let folder = '';
    let pid = 0;
    const rows = [row('figure', 'x', [1])];
    const answered = await asking(async (harness) => {
      folder = await harness.folder();
      await writeFile(join(folder, 'data'), 'data');
      const service = await startStore(harness);
      expect(service.facts).to.have.property('port').that.is.a('number');
      pid = service.pid;
      return rows;
    });
    expect(answered).to.equal(rows);
    expect(existsSync(folder)).to.equal(false);
    expect(isAlive(pid)).to.equal(false);
  });

  it('tidies up after a question that failed, newest first, and goes on when that fails', async () => {
    const fault = new Error('broken');
    const done: string[] = [];
    const told: string[] = [];
    const run = async (harness: Harness) => {
      for (const name of ['first', 'second', 'third']) {
        harness.atEnd(async () => {
          done.push(name);
          if (name === 'second') throw new Error('jammed');
        });
      }
      throw fault;
    };
    const failed = rejection(asking(run, { progress: (text) => told.push(text) }));
    expect(await failed).to.equal(fault);
    expect(done).to.deep.equal(['third', 'second', 'first']);
    expect(told).to.have.length(1);
  });

  it('does not wait for ever for what does not end', async () => {
    const done: string[] = [];
    const run = async (harness: Harness) => {
      harness.atEnd(async () => void done.push('first'));
      harness.atEnd(forever);
      return [];
    };
    expect(await asking(run, { endLimitMs: 10 })).to.deep.equal([]);
    expect(done).to.deep.equal(['first']);
  });

  it('gives up a question when the signal comes, and lets it start nothing more', async () => {
    const giveUp = new AbortController();
    const reason = new Error('SIGINT');
    let late: Harness | undefined;
    let folder = '';
    const run = async (harness: Harness) => {
      late = harness;
      folder = await harness.folder();
      giveUp.abort(reason);
      return forever();
    };
    expect(await rejection(asking(run, { signal: giveUp.signal }))).to.equal(reason);
    expect(existsSync(folder)).to.equal(false);
    if (late === undefined) throw new Error('The question was not asked.');
    expect(await rejection(late.folder())).to.be.instanceOf(Error);
    expect(await rejection(startStore(late))).to.be.instanceOf(Error);
  });

  it('gives up a question whose server died', async () => {
    const run = async (harness: Harness) => {
      const { pid } = await startStore(harness);
      process.kill(pid, 'SIGKILL');
      return forever();
    };
    expect(await rejection(asking(run)))
      .to.be.instanceOf(Error)
      .with.property('message')
      .that.includes('SIGKILL');
  });

  it('gives up a question whose server does not start, with what that said', async () => {
    const run = async (harness: Harness) => {
      await startService(harness, 'embedded/event-store-server/main', ['--data', '/dev/null/no-folder']);
      return [];
    };
    const failed = await rejection(asking(run));
    expect(failed).to.be.instanceOf(Error).with.property('message').that.includes('/dev/null/no-folder');
  });

  it('does not take an ordered end for a death', async () => {
    const answered = await asking(async (harness) => {
      const service = await startStore(harness);
      await service.stop();
      await service.stop();
      expect(isAlive(service.pid)).to.equal(false);
      return [];
    });
    expect(answered).to.deep.equal([]);
  });
});
