import { hostname } from 'node:os';
import { runStages } from '../aggregation/stage.js';
import { type BsonValue, documentValue, fieldsOf, itemsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { matchAll, parseFilter } from '../query/filter.js';
import { firstName } from '../query/path.js';
import { type Batches, mapBatches, noBatches, Turns } from '../query/pipeline.js';
import type { Plan } from '../query/planner.js';
import type { Collection } from '../storage/catalogue.js';
import { applyUpdate } from '../update/apply.js';
import { parseUpdate, type Update } from '../update/modifiers.js';
import { matchedPosition } from '../update/positional.js';
import { aggregate, parseAggregate } from './aggregate.js';
import { Arguments } from './arguments.js';
import { type Context, expressionsOf, findCollection, parseHint, type Reply } from './context.js';
import { type Figures, planTree } from './explain-stages.js';
import { parseFindAndModify } from './find-and-modify.js';
import { readGeneric } from './generic-fields.js';
import { version } from './handshake.js';
import { parseCount, parseDistinct, parseFind, type Query, runQuery, storedCount } from './reads.js';
import { parseDeleteStatement, parseUpdateStatement, readWrite } from './writes.js';

const verbosities = ['queryPlanner', 'executionStats', 'allPlansExecution'];

interface Top {
  stage: string;
  /** it finds nothing itself */
  isAlone?: boolean;
  each?(document: Buffer): void;
  figures(matched: number): Reply;
}

/** A command as its explanation sees it: how it finds documents, and what it would do with them. */
export interface Explainable {
  collection: Collection | undefined;
  query: Omit<Query, 'collection'>;
  /** the filter as it came */
  filter: BsonValue | undefined;
  projection?: BsonValue | undefined;
  /** what is done with what is found, where that may end the search */
  behind?(found: Batches): Batches;
  /** the stage on top, which takes in what is found and has figures of its own */
  top?: Top;
}

function explainUpdate(server: Context['server'], query: Omit<Query, 'collection'>, change: Update, upserts: boolean) {
  let modified = 0;
  return {
    stage: 'UPDATE',
    each(document: Buffer) {
      const after = applyUpdate(change, document, server.clock, matchedPosition(change, query.filter, document));
      if (after !== document) modified++;
    },
    figures: (matched: number) => ({
      nMatched: matched,
      nWouldModify: modified,
      nWouldUpsert: matched === 0 && upserts ? 1 : 0,
    }),
  };
}

const explainDelete = { stage: 'DELETE', figures: (matched: number) => ({ nWouldDelete: matched }) };

function onlyStatement(context: Context, field: string): { name: string; statement: Buffer } {
  const { name, statements } = readWrite(context, field);
  const [statement, ...more] = statements;
  if (statement !== undefined && more.length === 0) return { name, statement };
  throw new CommandError(16, 'explained write batches must be of size 1');
}

/** The readers of commands that are explained by one plan. `aggregate` has its own way. */
const readers: Record<string, (context: Context) => Explainable> = {
  find(context) {
    const { collection, query } = parseFind(context, context.args);
    const projection = context.args.document('projection');
    return { collection, query, filter: context.args.document('filter'), projection };
  },
  count(context) {
    const { collection, query } = parseCount(context, context.args);
    const filter = context.args.document('query');
    const isStored = query.filter === matchAll && query.hint === undefined && collection !== undefined;
    if (!isStored) {
      const top = { stage: 'COUNT', figures: (matched: number) => ({ nCounted: matched, nSkipped: query.skip }) };
      return { collection, query, filter, top };
    }
    const figures = () => ({ nCounted: storedCount(collection, query), nSkipped: query.skip });
    return { collection: undefined, query, filter, top: { stage: 'RECORD_STORE_FAST_COUNT', isAlone: true, figures } };
  },
  distinct(context) {
    const { collection, query } = parseDistinct(context, context.args);
    return { collection, query, filter: context.args.document('query') };
  },
  update(context) {
    const { name, statement } = onlyStatement(context, 'updates');
    const { query: filter, update, arrayFilters, multi, upsert, hint } = parseUpdateStatement(statement);
    const expressions = expressionsOf(context, context.args);
    const collection = findCollection(context, name);
    const query = {
      filter: parseFilter(filter, expressions),
      order: [],
      skip: 0,
      limit: multi ? 0 : 1,
      hint: parseHint(collection, hint),
    };
    const change = parseUpdate(update, arrayFilters, expressions);
    return { collection, query, filter, top: explainUpdate(context.server, query, change, upsert) };
  },
  delete(context) {
    const { name, statement } = onlyStatement(context, 'deletes');
    const { query: filter, hint, multi } = parseDeleteStatement(statement);
    const collection = findCollection(context, name);
    const query = {
      filter: parseFilter(filter, expressionsOf(context, context.args)),
      order: [],
      skip: 0,
      limit: multi ? 0 : 1,
      hint: parseHint(collection, hint),
    };
    return { collection, query, filter, top: explainDelete };
  },
  findAndModify(context) {
    const { name, filter, order, upserts, change, hintValue } = parseFindAndModify(context);
    const collection = findCollection(context, name);
    const query = { filter, order, skip: 0, limit: 1, hint: parseHint(collection, hintValue) };
    const top = change === undefined ? explainDelete : explainUpdate(context.server, query, change, upserts);
    return { collection, query, filter: context.args.document('query'), top };
  },
};

/** The plan of a query and, unless only that is asked for, what carrying it out examined. */
async function explainQuery(
  context: Context,
  namespace: string,
  explained: Explainable,
  executes: boolean,
): Promise<Reply> {
  const { collection, query, filter, top } = explained;
  const considered: Plan[] = [];
  const running = collection && runQuery(context, { collection, ...query }, considered);
  const tree = (plan: Plan | undefined, figures?: Figures) => {
    const inputStage = top?.isAlone === true ? undefined : planTree(plan, explained, figures);
    if (top === undefined) return inputStage;
    return { stage: top.stage, ...(figures && { nReturned: 0, ...top.figures(figures.returned) }), inputStage };
  };
  const reply: Reply = {
    queryPlanner: {
      namespace,
      indexFilterSet: false,
      parsedQuery: filter ?? {},
      maxIndexedOrSolutionsReached: false,
      maxIndexedAndSolutionsReached: false,
      maxScansToExplodeReached: false,
      winningPlan: tree(running?.plan),
      rejectedPlans: considered.filter((plan) => plan !== running?.plan).map((plan) => tree(plan)),
    },
  };
  if (!executes) return reply;
  const started = performance.now();
  let returned = 0;
  const found = mapBatches(running?.batches ?? noBatches(), (document) => {
    returned++;
    top?.each?.(document);
    return document;
  });
  for await (const _ of explained.behind?.(found) ?? found);
  const { keys = 0, documents = 0, matches = 0 } = running?.counts ?? {};
  reply['executionStats'] = {
    executionSuccess: true,
    nReturned: top === undefined ? returned : 0,
    executionTimeMillis: Math.round(performance.now() - started),
    totalKeysExamined: keys,
    totalDocsExamined: documents,
    executionStages: tree(running?.plan, { keys, documents, matches, returned }),
    // plans are weighed by the keys they meet, none but the chosen one is carried out
    allPlansExecution: [],
  };
  return reply;
}

/** Stages that are not part of a plan: each with what it returned. */
async function explainStages(context: Context, executes: boolean): Promise<Reply> {
  const { namespace, collection, query, source, stages, pipeline } = parseAggregate(context, true);
  const items = itemsOf(pipeline);
  const shown = items.slice(items.length - stages.length);
  const absorbed = items.slice(0, items.length - stages.length);
  const match = absorbed.find((item) => firstName(item) === '$match');
  const filter = match && fieldsOf(match)[0]?.[1];
  if (source !== undefined) {
    throw new CommandError(code.illegalOperation, `Cannot explain ${firstName(items[0] as BsonValue)}`);
  }
  const counts = stages.map(() => 0);
  const turns = new Turns(() => context.deadline);
  const behind = (found: Batches) =>
    stages.reduce(
      (before, stage, at) =>
        mapBatches(runStages(before, [stage], turns), (document) => {
          counts[at] = (counts[at] ?? 0) + 1;
          return document;
        }),
      found,
    );
  const explained = await explainQuery(context, namespace, { collection, query, filter, behind }, executes);
  if (stages.length === 0) return explained;
  const returned = (n: number | undefined) => (executes ? { nReturned: n ?? 0 } : {});
  const { executionStats } = explained as { executionStats?: { nReturned: number } };
  return {
    stages: [
      { $cursor: explained, ...returned(executionStats?.nReturned) },
      ...shown.map((item, at) => ({ ...Object.fromEntries(fieldsOf(item)), ...returned(counts[at]) })),
    ],
  };
}

async function explainCommand(context: Context, command: BsonValue, verbosity: string): Promise<Reply> {
  const { args, database } = context;
  const executes = verbosity !== 'queryPlanner';
  const reader = readers[args.name === 'findandmodify' ? 'findAndModify' : args.name];
  const explained =
    reader === undefined
      ? await explainStages(context, executes)
      : await explainQuery(context, `${database}.${args.collection()}`, reader(context), executes);
  return {
    explainVersion: '1',
    ...explained,
    command: documentValue(command.bytes),
    serverInfo: { host: hostname(), version, gitVersion: 'shopledger-document-store' },
    serverParameters: {},
  };
}

/** An aggregation, or its plan with `explain: true`. */
export function aggregateOrExplain(context: Context): Promise<Reply> {
  const { args } = context;
  return args.flag('explain') ? explainCommand(context, args.command, 'queryPlanner') : aggregate(context);
}

/** Explains a command without doing it: the plan and, but for `queryPlanner`, what finding the documents examined. */
export function explain(context: Context): Promise<Reply> {
  const { args, database } = context;
  const command = args.required('explain', args.document('explain'));
  const verbosity = args.text('verbosity') ?? 'allPlansExecution';
  args.finish();
  if (!verbosities.includes(verbosity)) {
    throw new CommandError(
      code.badValue,
      `Enumeration value '${verbosity}' for field 'explain.verbosity' is not a valid value.`,
    );
  }
  const name = firstName(command) ?? '';
  if (name !== 'findandmodify' && name !== 'aggregate' && !Object.hasOwn(readers, name)) {
    const known = ['aggregate', ...Object.keys(readers)].join(', ');
    throw new CommandError(code.illegalOperation, `Cannot explain cmd: ${name}; supported: ${known}`);
  }
  const inner = new Arguments(name, command);
  const { maxTimeMs } = readGeneric(inner, database);
  if (name === 'aggregate' && inner.flag('explain')) {
    throw new CommandError(
      code.failedToParse,
      "The 'explain' option is illegal when a explain verbosity is also provided",
    );
  }
  const deadline = maxTimeMs === 0 ? context.deadline : Math.min(context.deadline, performance.now() + maxTimeMs);
  return explainCommand({ ...context, args: inner, deadline }, command, verbosity);
}
