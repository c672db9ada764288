import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CORE_SCHEMA, load, mergeTag } from 'js-yaml';
import { projectFolder } from '../support/titled-tests.js';

/** A service of docker-compose.yml, with what its anchors bring. */
export interface ComposeService {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly profiles?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly [setting: string]: unknown;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

export const readProject = (file: string): string => readFileSync(join(projectFolder(), file), 'utf8');

export const composeText = (): string => readProject('docker-compose.yml');

export const composeFile = (): ComposeFile =>
  load(composeText(), { schema: CORE_SCHEMA.withTags(mergeTag) }) as ComposeFile;

/** The source of what a service runs; undefined where it is not one of ours. */
export function sourceOf({ command }: ComposeService): string | undefined {
  const main = command?.find((word) => word.startsWith('dist/'));
  return main?.replace(/^dist\//, '').replace(/\.js$/, '.ts');
}

/**
 * The variables that an entry point reads, from the text of its schema, a key a line: importing it would start it.
 *
 * @returns name -> whether it must be given
 */
export function variablesOf(source: string): ReadonlyMap<string, boolean> {
  const [, schema = ''] = /z\.object\(\{\n(.*?)\n\}\)/s.exec(readProject(source)) ?? [];
  const found = new Map<string, boolean>();
  for (const [, name = '', kind = ''] of schema.matchAll(/^ {2}([A-Z_]+): (.*?),$/gm)) {
    const isOptional = kind.includes('.optional()');
    const hasDefault = kind.includes('.default(') || kind === 'logLevel' || kind === 'limitTable';
    // A default address is one of this machine: in a container nobody answers there.
    found.set(name, !isOptional && (!hasDefault || name.endsWith('_URL')));
  }
  return found;
}
