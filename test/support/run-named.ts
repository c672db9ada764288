type Runnable = (args: string[]) => Promise<void>;

/**
 * Runs what the process's first argument names, with the arguments after it, and ends the process: with 2 when nothing is
 * called so, with 1 when it fails, else with `process.exitCode`.
 *
 * @param command the npm script, which the usage names
 */
export async function runNamed(command: string, choices: Readonly<Record<string, Runnable>>): Promise<never> {
  const [name = '', ...args] = process.argv.slice(2);
  const chosen = choices[name];
  if (chosen === undefined) {
    process.stderr.write(`npm run ${command} -- <name> [options]\n\n${Object.keys(choices).join('\n')}\n`);
    process.exit(2);
  }
  try {
    await chosen(args);
  } catch (err) {
    process.stderr.write(`${command} ${name}: ${err instanceof Error ? err.message : String(err)}\n`);
    process.exit(1);
  }
  process.exit(process.exitCode ?? 0);
}
