// `node scripts/run-built.mjs <file in dist> [arguments]`: builds what is stale, then runs the file in this process.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, runBuilt } from './build.mjs';

const [file, ...args] = process.argv.slice(2);
const candidates = file === undefined ? [] : [file.replace(/\.js$/, '.ts'), join('dist', file)];
if (!candidates.some((candidate) => existsSync(join(root, candidate)))) {
  process.stderr.write(`There is no source for ${file ?? '(no file given)'}: name a file as it is called in dist/.\n`);
  process.exit(2);
}
await runBuilt(file, args);
