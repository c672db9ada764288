import { parseArgs } from 'node:util';
import { DataFolder } from '../../cli/data-folder.js';
import { tamper } from '../../embedded/event-store-server/tamper.js';

/**
 * `npm run drill -- tamper --position N [--data ./data] [--forge-checksum]`: changes one byte inside a stored event of a
 * system that is stopped, so that `shopledger verify` has something to find. For data that nobody needs any more.
 */
export async function runTamper(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string', default: './data' },
      position: { type: 'string' },
      'forge-checksum': { type: 'boolean', default: false },
    },
  });
  const position = Number(values.position);
  if (!Number.isInteger(position) || position < 1) throw new Error('say which event: --position N, from 1 on.');
  const data = new DataFolder(values.data);
  const changed = await tamper(data.at('event-store'), position, { fixChecksum: values['forge-checksum'] });
  process.stdout.write(`changed one byte of ${changed.stream} revision ${changed.revision}, position ${position}\n`);
}
