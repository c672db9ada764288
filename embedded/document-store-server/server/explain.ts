import { hostname } from 'node:os';
import { runStages } from '../aggregation/stage.js';
import { type BsonValue, documentValue, fieldsOf, itemsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { firstName } from '../query/path.js';
import { type Batches, mapBatches, noBatches, Turns } from '../query/pipeline.js';
import type { Plan } from '../query/planner.js';
import { aggregate, parseAggregate } from './aggregate.js';
import { Arguments } from './arguments.js';
import type { Context, Reply } from './context.js';
import { type Explainable, readers } from './explain-commands.js';
import { type Figures, planTree } from './explain-stages.js';
import { readGeneric } from './generic-fields.js';
import { version } from './handshake.js';
import { runQuery } from './reads.js';

const verbosities = ['queryPlanner', 'executionStats', 'allPlansExecution'];

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
