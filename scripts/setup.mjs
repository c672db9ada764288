// Makes a fresh checkout runnable: Node's version, npm packages, redis-server. Uses nothing but Node, because nothing
// else may be installed yet, and is quick when there is nothing to do, because it runs before every npm command.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const lockFile = join(root, 'package-lock.json');
const modules = join(root, 'node_modules');
const hashFile = join(modules, '.shopledger-lock-hash');
const oldestNode = [20, 19];

checkNode();
installPackages();
installRedis();

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  giveUp(`Shopledger needs Node ${oldestNode.join('.')} or newer; this is Node ${process.versions.node}.`);
}

function installPackages() {
  if (!existsSync(lockFile)) {
    if (!declaredPackages().every((name) => existsSync(join(modules, name)))) runNpm('install');
    return;
  }
  const lock = readFileSync(lockFile);
  const hash = createHash('sha256').update(lock).digest('hex');
  if (readIfThere(hashFile) === hash) return;
  if (!holdsLockedPackages(JSON.parse(lock.toString('utf8')))) installLocked();
  writeFileSync(hashFile, hash);
}

/** Recognises the packages of somebody's own `npm ci` or `npm install`, so that they are not installed twice. */
function holdsLockedPackages(lock) {
  const text = readIfThere(join(modules, '.package-lock.json'));
  if (text === undefined) return false;
  const installed = JSON.parse(text).packages ?? {};
  return Object.entries(lock.packages ?? {}).every(([path, wanted]) => {
    if (path === '' || wanted.link) return true;
    const found = installed[path];
    // npm leaves out optional packages that are meant for other platforms.
    if (found === undefined) return wanted.optional === true || wanted.devOptional === true;
    // npm's own list can be ahead of the folders (after `npm install --package-lock-only`), so both are asked.
    const manifest = readIfThere(join(root, path, 'package.json'));
    return (
      found.integrity === wanted.integrity && manifest !== undefined && JSON.parse(manifest).version === wanted.version
    );
  });
}

function declaredPackages() {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return [...Object.keys(dependencies), ...Object.keys(devDependencies)];
}

function installLocked() {
  if (npmSucceeds('ci')) return;
  // A registry without every platform's binaries makes `npm ci` refuse a sound lock; the lock's versions count all the same.
  if (!npmSucceeds('install', '--no-save'))
    giveUp('npm failed; mend what it says above and run the same command again.');
}

function runNpm(...verb) {
  if (!npmSucceeds(...verb)) giveUp(`npm ${verb[0]} failed; mend what it says above and run the same command again.`);
}

function npmSucceeds(...verb) {
  say(`installing npm packages (npm ${verb.join(' ')}), this takes a moment`);
  const flags = [...verb, '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const [command, args] =
    npm !== undefined && /npm-cli\.c?js$/.test(npm) ? [process.execPath, [npm, ...flags]] : ['npm', flags];
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (result.error) giveUp(`npm could not be started (${result.error.message}); install npm and try again.`);
  return result.status === 0;
}

function installRedis() {
  if (onPath('redis-server')) return;
  const manual =
    'redis-server is missing: install it (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis).';
  const asRoot = process.getuid?.() === 0 ? [] : canSudo() ? ['sudo', '-n'] : undefined;
  if (asRoot === undefined || !onPath('apt-get')) giveUp(manual);
  say('installing redis-server with apt-get, this takes a moment');
  // Shopledger starts a Redis of its own; a policy of 101 keeps the package from starting one as a system service.
  const script = `
    guard=/usr/sbin/policy-rc.d
    if [ ! -e $guard ]; then
      printf '#!/bin/sh\\nexit 101\\n' > $guard && chmod 755 $guard
      trap 'rm -f $guard' EXIT INT TERM
    fi
    export DEBIAN_FRONTEND=noninteractive
    wait_for_lock='-o DPkg::Lock::Timeout=120'
    apt-get $wait_for_lock -qq update
    apt-get $wait_for_lock -qq install -y --no-install-recommends redis-server >/dev/null`;
  const [command, ...args] = [...asRoot, 'sh', '-c', script];
  const result = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  if (result.status === 0 && onPath('redis-server')) return;
  process.stderr.write(result.stderr ?? '');
  giveUp(manual);
}

function canSudo() {
  return onPath('sudo') && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0;
}

function onPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    if (folder === '') return false;
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function say(text) {
  process.stdout.write(`setup: ${text}\n`);
}

function giveUp(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}
