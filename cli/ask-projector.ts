import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from 'mongodb';
import { type Act, type Asked, openActs } from '../projections/acts.js';
import { allProjections } from '../projections/all-projections.js';
import { connectDocumentStore } from '../runtime/document-store/connect.js';
import { readModelId } from '../runtime/document-store/read-model.js';
import { DataFolder } from './data-folder.js';
import { CommandFault } from './fault.js';
import { openDocuments } from './open-stores.js';
import { secondsOf, variable } from './settings.js';

const askEveryMs = 100;

/** Options of every command that works on read models. */
export const readModelOptions = {
  data: { type: 'string', default: variable('SHOPLEDGER_DATA') ?? './data' },
  mongodb: { type: 'string' },
  database: { type: 'string', default: variable('MONGODB_DATABASE') ?? 'shopledger' },
  by: { type: 'string', default: userInfo().username },
  why: { type: 'string' },
  wait: { type: 'string', default: '60' },
} as const;

export interface ReadModelValues {
  readonly data: string;
  readonly mongodb?: string | undefined;
  readonly database: string;
  readonly by: string;
  readonly why?: string | undefined;
  readonly wait: string;
}

/** The read models' database: of the running system, of a data folder, or where the options say. */
export async function withReadModels<T>(values: ReadModelValues, work: (db: Db) => Promise<T>): Promise<T> {
  const { url, close } = await openDocuments(values.mongodb ?? variable('MONGODB_URL'), new DataFolder(values.data));
  try {
    const store = await connectDocumentStore({ url, database: values.database, appName: 'shopledger' });
    try {
      return await work(store.db);
    } finally {
      await store.close();
    }
  } finally {
    await close();
  }
}

/** @param name a read model's id (`orders-v1`) or its name @throws CommandFault */
export function modelIdOf(name: string | undefined): string {
  const ids = allProjections.map(({ model }) => readModelId(model));
  const found = allProjections.find(({ model }) => model.name === name || readModelId(model) === name);
  if (found === undefined) throw new CommandFault(`say which read model: ${ids.join(', ')}.`);
  return readModelId(found.model);
}

/**
 * Asks the projector that runs, and waits until it has done it.
 *
 * @throws CommandFault where it refuses, or nobody takes it up in time: it is done once a projector starts
 */
export async function askProjector(
  db: Db,
  projection: string,
  asked: Asked,
  { by, why, wait }: ReadModelValues,
): Promise<Act> {
  if (why === undefined || why.trim() === '') throw new CommandFault('say why: --why "..." is kept with what is done.');
  const waitMs = secondsOf(wait, '--wait');
  const acts = openActs(db);
  const id = await acts.ask(projection, asked, { by, why }, new Date());
  const until = Date.now() + waitMs;
  for (;;) {
    const act = await acts.read(id);
    if (act?.state === 'done') return act;
    if (act?.state === 'refused') throw new CommandFault(`refused: ${String(act.outcome?.['code'])}.`);
    if (Date.now() > until) {
      const others = act?.outcome?.['waits_for'];
      const because = Array.isArray(others)
        ? ` It waits until this one projector has ended: ${others.join(', ')}.`
        : '';
      throw new CommandFault(`asked for, but not done within ${wait} s; a projector that runs will do it.${because}`);
    }
    await sleep(askEveryMs);
  }
}
