import type { Db, IndexDescription } from 'mongodb';

/** What a projection writes and its routes read. A changed shape or meaning raises `version` and builds anew. */
export interface ReadModel {
  readonly name: string;
  readonly version: number;
  readonly indexes: readonly IndexDescription[];
}

/** `<name>-v<version>`: the collection, the checkpoint's id and the label in metrics and logs. */
export function readModelId(model: ReadModel): string {
  return `${model.name}-v${model.version}`;
}

/** Creates the collection's indexes where they are missing. */
export async function ensureIndexes(db: Db, model: ReadModel): Promise<void> {
  if (model.indexes.length > 0) await db.collection(readModelId(model)).createIndexes([...model.indexes]);
}
