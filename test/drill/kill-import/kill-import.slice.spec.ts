import { expect } from 'chai';
import { killImport } from './run-kill-import.js';

/** A slice of `npm run drill -- kill-import`. */
describe('an import during which every process is killed', function () {
  this.timeout(200_000);

  it('ends as the file says, with log, read models and provider in agreement', async () => {
    const told: string[] = [];
    const say = (text: string) => void told.push(text);
    const outcome = await killImport({ seed: 'slice', invoices: 30, rounds: 1, kills: 1, longestPauseMs: 150, say });
    expect(outcome.faults, told.join('\n')).to.deep.equal([]);
    for (const [name, count] of Object.entries(outcome.kills)) expect(count, name).to.be.greaterThan(0);
  });
});
