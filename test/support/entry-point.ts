import { fileURLToPath } from 'node:url';

/**
 * What `node` needs to run a module beside a spec as a process of its own: as TypeScript or compiled, like the spec.
 *
 * @param from the spec's `import.meta.url`
 * @param name the module without its ending, such as `./main`
 */
export function entryPoint(from: string, name: string): { file: string; options: string[] } {
  const source = from.endsWith('.ts');
  const file = fileURLToPath(new URL(`${name}.${source ? 'ts' : 'js'}`, from));
  return { file, options: source ? ['--import=tsx'] : [] };
}
