import { parseArgs } from 'node:util';
import type { Db } from 'mongodb';
import { openActs } from '../projections/acts.js';
import { openParkedEvents, type ParkedRecord } from '../projections/parking/parked-events.js';
import type { ParkedKey } from '../projections/parking/parking.js';
import { askProjector, modelIdOf, type ReadModelValues, readModelOptions, withReadModels } from './ask-projector.js';
import { CommandFault } from './fault.js';
import { textTable } from './text-table.js';

const say = (text: string) => void process.stdout.write(`${text}\n`);
const latest = 100;

const sayTable = (lines: readonly (readonly string[])[]) => say(textTable(lines).join('\n'));

async function list(db: Db, [name]: readonly string[]): Promise<void> {
  const found = await openParkedEvents(db).summaries(name === undefined ? undefined : modelIdOf(name));
  if (found.length === 0) return say('Nothing is parked.');
  const head = ['read model', 'what', 'id or stream', 'events', 'from position', 'event', 'because', 'since'];
  const rows = found.map(({ projection, kind, key, events, first }) => [
    ...[projection, kind, key, String(events), String(first.position), first.event_type],
    ...[first.fault?.code ?? 'waits for its replay', first.parked_at.toISOString()],
  ]);
  sayTable([head, ...rows]);
}

/** What is parked under an id or a stream's name. @throws CommandFault where nothing is */
async function find(
  db: Db,
  model: string,
  key: string | undefined,
): Promise<{ key: ParkedKey; records: ParkedRecord[] }> {
  for (const kind of ['document', 'stream'] as const) {
    const records = key === undefined ? [] : await openParkedEvents(db).of(model, { kind, key });
    if (key !== undefined && records.length > 0) return { key: { kind, key }, records };
  }
  throw new CommandFault(
    `${model} has nothing parked of ${key ?? 'that'}: shopledger parked list shows what there is.`,
  );
}

async function show(db: Db, [name, id]: readonly string[]): Promise<void> {
  const { records } = await find(db, modelIdOf(name), id);
  const head = ['position', 'event', 'stream', 'revision', 'state'];
  const rows = records.map(({ position, event_type, stream, revision, fault, discarded }) => {
    const state =
      discarded !== null
        ? `discarded by ${discarded.by} at ${discarded.at.toISOString()}: ${discarded.why}`
        : fault !== null
          ? `${fault.code}: ${fault.message}`
          : 'waits';
    return [String(position), event_type, stream, String(revision), state];
  });
  sayTable([head, ...rows]);
}

async function replay(
  db: Db,
  [name, id]: readonly string[],
  values: ReadModelValues & { all: boolean },
): Promise<void> {
  const model = modelIdOf(name);
  if ((id === undefined) !== values.all) throw new CommandFault('say which: an id, a stream, or --all.');
  const key = id === undefined ? null : (await find(db, model, id)).key;
  const { outcome } = await askProjector(db, model, { act: 'replay', key }, values);
  const { replayed, folded_events, still_parked, waiting_events, first_fault } = outcome ?? {};
  say(`replayed ${String(replayed)}: ${String(folded_events)} events folded in, in order`);
  if (still_parked === 0) return;
  const { code, position, event_type } = first_fault as Record<string, unknown>;
  say(
    `still parked ${String(still_parked)} with ${String(waiting_events)} events; first ${String(event_type)} at ${String(position)}: ${String(code)}`,
  );
  process.exitCode = 1;
}

async function discard(db: Db, [name, id, at = '']: readonly string[], values: ReadModelValues): Promise<void> {
  const model = modelIdOf(name);
  const { key } = await find(db, model, id);
  if (!/^\d+$/.test(at)) throw new CommandFault('say which event: its position, as shopledger parked show tells it.');
  const { outcome } = await askProjector(db, model, { act: 'discard', key, position: BigInt(at) }, values);
  const waiting = Number(outcome?.['waiting_events']);
  say(`discarded for good: ${model} passes over position ${at}`);
  if (waiting > 0) say(`${waiting} events wait behind it: shopledger parked replay ${model} ${key.key} --why ...`);
}

async function history(db: Db): Promise<void> {
  const acts = await openActs(db).latest(latest);
  const head = ['asked', 'by', 'act', 'read model', 'what', 'state', 'why'];
  const rows = acts.map((act) => {
    const key = 'key' in act && act.key !== null ? `${act.key.kind} ${act.key.key}` : 'all';
    const what = act.act === 'discard' ? `${key} at ${act.position}` : key;
    return [act.asked_at.toISOString(), act.by, act.act, act.projection, what, act.state, act.why];
  });
  if (acts.length === 0) return say('Nobody has asked for anything.');
  sayTable([head, ...rows]);
}

const usage = `shopledger parked list [MODEL]
shopledger parked show MODEL ID
shopledger parked replay MODEL ID|--all --why TEXT
shopledger parked discard MODEL ID POSITION --why TEXT
shopledger parked history`;

/**
 * `shopledger parked ...`: events that a read model could not take in, and all that wait behind them. A replay is carried
 * out by the projector that runs; it ends with 1 where something is still parked.
 */
export async function runParked(args: string[]): Promise<void> {
  const options = { ...readModelOptions, all: { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const [name = '', ...rest] = positionals;
  const verbs = { list, show, replay, discard, history };
  if (!(name in verbs)) throw new CommandFault(`say what to do:\n${usage}`);
  await withReadModels(values, (db) => verbs[name as keyof typeof verbs](db, rest, values));
}
