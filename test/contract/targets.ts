import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';

export interface Opened<T> {
  target: T;
  close(): Promise<void>;
}

/** A store that comes with the project, and the one it stands in for. */
export interface Stores<T> {
  embedded: { name: string; open: () => Promise<Opened<T>> };
  real: { name: string; variable: string; open: (url: string) => Promise<Opened<T>> };
}

interface Asked {
  name: string;
  /** why it cannot be run, where it cannot */
  hindrance?: string;
  ran: boolean;
}

const stores: Asked[] = [];

/**
 * The two stores of one contract. The embedded one is always at hand, the real one where the environment names it.
 *
 * @returns describes a part of the contract, once for each store that is at hand, and opens the store around it
 */
export function contractOf<T>({
  embedded,
  real,
}: Stores<T>): (title: string, define: (target: () => T) => void) => void {
  const url = process.env[real.variable];
  const kinds = [embedded, ...(url === undefined ? [] : [{ name: real.name, open: () => real.open(url) }])].map(
    ({ name, open }) => ({ open, asked: { name, ran: false } }),
  );
  stores.push(...kinds.map(({ asked }) => asked));
  if (url === undefined) stores.push({ name: real.name, hindrance: `${real.variable} is not set`, ran: false });
  return (title, define) => {
    for (const { open, asked } of kinds) {
      describe(`${title}: ${asked.name}`, () => {
        let opened: Opened<T> | undefined;
        before(async () => {
          opened = await open();
          asked.ran = true;
        });
        after(() => opened?.close());
        define(() => {
          if (opened === undefined) throw new Error('The store is not open yet.');
          return opened.target;
        });
      });
    }
  };
}

// At the exit, because the last line is wanted and reporters have theirs.
process.once('exit', () => {
  const was = stores.filter(({ ran }) => ran).map(({ name }) => name);
  const not = stores
    .filter(({ ran }) => !ran)
    .map(({ name, hindrance }) => (hindrance === undefined ? name : `${name} (${hindrance})`));
  const parts = [
    ...(was.length > 0 ? [`run against ${was.join(' and ')}`] : []),
    ...(not.length > 0 ? [`not run against ${not.join(' nor ')}`] : []),
  ];
  writeSync(1, `contract: ${parts.join('; ')}\n`);
});

/** Names that nobody else uses on a store that others may share. */
export interface FreshNames {
  /** A name of its own; it begins with `prefix`. */
  fresh(name: string): string;
  /** What all names of `fresh` begin with. */
  readonly prefix: string;
}

export function freshNames(): FreshNames {
  const prefix = `run${randomUUID().slice(0, 8)}-`;
  let count = 0;
  return {
    prefix,
    fresh(name) {
      count += 1;
      return `${prefix}${count}-${name}`;
    },
  };
}
