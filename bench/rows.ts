import { textTable } from '../cli/text-table.js';
import { type Spread, spreadOf } from './statistics.js';

export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** CPU microseconds an operation costs. */
export interface CpuCost {
  readonly client: number;
  readonly server: number;
}

/** One line of the table. */
export interface Row {
  /** of the list in the performance notes, such as `P14` */
  readonly id?: string;
  readonly measure: string;
  /** `x` for a ratio */
  readonly unit: string;
  /** one sample for each kept round */
  readonly samples: readonly number[];
  readonly value: Spread;
  readonly cpu?: { readonly client: Spread; readonly server: Spread };
  readonly goal?: Goal;
  readonly met?: boolean;
}

export interface RowExtras {
  readonly id?: string;
  readonly goal?: Goal;
  readonly cpu?: readonly CpuCost[];
}

/** @throws RangeError when there is no sample or one is not finite */
export function row(measure: string, unit: string, samples: readonly number[], extras: RowExtras = {}): Row {
  const { id, goal, cpu } = extras;
  const value = spreadOf(samples);
  return {
    ...(id === undefined ? {} : { id }),
    measure,
    unit,
    samples,
    value,
    ...(cpu === undefined
      ? {}
      : {
          cpu: {
            client: spreadOf(cpu.map(({ client }) => client)),
            server: spreadOf(cpu.map(({ server }) => server)),
          },
        }),
    ...(goal === undefined ? {} : { goal, met: isMet(goal, value.median) }),
  };
}

/** Goals speak of medians. */
export const isMet = (goal: Goal, value: number): boolean =>
  'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;

const headings = ['', 'measure', 'median', 'quartiles', 'unit', 'client us', 'server us', 'goal', 'met'];
/** Columns of numbers stand on the right. */
const rightAligned = new Set([2, 5, 6]);

/** The rows as aligned text, with a line of headings. */
export function table(rows: readonly Row[]): string {
  return textTable([headings, ...rows.map(cellsOf)], rightAligned).join('\n');
}

function cellsOf({ id = '', measure, unit, value, cpu, goal, met }: Row): string[] {
  return [
    id,
    measure,
    digits(value.median),
    `${digits(value.lower)} to ${digits(value.upper)}`,
    unit,
    cpu === undefined ? '' : digits(cpu.client.median),
    cpu === undefined ? '' : digits(cpu.server.median),
    goal === undefined ? '' : 'atLeast' in goal ? `>= ${goal.atLeast}` : `<= ${goal.atMost}`,
    met === undefined ? '' : met ? 'yes' : 'NO',
  ];
}

/** Three digits that count, and no exponent. */
export function digits(value: number): string {
  const places = value === 0 ? 0 : Math.min(3, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toFixed(places);
}
