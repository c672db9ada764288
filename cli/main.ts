import { runDocumentStore } from '../embedded/document-store-server/main.js';
import { runEventStore } from '../embedded/event-store-server/main.js';
import { runPaymentProvider } from '../embedded/payment-provider/main.js';
import { runAudit } from './audit/run-audit.js';
import { runDemo } from './demo.js';
import { CommandFault } from './fault.js';
import { runImport } from './import/online-retail.js';
import { runParked } from './parked.js';
import { runRebuild } from './rebuild.js';
import { runUp } from './up.js';
import { runVerify } from './verify.js';

interface CliCommand {
  readonly about: string;
  run(args: string[]): Promise<void>;
}

const commands: Readonly<Record<string, CliCommand>> = {
  up: { about: 'set up and run everything on this machine', run: runUp },
  demo: { about: 'place three orders in the running system and show what happens', run: runDemo },
  import: { about: 'import real invoices: online-retail FILE', run: runImport },
  verify: { about: "check the log's hash chain from the first event to the last", run: runVerify },
  audit: { about: 'hold log, read models and provider ledger against what must hold', run: runAudit },
  parked: { about: 'what read models could not take in: list, show, replay, discard, history', run: runParked },
  rebuild: { about: 'fold a read model anew from the log', run: runRebuild },
  'event-store': { about: 'run the embedded event store alone', run: runEventStore },
  'document-store': { about: 'run the embedded document store alone', run: runDocumentStore },
  'payment-provider': { about: 'run the sandbox payment provider alone', run: runPaymentProvider },
};

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const rows = Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`);
  return `shopledger <command> [options]\n\n${rows.join('\n')}\n`;
}

// Who reads our words may stop to (`| head`); what we do goes on.
process.stdout.on('error', () => {});

const [name, ...args] = process.argv.slice(2);
const command = name === undefined ? undefined : commands[name];
if (command === undefined) {
  const asked = name === undefined || name === 'help' || name === '--help' || name === '-h';
  if (asked) process.stdout.write(help());
  else process.stderr.write(`shopledger: there is no command ${name}\n\n${help()}`);
  process.exitCode = asked ? 0 : 2;
} else {
  try {
    await command.run(args);
  } catch (error) {
    const said = error instanceof CommandFault || (error instanceof Error && 'code' in error);
    const text = error instanceof Error ? (said ? error.message : (error.stack ?? error.message)) : String(error);
    process.stderr.write(`shopledger ${name}: ${text}\n`);
    process.exit(1);
  }
}
