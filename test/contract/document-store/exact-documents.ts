import { BSON, type Collection, type Document, type Filter } from 'mongodb';
import type { Doc } from './document-store-targets.js';

/**
 * BSON as text that tells everything apart: types, the order of fields, digits of decimals. Two documents have the same
 * text when their bytes mean the same.
 */
export function textOf(document: Document | Uint8Array): string {
  const bytes = document instanceof Uint8Array ? document : BSON.serialize(document);
  return BSON.EJSON.stringify(BSON.deserialize(bytes, { promoteValues: false, bsonRegExp: true }), { relaxed: false });
}

/** What a reading gives, as texts. */
export async function textsOf(cursor: { toArray(): Promise<unknown[]> }): Promise<string[]> {
  return (await cursor.toArray()).map((document) => textOf(document as Uint8Array));
}

/** The text of the one stored document under an id; undefined where there is none. */
export async function storedText(collection: Collection<Doc>, id: unknown): Promise<string | undefined> {
  const found: unknown = await collection.findOne({ _id: id } as Filter<Doc>, { raw: true });
  return found === null ? undefined : textOf(found as Uint8Array);
}

const longestTitle = 110;

/** A document, filter or pipeline as the title of a test. */
export function titleOf(value: unknown): string {
  const text = BSON.EJSON.stringify({ value }, { relaxed: true }).slice('{"value":'.length, -1);
  return text.length > longestTitle ? `${text.slice(0, longestTitle)}…` : text;
}
