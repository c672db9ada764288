/** Numbered work that waits for its time. */
export interface DueWork {
  /** `at` is milliseconds since 1970. Work of the same time is begun in the order of its numbers. */
  add(item: number, at: number): void;
  /** waiting or under way */
  size(): number;
  /** Begins nothing more, and resolves when nothing is under way. */
  close(): Promise<void>;
}

export interface DueWorkOptions {
  clock: () => Date;
  concurrency: number;
  work: (item: number) => Promise<void>;
  onFault: (err: unknown, item: number) => void;
}

interface Due {
  item: number;
  at: number;
}

/** The longest wait between two looks at the clock, which may be set. */
const longestWaitMs = 60_000;

/** Does each piece of work once it is due, at most so many at a time. */
export function startDueWork({ clock, concurrency, work, onFault }: DueWorkOptions): DueWork {
  const waiting: Due[] = [];
  const underWay = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let closing = false;

  const pump = () => {
    clearTimeout(timer);
    while (!closing && underWay.size < concurrency) {
      const [next] = waiting;
      if (next === undefined) return;
      const waitMs = next.at - clock().getTime();
      if (waitMs > 0) {
        timer = setTimeout(pump, Math.min(waitMs, longestWaitMs));
        return;
      }
      takeFirst(waiting);
      const mine: Promise<void> = work(next.item)
        .catch((err: unknown) => onFault(err, next.item))
        .finally(() => {
          underWay.delete(mine);
          pump();
        });
      underWay.add(mine);
    }
  };

  return {
    add(item, at) {
      push(waiting, { item, at });
      pump();
    },
    size: () => waiting.length + underWay.size,
    async close() {
      closing = true;
      clearTimeout(timer);
      await Promise.all(underWay);
    },
  };
}

const isBefore = (a: Due, b: Due) => a.at < b.at || (a.at === b.at && a.item < b.item);

/** A binary heap: each element is before its two children, at twice its place and one or two. */
function push(heap: Due[], due: Due): void {
  let place = heap.push(due) - 1;
  while (place > 0) {
    const above = (place - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || !isBefore(due, parent)) break;
    heap[place] = parent;
    place = above;
  }
  heap[place] = due;
}

function takeFirst(heap: Due[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let place = 0;
  for (;;) {
    const left = heap[2 * place + 1];
    const right = heap[2 * place + 2];
    const child = left !== undefined && right !== undefined && isBefore(right, left) ? right : left;
    if (child === undefined || !isBefore(child, last)) break;
    heap[place] = child;
    place = child === right ? 2 * place + 2 : 2 * place + 1;
  }
  heap[place] = last;
}
