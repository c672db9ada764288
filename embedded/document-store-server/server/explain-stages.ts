import { writeDocument } from '../bson/write.js';
import { boundsText } from '../query/bounds-text.js';
import { conjunctsOf, type Plan } from '../query/planner.js';
import type { SortOrder } from '../query/sort.js';
import type { Reply } from './context.js';
import type { Explainable } from './explain-commands.js';

const sortMemory = 100 * 1024 * 1024;

/** What carrying out a plan came to. */
export interface Figures {
  keys: number;
  documents: number;
  /** documents that matched, before sort, skip and limit */
  matches: number;
  returned: number;
}

function pattern(order: SortOrder): Record<string, number> {
  return Object.fromEntries(order.map(({ path, descending }) => [path.text, descending ? -1 : 1]));
}

function access(plan: Plan, { filter, query }: Explainable, figures: Figures | undefined): Reply {
  const { index } = plan;
  const direction = plan.reverse ? 'backward' : 'forward';
  const shownFilter = filter !== undefined && filter.end - filter.start > 5 ? filter : undefined;
  const found = figures && { nReturned: figures.matches };
  const examined = figures && { docsExamined: figures.documents };
  if (index === undefined) return { stage: 'COLLSCAN', filter: shownFilter, ...found, direction, ...examined };
  const scan = {
    stage: 'IXSCAN',
    ...(figures && { nReturned: figures.documents }),
    keyPattern: index.pattern,
    indexName: index.name,
    isMultiKey: index.multikey,
    isUnique: index.unique,
    isSparse: index.sparse,
    isPartial: index.partial !== undefined,
    indexVersion: 2,
    direction,
    indexBounds: boundsText(plan, conjunctsOf(query.filter)),
    ...(figures && { keysExamined: figures.keys }),
  };
  return { stage: 'FETCH', filter: shownFilter, ...found, ...examined, inputStage: scan };
}

/** A plan as MongoDB's explain shows it: the stage that finds documents innermost. Figures are left out when undefined. */
export function planTree(plan: Plan | undefined, explained: Explainable, figures: Figures | undefined): Reply {
  const { query, projection } = explained;
  const { order, skip, limit } = query;
  if (plan === undefined) return { stage: 'EOF', ...(figures && { nReturned: 0 }) };
  let tree = access(plan, explained, figures);
  let left = figures?.matches ?? 0;
  const put = (stage: string, fields: Reply, returned: number) => {
    left = returned;
    tree = { stage, ...(figures && { nReturned: left }), ...fields, inputStage: tree };
  };
  if (!plan.sorted) {
    const limitAmount = limit > 0 ? skip + limit : undefined;
    const sortPattern = writeDocument(pattern(order));
    const fields = { sortPattern, memLimit: sortMemory, limitAmount, type: 'simple' };
    put('SORT', fields, Math.min(left, limitAmount ?? left));
  }
  if (projection !== undefined && projection.end - projection.start > 5) {
    put('PROJECTION_DEFAULT', { transformBy: projection }, left);
  }
  // counts and writes end the search themselves
  if (explained.top !== undefined) return tree;
  if (skip > 0) put('SKIP', { skipAmount: skip }, Math.max(0, left - skip));
  if (limit > 0 && plan.sorted) put('LIMIT', { limitAmount: limit }, Math.min(left, limit));
  return tree;
}
