// `npm test [-- <suite or part of a path> ...] [--grep <expression>]`: builds, then runs every suite, two processes at a
// time, and ends with one line: `N passed, M failed`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BuildError, buildIfStale, root } from './build.mjs';
import { checks } from './checks.mjs';
import { planRuns } from './suites.mjs';

const atOnce = 2;
const runLimitMs = 240_000;
const leaveLimitMs = 3_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { grep: { type: 'string', short: 'g' } },
});
const { grep } = values;
const narrowed = positionals.length > 0 || grep !== undefined;
const say = (text) => process.stdout.write(`${text}\n`);
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
const began = performance.now();

const results = [];
const runs = build();
const live = runs.length === 1 && runs[0].suite !== 'check';
const together = runs.filter((run) => !run.alone);
await Promise.all(Array.from({ length: atOnce }, () => drain(together)));
await drain(runs.filter((run) => run.alone));
finish();

/** The processes to run; what hinders them counts as a failure. */
function build() {
  const start = performance.now();
  try {
    const compiled = buildIfStale((count) => say(`building ${count} ${count === 1 ? 'file' : 'files'} ...`));
    if (compiled > 0) say(`built in ${seconds(performance.now() - start)}`);
    const planned = planRuns(positionals).filter(({ suite }) => suite !== 'check' || grep === undefined);
    if (planned.length === 0) say(`No spec file is called for by: ${positionals.join(' ')}`);
    return planned;
  } catch (fault) {
    if (!(fault instanceof BuildError)) throw fault;
    say(fault.message);
    results.push({ suite: 'build', passed: 0, failed: 1, skipped: 0, ms: performance.now() - start });
    return [];
  }
}

async function drain(queue) {
  for (let run = queue.shift(); run !== undefined; run = queue.shift()) {
    const start = performance.now();
    const result = await (run.suite === 'check' ? runChecks() : runSpecs(run));
    const ms = performance.now() - start;
    if (!narrowed && result.passed + result.failed + result.skipped === 0) {
      result.failed = 1;
      result.output += `No test ran, though there are ${run.files.length} spec files.\n`;
    }
    results.push({ ...result, suite: run.suite, ms });
    if (grep !== undefined && result.passed + result.failed + result.skipped === 0) continue;
    say(
      `${result.failed > 0 ? 'FAILED ' : 'passed '} ${run.label.padEnd(44)} ${counts(result).padEnd(24)} ${seconds(ms)}`,
    );
    if (result.output.trim() !== '' && !live) say(indent(result.output.trim()));
  }
}

async function runChecks() {
  const result = { passed: 0, failed: 0, skipped: 0, output: '' };
  for (const [name, check] of Object.entries(checks)) {
    const complaint = await check();
    if (complaint === undefined) result.passed += 1;
    else {
      result.failed += 1;
      result.output += `${name}:\n${complaint}\n`;
    }
  }
  return result;
}

/** Runs the files in one process. A process that dies or takes too long is one failure, which says where it was. */
function runSpecs({ files }) {
  const child = spawn(
    process.execPath,
    [
      '--enable-source-maps',
      join(root, 'scripts/run-specs.mjs'),
      JSON.stringify({ files, grep, live, forbidOnly: !narrowed }),
    ],
    { cwd: root, stdio: ['ignore', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe', 'ipc'] },
  );
  const result = { passed: 0, failed: 0, skipped: 0, output: '' };
  const note = (text) => {
    result.output += `${text}\n`;
    if (live) say(text);
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      result.output += text;
    });
  }
  return new Promise((resolve) => {
    let running = 'loading the spec files';
    let done = false;
    const limit = setTimeout(() => {
      note(`It was stopped after ${seconds(runLimitMs)} in: ${running}`);
      child.kill('SIGKILL');
    }, runLimitMs);
    let leaving;
    child.on('message', (message) => {
      if (message.running !== undefined) {
        running = message.running;
        return;
      }
      Object.assign(result, message);
      done = true;
      leaving = setTimeout(() => {
        note('The tests are over, but something they left open kept the process alive; it was ended.');
        child.kill('SIGKILL');
      }, leaveLimitMs);
    });
    child.once('error', (fault) => note(fault.message));
    child.once('close', (code, signal) => {
      clearTimeout(limit);
      clearTimeout(leaving);
      if (!done) {
        note(`The process ended (${signal ?? `exit code ${code}`}) before its tests were over, in: ${running}`);
        result.failed += 1;
      } else if (code !== 0 && signal === null && result.failed === 0) {
        note(`The process ended with exit code ${code} after its tests had passed.`);
        result.failed += 1;
      }
      resolve(result);
    });
  });
}

/** Prints the table and the line that says it all, and ends the process. */
function finish() {
  const suites = new Map(runs.map(({ suite }) => [suite, { passed: 0, failed: 0, skipped: 0, ms: 0 }]));
  for (const { suite, passed, failed, skipped, ms } of results) {
    const sum = suites.get(suite) ?? { passed: 0, failed: 0, skipped: 0, ms: 0 };
    suites.set(suite, {
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      skipped: sum.skipped + skipped,
      ms: sum.ms + ms,
    });
  }
  const total = { passed: 0, failed: 0, skipped: 0 };
  say(`\n${'suite'.padEnd(16)}${'tests'.padStart(7)}${'seconds'.padStart(10)}`);
  for (const [suite, sum] of suites) {
    for (const key of Object.keys(total)) total[key] += sum[key];
    const tests = sum.passed + sum.failed + sum.skipped;
    say(`${suite.padEnd(16)}${String(tests).padStart(7)}${(sum.ms / 1000).toFixed(1).padStart(10)}`);
  }
  say(`${'in all'.padEnd(23)}${((performance.now() - began) / 1000).toFixed(1).padStart(10)}\n`);
  if (total.passed + total.failed === 0) {
    say('No test ran.');
    total.failed = 1;
  }
  process.stdout.write(`${counts(total)}\n`, () => process.exit(total.failed > 0 ? 1 : 0));
}

function counts({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function indent(text) {
  return text.replaceAll(/^/gm, '    ');
}
