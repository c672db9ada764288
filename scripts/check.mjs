// `npm run check`: format, types, lint, unit, architecture. Stops at the first that fails.
import { join } from 'node:path';
import { complaintOf, root } from './build.mjs';
import { checks } from './checks.mjs';

const steps = { ...checks, unit: () => suite('unit'), architecture: () => suite('architecture') };
const began = performance.now();
const since = (start) => `${((performance.now() - start) / 1000).toFixed(1)} s`;

for (const [name, step] of Object.entries(steps)) {
  const start = performance.now();
  const complaint = await step();
  process.stdout.write(`${name.padEnd(14)} ${complaint === undefined ? 'ok    ' : 'FAILED'} ${since(start)}\n`);
  if (complaint === undefined) continue;
  process.stdout.write(`\n${complaint}\n`);
  process.exit(1);
}
process.stdout.write(`all is well after ${since(began)}\n`);

function suite(name) {
  return complaintOf([join(root, 'scripts/test.mjs'), name]);
}
