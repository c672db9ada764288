// The checks that run nothing of the shop. Each answers what is wrong, or undefined.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkTypes, complaintOf, root, sourcesDigest } from './build.mjs';

const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
const eslint = join(root, 'node_modules/eslint/bin/eslint.js');
const linted = join(root, 'dist/.linted');

export const checks = {
  async format() {
    const lock = await complaintOf([join(root, 'scripts/complete-lock.mjs'), '--check']);
    if (lock !== undefined) return lock;
    const complaint = await complaintOf([biome, 'format', '.']);
    return complaint === undefined ? undefined : `${complaint}\nMend it with: npm run format`;
  },
  types: checkTypes,
  async lint() {
    const complaints = [await complaintOf([biome, 'lint', '.']), await lintWithTypes()];
    return complaints.filter((complaint) => complaint !== undefined).join('\n') || undefined;
  },
};

/** Takes as long as a type check, so sources that passed are not looked at again. */
async function lintWithTypes() {
  const state = `${sourcesDigest()}\n${readFileSync(join(root, 'eslint.config.js'), 'utf8')}`;
  if (readIfThere(linted) === state) return undefined;
  const complaint = await complaintOf([eslint, '--max-warnings=0', '.']);
  if (complaint === undefined) writeFileSync(linted, state);
  return complaint;
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
