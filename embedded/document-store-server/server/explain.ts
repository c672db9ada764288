import { CommandError, code } from '../errors.js';
import { firstName } from '../query/path.js';
import type { Plan } from '../query/planner.js';
import { Arguments } from './arguments.js';
import type { Context, Reply } from './context.js';
import { parseFind, runQuery } from './reads.js';

function stages(plan: Plan | undefined): Reply {
  if (plan === undefined) return { stage: 'EOF' };
  const { index } = plan;
  const direction = plan.reverse ? 'backward' : 'forward';
  const access: Reply =
    index === undefined
      ? { stage: 'COLLSCAN', direction }
      : {
          stage: 'FETCH',
          inputStage: {
            stage: 'IXSCAN',
            indexName: index.name,
            keyPattern: index.pattern,
            isMultiKey: index.multikey,
            direction,
            boundFields: plan.boundFields,
            intervals: plan.intervals.length,
          },
        };
  return plan.sorted ? access : { stage: 'SORT', inputStage: access };
}

/** Explains a `find`: the plan, and with any verbosity but queryPlanner what running it examined. */
export async function explain(context: Context): Promise<Reply> {
  const { args, database } = context;
  const command = args.document('explain');
  const verbosity = args.text('verbosity') ?? 'allPlansExecution';
  args.finish();
  if (!['queryPlanner', 'executionStats', 'allPlansExecution'].includes(verbosity)) {
    throw new CommandError(code.badValue, `unknown verbosity '${verbosity}'`);
  }
  const name = command && firstName(command);
  if (command === undefined || name !== 'find') {
    throw new CommandError(code.commandNotFound, `Explain of '${name}' is not supported, only of 'find'`);
  }
  const findArgs = new Arguments('find', command);
  const { collection, query } = parseFind(context, findArgs);
  const running = collection && runQuery(context, { collection, ...query });
  const reply: Reply = {
    explainVersion: '1',
    queryPlanner: {
      namespace: `${database}.${findArgs.collection()}`,
      winningPlan: stages(running?.plan),
      rejectedPlans: [],
    },
  };
  if (verbosity === 'queryPlanner') return reply;
  const started = performance.now();
  let returned = 0;
  if (running !== undefined) for await (const batch of running.batches) returned += batch.length;
  reply['executionStats'] = {
    executionSuccess: true,
    nReturned: returned,
    executionTimeMillis: Math.round(performance.now() - started),
    totalKeysExamined: running?.counts.keys ?? 0,
    totalDocsExamined: running?.counts.documents ?? 0,
  };
  return reply;
}
