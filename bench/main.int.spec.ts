import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { entryPoint } from '../test/support/entry-point.js';
import { temporaryFolder } from '../test/support/stores.js';
import { canMeter } from './meter.js';

const { file, options } = entryPoint(import.meta.url, './main');

/** Runs the command; `onLine` sees its progress. */
async function run(args: string[], tmp: string, onLine: (line: string, pid: number) => void = () => {}) {
  const env = { ...process.env, TMPDIR: tmp };
  const child = spawn(process.execPath, [...options, file, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid = 0 } = child;
  let told = '';
  createInterface({ input: child.stderr }).on('line', (line) => {
    told += `${line}\n`;
    onLine(line, pid);
  });
  child.stdout.resume();
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, told };
}

/** The processes that have a word in their command line. */
const processesWith = (word: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word);
    } catch {
      return false;
    }
  });

describe('the benchmark as a command', () => {
  let tmp: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    tmp = await temporaryFolder();
  });
  afterEach(() => tmp.remove());

  it('says how it is written when it is asked what it does not know', async () => {
    const { code, told } = await run(['no-such-question'], tmp.path);
    expect(code).to.equal(2);
    expect(told).to.include('event-store');
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`leaves neither processes nor data behind after ${signal}`, async function () {
      if (!canMeter) this.skip();
      let serving = 0;
      const { code } = await run(['event-store'], tmp.path, (line, pid) => {
        if (!line.includes('round 1') || serving > 0) return;
        serving = processesWith(tmp.path).length;
        process.kill(pid, signal);
      });
      expect(code).to.equal(130);
      expect(serving).to.equal(1);
      expect(processesWith(tmp.path)).to.deep.equal([]);
      expect(readdirSync(tmp.path)).to.deep.equal([]);
    });
  }
});
