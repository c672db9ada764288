#!/usr/bin/env node
// A registry that does not carry every platform's binaries leaves them out of package-lock.json, and `npm ci` then
// refuses the lock there and on the platforms that are missing. This names them again, from what their parents ask for.
// Run it after `npm install`; `--check` only tells.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const platform = /(android|darwin|freebsd|linux|netbsd|openbsd|sunos|win32)-(arm64|x64|arm|ia32)(?:-(musl|gnu))?$/;
const missing = [];

for (const [parent, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  if (parent === '') continue;
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const key = `node_modules/${name}`;
    const [, os, cpu, libc] = platform.exec(name) ?? [];
    if (os === undefined || lock.packages[key] !== undefined || `${parent}/${key}` in lock.packages) continue;
    missing.push(name);
    lock.packages[key] = {
      version,
      cpu: [cpu],
      ...(dev === true ? { dev: true } : {}),
      ...(libc === 'musl' ? { libc: ['musl'] } : {}),
      optional: true,
      os: [os],
    };
  }
}

if (missing.length === 0) {
  console.log('package-lock.json names every platform.');
} else if (process.argv.includes('--check')) {
  console.error(`package-lock.json lacks ${missing.join(', ')}: run node scripts/complete-lock.mjs`);
  process.exit(1);
} else {
  const { '': root, ...rest } = lock.packages;
  const sorted = Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: { '': root, ...sorted } }, null, 2)}\n`);
  console.log(`package-lock.json now names ${missing.length} more: ${missing.join(', ')}`);
}
