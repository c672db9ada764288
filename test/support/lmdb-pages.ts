/** What a page of an LMDB file is for: `meta`, `main` (the list of tables), `free` (unused), or a table's `names leaf`. */
export type PageKind = string;

export const pageSize = 4096;

/** LMDB's page: u64 number, u64 transaction, u16 padding, u16 flags, u16 lower, u16 upper, u16 offsets of nodes. */
const header = { size: 24, flagsAt: 18, lowerAt: 20, branch: 1, leaf: 2 };
/** A node: u32 size of its value, u16 flags, u16 size of its key, key, value; in a branch the first 48 bits are a page. */
const node = { size: 8, flagsAt: 4, keySizeAt: 6, bigData: 1, subTable: 2 };
const metaAt = { freeRoot: 88, mainRoot: 136, txn: 152 };
const tableRootAt = 40;

/** Sorts the pages of a healthy LMDB file by what the newest transaction uses them for. */
export function pagesByKind(file: Buffer): Map<PageKind, number[]> {
  const kinds = new Map<number, PageKind>([
    [0, 'meta'],
    [1, 'meta'],
  ]);
  const page = (number: number) => file.subarray(number * pageSize, (number + 1) * pageSize);
  const walk = (number: number, table: string, listsTables: boolean): void => {
    if (number < 0 || number * pageSize >= file.length) return;
    const content = page(number);
    const isBranch = (content.readUInt16LE(header.flagsAt) & header.branch) !== 0;
    kinds.set(number, listsTables ? table : `${table} ${isBranch ? 'branch' : 'leaf'}`);
    for (const { at, key, value, flags } of nodesOf(content, isBranch)) {
      if (isBranch) walk(content.readUIntLE(at, 6), table, listsTables);
      else if ((flags & node.bigData) !== 0) {
        const [first, pages] = [Number(value.readBigUInt64LE()), Math.ceil((value.length + header.size) / pageSize)];
        for (let more = 0; more < pages; more += 1) kinds.set(first + more, `${table} overflow`);
      } else if (listsTables && (flags & node.subTable) !== 0) {
        walk(Number(value.readBigInt64LE(tableRootAt)), key.toString('utf8').replace(/\0$/, ''), false);
      }
    }
  };
  const newer = page(0).readBigUInt64LE(metaAt.txn) > page(1).readBigUInt64LE(metaAt.txn) ? page(0) : page(1);
  walk(Number(newer.readBigInt64LE(metaAt.mainRoot)), 'main', true);
  walk(Number(newer.readBigInt64LE(metaAt.freeRoot)), 'free list', false);
  const byKind = new Map<PageKind, number[]>();
  for (let number = 0; number * pageSize < file.length; number += 1) {
    const kind = kinds.get(number) ?? 'free';
    byKind.set(kind, [...(byKind.get(kind) ?? []), number]);
  }
  return byKind;
}

function* nodesOf(content: Buffer, isBranch: boolean) {
  const count = content.readUInt16LE(header.lowerAt) >> 1;
  for (let index = 0; index < count; index += 1) {
    const at = header.size + content.readUInt16LE(header.size + 2 * index);
    const flags = content.readUInt16LE(at + node.flagsAt);
    const keyEnd = at + node.size + content.readUInt16LE(at + node.keySizeAt);
    // Where the value is elsewhere, only the number of its page is here.
    const size = isBranch ? 0 : content.readUInt32LE(at);
    const isBig = !isBranch && (flags & node.bigData) !== 0;
    const value = isBig ? Buffer.alloc(size) : content.subarray(keyEnd, keyEnd + size);
    if (isBig) content.copy(value, 0, keyEnd, keyEnd + 8);
    yield { at, flags, key: content.subarray(at + node.size, keyEnd), value };
  }
}
