// Which spec file belongs to which suite, and how a suite is cut into processes.
import { BuildError, listSources, outputOf } from './build.mjs';

const order = ['check', 'unit', 'integration', 'contract', 'torture', 'fuzz', 'architecture', 'scenario', 'drill'];

/** These start the whole system: beside another suite they would measure the other suite's load. */
const alone = new Set(['scenario', 'drill']);

/** A process for every file. */
const apart = new Set([...alone, 'torture']);

/** `test/<folder>/…` and `test/<name>.spec.ts` are suites of their own; a name ending in `.unit.spec.ts` goes first. */
export function suiteOf(source) {
  if (source.endsWith('.unit.spec.ts')) return 'unit';
  if (source.startsWith('test/')) return source.slice('test/'.length).replace(/(\/.*|\.spec\.ts)$/, '');
  if (source.endsWith('.int.spec.ts')) return 'integration';
  throw new BuildError(`${source}: a spec beside the code is called *.unit.spec.ts or *.int.spec.ts.`);
}

/**
 * The processes to run.
 *
 * @param wanted names of suites and parts of paths; none means all
 * @returns { suite, label, files, alone }[] in the order of the suites; the suite `check` has no files
 */
export function planRuns(wanted = []) {
  const specs = [...listSources().keys()].filter((source) => source.endsWith('.spec.ts')).sort();
  const isWanted = (source) =>
    wanted.length === 0 ||
    wanted.some((word) => word === suiteOf(source) || (word.includes('/') && source.includes(word)));
  const runs = new Map();
  if (wanted.length === 0 || wanted.includes('check')) {
    runs.set('check', { suite: 'check', label: 'check', files: [], alone: false });
  }
  for (const source of specs.filter(isWanted)) {
    const suite = suiteOf(source);
    const label = labelOf(suite, source);
    const run = runs.get(label) ?? { suite, label, files: [], alone: alone.has(suite) };
    run.files.push(outputOf(source));
    runs.set(label, run);
  }
  const rank = ({ suite }) => (order.includes(suite) ? order.indexOf(suite) : order.length);
  return [...runs.values()].sort((a, b) => rank(a) - rank(b));
}

/** Integration specs and contracts run folder by folder; what starts whole servers, file by file. */
function labelOf(suite, source) {
  if (suite === 'integration') return `integration ${source.split('/').slice(0, -1).slice(0, 3).join('/')}`;
  if (suite === 'contract') return `contract ${source.split('/')[2]}`;
  return apart.has(suite)
    ? `${suite} ${source
        .split('/')
        .at(-1)
        .replace(/\.(int|slice)?\.?spec\.ts$/, '')}`
    : suite;
}
