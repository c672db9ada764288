import type { Db, Document } from 'mongodb';

// What the specifications of this folder find out about queries; nothing else imports it.

/** How the store finds what a query asks for. */
export interface Explained {
  readonly command: Document;
  /** `IXSCAN`, `COLLSCAN`, `SORT`, …, of the plan that was taken */
  readonly stages: readonly string[];
  readonly keysExamined: number;
  readonly documentsExamined: number;
  readonly returned: number;
}

/** The stages of every winning plan inside an answer of `explain`, wherever the server puts it. */
function stagesIn(value: unknown, winning = false): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    if (winning && key === 'stage' && typeof inner === 'string') return [inner];
    return stagesIn(inner, winning || key === 'winningPlan');
  });
}

function firstStats(value: unknown): Document | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const document = value as Document;
  const stats: unknown = document['executionStats'];
  if (typeof stats === 'object' && stats !== null) return stats;
  for (const inner of Object.values(document)) {
    const found = firstStats(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @param command as the driver sent it */
export async function explainQuery(db: Db, command: Document): Promise<Explained> {
  const { lsid: _, $db: __, ...plain } = command;
  const answer = await db.command({ explain: plain, verbosity: 'executionStats' });
  const stats = firstStats(answer);
  return {
    command: plain,
    stages: stagesIn(answer),
    keysExamined: Number(stats?.['totalKeysExamined']),
    documentsExamined: Number(stats?.['totalDocsExamined']),
    returned: Number(stats?.['nReturned']),
  };
}
