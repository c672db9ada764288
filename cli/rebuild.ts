import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openCheckpoints } from '../runtime/document-store/checkpoints.js';
import { askProjector, modelIdOf, readModelOptions, withReadModels } from './ask-projector.js';

const say = (text: string) => void process.stdout.write(`${text}\n`);
const lookEveryMs = 200;
const tellEveryMs = 1_000;

/**
 * `shopledger rebuild MODEL --why TEXT`: empties a read model and has the projector that runs fold it anew from the log.
 * Until it has caught up, its queries answer with what there is so far. What was parked gets a new chance, what was
 * discarded stays discarded.
 */
export async function runRebuild(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args, options: readModelOptions, allowPositionals: true });
  const model = modelIdOf(positionals[0]);
  await withReadModels(values, async (db) => {
    const checkpoints = openCheckpoints(db);
    const { outcome } = await askProjector(db, model, { act: 'rebuild' }, values);
    const upTo = BigInt(String(outcome?.['up_to'] ?? 0));
    const started = performance.now();
    let told = started;
    for (;;) {
      const position = (await checkpoints.read([model])).get(model) ?? 0n;
      const now = performance.now();
      if (position >= upTo) break;
      if (now - told >= tellEveryMs && position > 0n) {
        told = now;
        const share = Number((position * 10_000n) / upTo) / 10_000;
        const left = ((now - started) / share) * (1 - share);
        process.stderr.write(`  ${(share * 100).toFixed(1)} %, ${Math.ceil(left / 1_000)} s left\n`);
      }
      await sleep(lookEveryMs);
    }
    const documents = await db.collection(model).estimatedDocumentCount();
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    say(`${model} is built anew: ${documents} documents up to position ${upTo}, ${seconds} s`);
  });
}
