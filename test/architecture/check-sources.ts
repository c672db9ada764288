import { posix } from 'node:path';
import { mayImport, roomOf } from './rooms.js';
import { factsOf, type Import, type Source } from './source-facts.js';

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: 'room' | 'import' | 'impurity' | 'test-import' | 'entry-import' | 'file-name' | 'file-length';
  readonly what: string;
  readonly mend: string;
}

const longest = 350;
const badName = /^(utils?|helpers?|index|(.+-)?(service|manager|helper|utils?|helpers))\.ts$/;
const testRoom = /^(test|bench)\//;
const spec = /\.spec\.ts$/;
const support = /^test\/support\//;
/** What specs share beside the code they test. */
const fixture = /(-fixture|\/test-[^/]+|\/spec-[^/]+)\.ts$/;

/** Every breach of the rooms' rules in these sources; none if all is well. */
export function checkSources(sources: readonly Source[]): Violation[] {
  return sources.flatMap((source) => [...checkFile(source), ...checkImports(source)]);
}

/** `file:line  rule: what it is; how it is mended` */
export function tell({ file, line, rule, what, mend }: Violation): string {
  return `${file}:${line}  ${rule}: ${what}; ${mend}`;
}

function checkFile({ path, text }: Source): Violation[] {
  const violations: Violation[] = [];
  const name = posix.basename(path);
  if (badName.test(name)) {
    violations.push({
      file: path,
      line: 1,
      rule: 'file-name',
      what: `${name} does not say what is inside`,
      mend: 'name the file after the one thing it does, and import from where things are',
    });
  }
  const lines = text.trimEnd().split('\n').length;
  if (lines > longest) {
    violations.push({
      file: path,
      line: longest + 1,
      rule: 'file-length',
      what: `${lines} lines, ${longest} are the most`,
      mend: 'cut it where the subject changes',
    });
  }
  return violations;
}

function checkImports(source: Source): Violation[] {
  const { path } = source;
  if (testRoom.test(path)) return [];
  const { imports, impurities } = factsOf(source);
  const aside = spec.test(path) || fixture.test(path);
  const room = roomOf(path);
  if (room === undefined) {
    const mend = 'put it into a room of docs/architecture.md, or add its room there and to test/architecture/rooms.ts';
    return [{ file: path, line: 1, rule: 'room', what: 'it lies in no room', mend }];
  }
  const violations = imports.flatMap((imported): Violation[] => {
    const breach = { file: path, line: imported.line };
    if (imported.kind === 'source' && belongsToTests(path, imported)) {
      return [
        {
          ...breach,
          rule: 'test-import',
          what: `${imported.target} belongs to the tests`,
          mend: 'move what the product needs out of it',
        },
      ];
    }
    if (aside) return [];
    if (imported.target.startsWith('cli/') && room.name !== 'cli') {
      return [{ ...breach, rule: 'entry-import', what: 'cli is imported by nothing', mend: room.mend }];
    }
    if (mayImport(room, path, imported)) return [];
    return [{ ...breach, rule: 'import', what: `${room.name} must not import ${imported.target}`, mend: room.mend }];
  });
  if (room.pure !== true || aside) return violations;
  const mend = 'the domain is pure: time, ids and randomness arrive in the command';
  return [
    ...violations,
    ...impurities.map(({ line, what }) => ({ file: path, line, rule: 'impurity' as const, what, mend })),
  ];
}

function belongsToTests(importer: string, { target }: Import): boolean {
  if (spec.test(importer)) return false;
  if (fixture.test(importer)) return spec.test(target) || (testRoom.test(target) && !support.test(target));
  return testRoom.test(target) || spec.test(target) || fixture.test(target);
}
