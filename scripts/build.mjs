// Compiles the TypeScript sources into dist/. Emitting and type checking are apart: emitting takes each changed file by
// itself (the sources are written for `isolatedModules`), so that a start after an edit waits for a second and not for
// the whole type check, and needs no development package; `node scripts/build.mjs` does both.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const builtFile = join(dist, '.built');
const checkedFile = join(dist, '.checked');
const lockFile = join(dist, '.building');
const lockLimitMs = 180_000;

/** The sources do not compile; the message is the compiler's output. */
export class BuildError extends Error {
  name = 'BuildError';
}

/**
 * Brings dist/ up to date with the sources: emits what changed, removes what is gone. Without sources (an image that
 * carries dist/ alone) it does nothing. Two at once take turns.
 *
 * @param onBuild called with the number of files before anything is compiled
 * @returns the number of files compiled, 0 when all was up to date
 * @throws BuildError on a syntax fault
 */
export function buildIfStale(onBuild = () => {}) {
  if (plan().idle) return 0;
  mkdirSync(dist, { recursive: true });
  const release = takeLock();
  try {
    const { idle, sources, stale, fingerprint } = plan();
    if (idle) return 0;
    if (stale.length > 0) onBuild(stale.length);
    emit(stale);
    removeOrphans(sources);
    writeAtomically(builtFile, JSON.stringify({ fingerprint, files: Object.fromEntries(sources) }));
    return stale.length;
  } finally {
    release();
  }
}

/**
 * Checks the types of all sources, unless the same sources passed before.
 *
 * @returns the compiler's output when it complains, else undefined
 */
export async function checkTypes() {
  const state = sourcesDigest();
  if (readIfThere(checkedFile) === state) return undefined;
  mkdirSync(dist, { recursive: true });
  const complaint = await complaintOf([
    join(root, 'node_modules/typescript/bin/tsc'),
    '-p',
    'tsconfig.json',
    '--noEmit',
  ]);
  if (complaint === undefined) writeAtomically(checkedFile, state);
  return complaint;
}

/**
 * Runs a tool of the project.
 *
 * @param args the JavaScript file of the tool and its arguments
 * @returns what it printed when it did not end with 0, else undefined
 */
export function complaintOf(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('error', (fault) => resolve(fault.message));
    child.once('close', (code) => resolve(code === 0 ? undefined : output.trim() || `it ended with ${code}`));
  });
}

function plan() {
  const sources = listSources();
  if (sources.size === 0) {
    if (existsSync(join(dist, 'cli/main.js'))) return { idle: true };
    throw new BuildError('There are neither sources nor a compiled copy in dist/: the installation is not complete.');
  }
  const fingerprint = compilerFingerprint();
  const built = readBuilt();
  const known = built?.fingerprint === fingerprint ? built.files : {};
  const stale = [...sources].filter(([file, mark]) => known[file] !== mark || !existsSync(outputOf(file)));
  const idle = stale.length === 0 && Object.keys(known).length === sources.size;
  return { idle, sources, stale: stale.map(([file]) => file), fingerprint };
}

/** Every source below the folders of tsconfig.json with a mark of its content: path (with `/`) -> mtime and size. */
export function listSources() {
  const found = new Map();
  const walk = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts')) {
        const { mtimeMs, size } = statSync(join(root, path));
        found.set(path, `${mtimeMs}-${size}`);
      }
    }
  };
  if (!existsSync(join(root, 'tsconfig.json'))) return found;
  for (const folder of tsconfig().include) if (existsSync(join(root, folder))) walk(folder);
  return found;
}

function tsconfig() {
  return JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
}

function compilerFingerprint() {
  const compiler = readIfThere(join(root, 'node_modules/typescript/package.json')) ?? '';
  return digest([JSON.stringify(tsconfig()), compiler, readFileSync(fileURLToPath(import.meta.url), 'utf8')]);
}

/** One value for the content of all sources and what they are compiled with. */
export function sourcesDigest() {
  const marks = [...listSources()].map((entry) => entry.join(' '));
  return digest([compilerFingerprint(), readIfThere(join(root, 'package-lock.json')) ?? '', ...marks.sort()]);
}

function digest(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

function readBuilt() {
  try {
    return JSON.parse(readFileSync(builtFile, 'utf8'));
  } catch {
    return undefined;
  }
}

export function outputOf(file) {
  return join(dist, file.replace(/\.ts$/, '.js'));
}

function emit(files) {
  if (files.length === 0) return;
  const ts = createRequire(import.meta.url)('typescript');
  const { options } = ts.convertCompilerOptionsFromJson(tsconfig().compilerOptions, root);
  const names = files.map((file) => join(root, file));
  const host = ts.createCompilerHost(options);
  host.writeFile = (path, text) => {
    mkdirSync(dirname(path), { recursive: true });
    writeAtomically(path, text);
  };
  // Nothing is resolved, so the module kind is said outright: every file is an ES module.
  const alone = { noResolve: true, noLib: true, noCheck: true, types: [], incremental: false };
  const modules = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler };
  const settings = { ...options, ...alone, ...modules };
  delete settings.tsBuildInfoFile;
  const program = ts.createProgram(names, settings, host);
  const faults = names.flatMap((name) => program.getSyntacticDiagnostics(program.getSourceFile(name)));
  if (faults.length > 0)
    throw new BuildError(ts.formatDiagnostics(faults, { ...host, getCurrentDirectory: () => root }).trim());
  program.emit();
}

/** A spec whose source is gone must not run for ever. */
function removeOrphans(sources) {
  const wanted = new Set([...sources.keys()].flatMap((file) => [outputOf(file), `${outputOf(file)}.map`]));
  const sweep = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) sweep(path);
      else if (folder !== dist && !wanted.has(path)) rmSync(path, { force: true });
    }
    if (folder !== dist && readdirSync(folder).length === 0) rmdirSync(folder);
  };
  sweep(dist);
}

/** Waits for a build that runs elsewhere; one that died, or takes longer than any build, is not waited for. */
function takeLock() {
  for (;;) {
    try {
      const lock = openSync(lockFile, 'wx');
      writeSync(lock, String(process.pid));
      closeSync(lock);
      return () => rmSync(lockFile, { force: true });
    } catch (fault) {
      if (fault.code !== 'EEXIST') throw fault;
    }
    if (lockIsDead()) rmSync(lockFile, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
}

function lockIsDead() {
  const holder = readIfThere(lockFile);
  if (holder === undefined) return false;
  const age = Date.now() - (statSync(lockFile, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (age > lockLimitMs) return true;
  // Between its creation and its writing the file is empty for a moment.
  if (holder === '') return age > 2_000;
  try {
    process.kill(Number(holder), 0);
    return false;
  } catch (fault) {
    return fault.code === 'ESRCH';
  }
}

function writeAtomically(path, text) {
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, text);
  renameSync(draft, path);
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Imports a compiled file as if `node dist/<file> <args>` had been called, after building what is stale. */
export async function runBuilt(file, args) {
  try {
    buildIfStale((count) => process.stderr.write(`building ${count} ${count === 1 ? 'file' : 'files'} ...\n`));
  } catch (fault) {
    if (!(fault instanceof BuildError)) throw fault;
    process.stderr.write(`${fault.message}\n`);
    process.exit(1);
  }
  const path = join(dist, file);
  process.argv.splice(1, process.argv.length, path, ...args);
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(path).href);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const began = performance.now();
  let complaint;
  let count = 0;
  try {
    count = buildIfStale();
    complaint = await checkTypes();
  } catch (fault) {
    if (!(fault instanceof BuildError)) throw fault;
    complaint = fault.message;
  }
  if (complaint === undefined) {
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    process.stdout.write(`${count} ${count === 1 ? 'file' : 'files'} compiled, types checked in ${seconds} s\n`);
  } else {
    process.stderr.write(`${complaint}\n`);
    process.exitCode = 1;
  }
}
