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

/** Creates the collection and its indexes where they are missing. @returns its identity */
export async function ensureCollection(db: Db, model: ReadModel): Promise<string> {
  const name = readModelId(model);
  await ensureIndexes(db, model);
  const known = (await collectionIdentities(db)).get(name);
  if (known !== undefined) return known;
  await db.createCollection(name);
  return (await collectionIdentities(db)).get(name) ?? '';
}

/** Every collection of the database with its identity, which a collection of the same name that is made anew does not share. */
export async function collectionIdentities(db: Db): Promise<Map<string, string>> {
  const found = await db.listCollections().toArray();
  return new Map(found.map((collection) => [collection.name, String('info' in collection && collection.info?.uuid)]));
}
