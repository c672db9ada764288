import { runEventStoreTorture } from './event-store.js';

const tortures: Readonly<Record<string, (args: string[]) => Promise<void>>> = {
  'event-store': runEventStoreTorture,
};

const [name = '', ...args] = process.argv.slice(2);
const torture = tortures[name];
if (torture === undefined) {
  process.stderr.write(`npm run torture -- <name> [options]\n\n${Object.keys(tortures).join('\n')}\n`);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
try {
  await torture(args);
  process.exit(process.exitCode ?? 0);
} catch (error) {
  process.stderr.write(`torture ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
