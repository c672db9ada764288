import { CommandError } from '../errors.js';
import type { Expression } from '../expressions/expression.js';

/** What a projection says about one field. */
export type Node =
  | { kind: 'keep' }
  | { kind: 'drop' }
  | { kind: 'slice'; skip: number | undefined; limit: number }
  | { kind: 'compute'; expression: Expression }
  | Branch;

export interface Child {
  name: string;
  bytes: Buffer;
  node: Node;
}

/** The fields below one field, in the order they were named. */
export interface Branch {
  kind: 'branch';
  children: Child[];
  /** there is a computed field somewhere below */
  computes: boolean;
}

export function emptyBranch(): Branch {
  return { kind: 'branch', children: [], computes: false };
}

export function nodeAt(branch: Branch, name: string): Node | undefined {
  return branch.children.find((child) => child.name === name)?.node;
}

function add<N extends Node>(branch: Branch, name: string, node: N): N {
  branch.children.push({ name, bytes: Buffer.from(name), node });
  return node;
}

/**
 * Puts a node at a path.
 *
 * @throws CommandError 31250 where the very path is taken, 31249 where a part of it is
 */
export function place(root: Branch, names: readonly string[], node: Node): void {
  const path = names.join('.');
  let branch = root;
  for (const [at, name] of names.entries()) {
    branch.computes ||= node.kind === 'compute';
    const there = nodeAt(branch, name);
    if (at === names.length - 1) {
      if (there !== undefined) throw new CommandError(31250, `Path collision at ${path}`);
      add(branch, name, node);
    } else if (there === undefined) {
      branch = add(branch, name, emptyBranch());
    } else if (there.kind === 'branch') {
      branch = there;
    } else {
      throw new CommandError(31249, `Path collision at ${path} remaining portion ${names.slice(at + 1).join('.')}`);
    }
  }
}
