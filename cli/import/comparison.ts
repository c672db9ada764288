import type { Plan, Tally } from './plan.js';
import { count } from './progress.js';
import { leftReasons } from './sales-lines.js';

interface Figures {
  readonly orders: number;
  readonly units: number;
  /** Pence */
  readonly revenue: number;
}

interface Placed extends Figures {
  readonly month: string;
  readonly country: string;
}

/** One month and country as the shop and as the file have it. */
export interface ComparedRow {
  readonly month: string;
  readonly country: string;
  readonly store: Figures;
  readonly file: Figures;
  readonly equal: boolean;
}

const none: Figures = { orders: 0, units: 0, revenue: 0 };
const measures = ['orders', 'units', 'revenue'] as const;

/** Every month and country that either of them knows, sorted. */
export function compareSales(
  store: ReadonlyMap<string, Placed>,
  file: ReadonlyMap<string, Placed>,
): readonly ComparedRow[] {
  const keys = [...new Set([...store.keys(), ...file.keys()])].sort();
  return keys.map((key) => {
    const [month = '', country = ''] = key.split(' ');
    const here = store.get(key) ?? none;
    const there = file.get(key) ?? none;
    return { month, country, store: here, file: there, equal: measures.every((what) => here[what] === there[what]) };
  });
}

function totalOf(rows: readonly ComparedRow[], side: 'store' | 'file'): Figures {
  const sum = (what: keyof Figures) => rows.reduce((all, row) => all + row[side][what], 0);
  return { orders: sum('orders'), units: sum('units'), revenue: sum('revenue') };
}

const pounds = (pence: number) =>
  (pence / 100).toLocaleString('en-GB', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

function tableRow(month: string, country: string, store: Figures, file: Figures): string {
  const cells = measures.flatMap((what) => {
    const shown = what === 'revenue' ? pounds : count;
    const width = what === 'revenue' ? 14 : 10;
    return [shown(store[what]).padStart(width), shown(file[what]).padStart(width)];
  });
  const equal = measures.every((what) => store[what] === file[what]);
  return `  ${month.padEnd(8)} ${country.padEnd(3)}${cells.join('')}${equal ? '' : '  <- differ'}`;
}

/** The two sides of the comparison, month by month. */
export function tableOf(rows: readonly ComparedRow[]): string {
  const head = `  ${'month'.padEnd(12)}${'orders'.padStart(20)}${'units'.padStart(20)}${'revenue in GBP'.padStart(28)}`;
  const sides = `  ${''.padEnd(12)}${['shop', 'file', 'shop', 'file'].map((side) => side.padStart(10)).join('')}${'shop'.padStart(14)}${'file'.padStart(14)}`;
  const total = tableRow('all', '', totalOf(rows, 'store'), totalOf(rows, 'file'));
  const lines = rows.map(({ month, country, store, file }) => tableRow(month, country, store, file));
  return [head, sides, ...lines, total].join('\n');
}

/** What was taken of the file and what was left, by reason. */
export function takenOf({ invoices, lines, invoicesInFile }: Plan): string {
  const sum = ({ taken, left }: Tally) => taken + [...left.values()].reduce((all, of) => all + of, 0);
  const row = (told: string, of: number, ofLines: number) =>
    `  ${told.padEnd(50)}${count(of).padStart(10)}${count(ofLines).padStart(10)}`;
  const reasons = Object.entries(leftReasons).flatMap(([reason, told]) => {
    const key = reason as keyof typeof leftReasons;
    const [ofInvoices, ofLines] = [invoices.left.get(key) ?? 0, lines.left.get(key) ?? 0];
    return ofInvoices + ofLines === 0 ? [] : [row(`left: ${told}`, ofInvoices, ofLines)];
  });
  const of = sum(invoices) === invoicesInFile ? '' : ` (the first of ${count(invoicesInFile)})`;
  return [
    `  ${''.padEnd(50)}${'invoices'.padStart(10)}${'lines'.padStart(10)}`,
    row('taken', invoices.taken, lines.taken),
    ...reasons,
    row(`in all${of}`, sum(invoices), sum(lines)),
  ].join('\n');
}
