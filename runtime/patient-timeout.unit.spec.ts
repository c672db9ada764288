import { expect } from 'chai';
import { type PatientTimeout, patientTimeout } from './patient-timeout.js';

const passes = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Holds the event loop up, as a process that gets too little time does. */
function standStill(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('a patient time-out', () => {
  it('comes when time has passed, once', async () => {
    let times = 0;
    let timeout: PatientTimeout | undefined;
    await new Promise<void>((resolve) => {
      timeout = patientTimeout(16, () => {
        times += 1;
        resolve();
      });
    });
    await passes(40);
    timeout?.clear();
    expect(times).to.equal(1);
  });

  it('does not come for an answer that waits to be read while the process stands still', async () => {
    let late = false;
    const timeout = patientTimeout(80, () => {
      late = true;
    });
    standStill(200);
    await new Promise((resolve) => setImmediate(resolve));
    timeout.clear();
    await passes(120);
    expect(late).to.equal(false);
  });

  it('begins anew when it is refreshed', async () => {
    let late = false;
    const timeout = patientTimeout(800, () => {
      late = true;
    });
    const refreshing = setInterval(() => timeout.refresh(), 20);
    await passes(1_000);
    clearInterval(refreshing);
    timeout.clear();
    expect(late).to.equal(false);
  });
});
