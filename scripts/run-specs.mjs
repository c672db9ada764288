// The child of test.mjs: runs compiled spec files with mocha in a process of their own and tells the parent over IPC
// what is running and what came of it. `node scripts/run-specs.mjs <json>`, with
// { files, grep?, forbidOnly, live }: live prints every test, else only what failed is printed.
import Mocha from 'mocha';

const { files, grep, forbidOnly, live } = JSON.parse(process.argv[2]);
const tell = (message) => process.connected && process.send(message);

class FailuresOnly extends Mocha.reporters.Base {
  constructor(runner, options) {
    super(runner, options);
    runner.once('end', () => {
      if (this.failures.length > 0) Mocha.reporters.Base.list(this.failures);
    });
  }
}

const mocha = new Mocha({
  ui: 'bdd',
  timeout: 20_000,
  forbidOnly,
  reporter: live ? 'spec' : FailuresOnly,
  ...(grep === undefined ? {} : { grep: new RegExp(grep) }),
});
for (const file of files) mocha.addFile(file);
await mocha.loadFilesAsync();
const runner = mocha.run();
for (const start of ['hook', 'test']) runner.on(start, (runnable) => tell({ running: runnable.fullTitle() }));
runner.once('end', () => {
  const { passes, failures, pending } = runner.stats;
  tell({ passed: passes, failed: failures, skipped: pending });
  process.exitCode = failures > 0 ? 1 : 0;
  // What still runs now is a handle that a test left open; the parent gives it a moment and says so.
  if (process.connected) process.disconnect();
});
