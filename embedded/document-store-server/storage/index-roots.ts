import type { Filter } from '../query/filter.js';
import type { Index } from './catalogue.js';

const known = new WeakMap<Index, Buffer[] | undefined>();

/** Adds the top-level fields that a filter asks about. @returns false where it is not known to ask about those alone */
function addRoots(filter: Filter, roots: Buffer[]): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
    case 'nor':
      return filter.parts.every((part) => addRoots(part, roots));
    case 'not':
      return addRoots(filter.part, roots);
    case 'constant':
      return true;
    case 'test': {
      const root = filter.path?.bytes[0];
      if (root === undefined) return false;
      roots.push(root);
      return true;
    }
    default:
      return false;
  }
}

function rootsOf(index: Index): Buffer[] | undefined {
  if (known.has(index)) return known.get(index);
  const roots = index.fields.flatMap(({ path }) => path.bytes.slice(0, 1));
  const all = index.partial === undefined || addRoots(index.partial.filter, roots) ? roots : undefined;
  known.set(index, all);
  return all;
}

/** Whether an index has entries of documents by any of these top-level fields, so that a change of them may change its entries. */
export function readsAny(index: Index, names: readonly Buffer[]): boolean {
  const roots = rootsOf(index);
  return roots === undefined || names.some((name) => roots.some((root) => root.equals(name)));
}
