import { CommandError, code } from '../errors.js';
import type { Operator } from './operator.js';

/** What an update does to a place: an operator, changes to fields within, or changes to chosen array items. */
export type UpdateNode = Leaf | Branch | Items;

export interface Leaf {
  kind: 'leaf';
  /** the whole path as the client wrote it */
  path: string;
  /** names in the path */
  levels: number;
  operator: Operator;
}

export interface Child {
  name: string;
  bytes: Buffer;
  /** the place in an array that the name means; -1 for other names */
  index: number;
  node: UpdateNode;
}

export interface Branch {
  kind: 'branch';
  /** in the order in which MongoDB applies them: numbers as numbers, other names as text */
  children: Child[];
  /** what `$` stands before */
  positional: UpdateNode | undefined;
}

export interface Items {
  kind: 'items';
  /** by identifier; the empty one of `$[]` stands for all items */
  children: Map<string, UpdateNode>;
  /** merged children by the identifiers that met on one item */
  merged: Map<string, UpdateNode>;
}

export const newBranch = (): Branch => ({ kind: 'branch', children: [], positional: undefined });
const newItems = (): Items => ({ kind: 'items', children: new Map(), merged: new Map() });

const astral = /[\ud800-\uffff]/;

function compareText(a: string, b: string): number {
  // JavaScript orders UTF-16 units, MongoDB bytes; they differ only from the surrogates on
  if (astral.test(a) && astral.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareChildren(a: Child, b: Child): number {
  return a.index >= 0 && b.index >= 0 ? a.index - b.index || compareText(a.name, b.name) : compareText(a.name, b.name);
}

export function isItemsName(name: string): boolean {
  return name.length >= 3 && name.startsWith('$[') && name.endsWith(']');
}

export function identifierOf(name: string): string {
  return name.slice(2, -1);
}

export function childOf(parent: Branch | Items, name: string): UpdateNode | undefined {
  if (parent.kind === 'items') return parent.children.get(isItemsName(name) ? identifierOf(name) : name);
  if (name === '$') return parent.positional;
  return parent.children.find((child) => child.name === name)?.node;
}

function setChild(parent: Branch | Items, name: string, node: UpdateNode): void {
  if (parent.kind === 'items') {
    parent.children.set(identifierOf(name), node);
  } else if (name === '$') {
    parent.positional = node;
  } else {
    const index = /^\d{1,15}$/.test(name) ? Number(name) : -1;
    const child = { name, bytes: Buffer.from(name), index, node };
    const last = parent.children.at(-1);
    parent.children.push(child);
    if (last !== undefined && compareChildren(last, child) > 0) parent.children.sort(compareChildren);
  }
}

function conflict(path: string, at: string): CommandError {
  return new CommandError(code.conflictingUpdate, `Updating the path '${path}' would create a conflict at '${at}'`);
}

/** Adds an operator at its path. @throws CommandError 40 when another one changes the same place */
export function addLeaf(root: Branch, path: string, names: string[], operator: Operator): void {
  let parent: Branch | Items = root;
  const last = names.length - 1;
  for (let at = 0; at < last; at++) {
    const name = names[at] ?? '';
    const kind: 'items' | 'branch' = isItemsName(names[at + 1] ?? '') ? 'items' : 'branch';
    let child = childOf(parent, name);
    if (child === undefined) {
      child = kind === 'items' ? newItems() : newBranch();
      setChild(parent, name, child);
    }
    if (child.kind === 'leaf' || child.kind !== kind) throw conflict(path, names.slice(0, at + 1).join('.'));
    parent = child;
  }
  const name = names[last] ?? '';
  if (childOf(parent, name) !== undefined) throw conflict(path, path);
  setChild(parent, name, { kind: 'leaf', path, levels: names.length, operator });
}

/** The path of an operator below a node, for messages. */
export function somePath(node: UpdateNode): string {
  if (node.kind === 'leaf') return node.path;
  const below = node.kind === 'branch' ? (node.children[0]?.node ?? node.positional) : [...node.children.values()][0];
  return below === undefined ? '' : somePath(below);
}

/** Both changes in one. @throws CommandError 40 when they change the same place */
export function mergeNodes(a: UpdateNode, b: UpdateNode): UpdateNode {
  if (a.kind === 'branch' && b.kind === 'branch') {
    const merged: Branch = { kind: 'branch', children: [...a.children], positional: a.positional };
    for (const { name, node } of b.children) mergeChild(merged, name, node);
    if (b.positional !== undefined) mergeChild(merged, '$', b.positional);
    return merged;
  }
  if (a.kind === 'items' && b.kind === 'items') {
    const merged: Items = { ...newItems(), children: new Map(a.children) };
    for (const [identifier, node] of b.children) mergeChild(merged, `$[${identifier}]`, node);
    return merged;
  }
  throw new CommandError(
    code.conflictingUpdate,
    `Update created a conflict between '${somePath(a)}' and '${somePath(b)}'`,
  );
}

function mergeChild(parent: Branch | Items, name: string, node: UpdateNode): void {
  const present = childOf(parent, name);
  if (present === undefined) {
    setChild(parent, name, node);
    return;
  }
  const merged = mergeNodes(present, node);
  if (parent.kind === 'branch' && name !== '$') {
    parent.children = parent.children.map((child) => (child.name === name ? { ...child, node: merged } : child));
  } else {
    setChild(parent, name, merged);
  }
}
