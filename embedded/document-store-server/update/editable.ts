import { toText } from '../bson/to-text.js';
import { BsonValue, bsonType, fieldsOf, itemsOf, typeName } from '../bson/value.js';
import { toBson, writeFields } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { isIndexName } from '../query/path.js';

/** A document being changed. What no change reaches stays as the bytes it was. */
export type Node = BsonValue | EditableDocument | EditableArray;

export interface EditableDocument {
  kind: 'document';
  fields: [string, Node][];
}

export interface EditableArray {
  kind: 'array';
  items: Node[];
}

const longestPadding = 1_500_000;

export function openDocument(document: BsonValue): EditableDocument {
  return { kind: 'document', fields: fieldsOf(document) };
}

export function openArray(array: BsonValue): EditableArray {
  return { kind: 'array', items: itemsOf(array) };
}

/** The node as bytes again. */
export function closeNode(node: Node): BsonValue {
  if (node instanceof BsonValue) return node;
  if (node.kind === 'array') return toBson(node.items.map(closeNode));
  return toBson(closeDocument(node));
}

export function closeDocument(document: EditableDocument): Buffer {
  return writeFields(document.fields.map(([name, node]) => [name, closeNode(node)] as const));
}

export function typeNameOf(node: Node): string {
  return node instanceof BsonValue ? typeName(node.type) : node.kind === 'document' ? 'object' : 'array';
}

function opened(node: Node): Node {
  if (!(node instanceof BsonValue)) return node;
  if (node.type === bsonType.document) return openDocument(node);
  return node.type === bsonType.array ? openArray(node) : node;
}

/** One place in a document: to read, to write, to clear. */
export interface Slot {
  get(): Node | undefined;
  set(node: Node): void;
  /** removes a field; an array item becomes null */
  clear(): void;
}

function documentSlot(parent: EditableDocument, name: string): Slot {
  const find = () => parent.fields.findIndex(([other]) => other === name);
  return {
    get: () => parent.fields.find(([other]) => other === name)?.[1],
    set(node) {
      const at = find();
      if (at < 0) parent.fields.push([name, node]);
      else parent.fields[at] = [name, node];
    },
    clear() {
      const at = find();
      if (at >= 0) parent.fields.splice(at, 1);
    },
  };
}

function arraySlot(parent: EditableArray, at: number): Slot {
  return {
    get: () => parent.items[at],
    set(node) {
      if (at - parent.items.length > longestPadding) {
        throw new CommandError(code.badValue, `array index ${at} is too far behind the array's end`);
      }
      while (parent.items.length < at) parent.items.push(toBson(null));
      parent.items[at] = node;
    },
    clear() {
      if (at < parent.items.length) parent.items[at] = toBson(null);
    },
  };
}

/**
 * The place a dotted path names.
 *
 * @param create whether missing documents on the way come into being and a path that cannot exist is an error
 * @returns undefined, without `create`, where the path leads nowhere
 * @throws CommandError 28 PathNotViable through a scalar, or by a name into an array
 */
export function slotAt(root: EditableDocument, names: string[], create: boolean): Slot | undefined {
  let parent: Node = root;
  let parentName = '';
  for (const [at, name] of names.entries()) {
    if (parent instanceof BsonValue || (parent.kind === 'array' && !isIndexName(name))) {
      if (!create) return undefined;
      const shown = toText(closeNode(parent));
      throw new CommandError(code.pathNotViable, `Cannot create field '${name}' in element {${parentName}: ${shown}}`);
    }
    const slot: Slot = parent.kind === 'array' ? arraySlot(parent, Number(name)) : documentSlot(parent, name);
    if (at === names.length - 1) return slot;
    const child: Node | undefined = slot.get();
    if (child === undefined && !create) return undefined;
    const next: Node = child === undefined ? { kind: 'document', fields: [] } : opened(child);
    if (next !== child) slot.set(next);
    parent = next;
    parentName = name;
  }
  return undefined;
}
