import { runFlashSale } from './flash-sale.js';
import { runSameKey } from './same-key.js';
import { runTamper } from './tamper.js';

const drills: Readonly<Record<string, (args: string[]) => Promise<void>>> = {
  'flash-sale': runFlashSale,
  'same-key': runSameKey,
  tamper: runTamper,
};

const [name = '', ...args] = process.argv.slice(2);
const drill = drills[name];
if (drill === undefined) {
  process.stderr.write(`npm run drill -- <name> [options]\n\n${Object.keys(drills).join('\n')}\n`);
  process.exit(2);
}
try {
  await drill(args);
  process.exit(process.exitCode ?? 0);
} catch (error) {
  process.stderr.write(`drill ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
