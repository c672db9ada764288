import { readCsv } from './csv.js';
import { columns, type Judged, judgeLine, type LeftReason, type SalesLine } from './sales-lines.js';

export interface PlannedOrder {
  /** The invoice's number. */
  readonly reference: string;
  readonly placedAt: string;
  readonly customer: string | undefined;
  readonly country: string;
  readonly lines: readonly Pick<SalesLine, 'code' | 'quantity' | 'pence'>[];
}

export interface PlannedProduct {
  readonly code: string;
  readonly name: string;
  /** The first price that it was sold at. */
  readonly pence: number;
}

/** How much was taken and how much was left, by reason. */
export interface Tally {
  taken: number;
  readonly left: Map<LeftReason, number>;
}

export interface Plan {
  /** Invoices of the whole file, and how many of them are looked at. */
  readonly invoicesInFile: number;
  readonly invoices: Tally;
  readonly lines: Tally;
  /** In the file's order. */
  readonly orders: readonly PlannedOrder[];
  readonly products: readonly PlannedProduct[];
  /** What comes in for each month: `2010-12` -> stock code -> pieces. */
  readonly receipts: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly customers: readonly string[];
}

interface Invoice {
  readonly reference: string;
  readonly lines: SalesLine[];
  readonly left: LeftReason[];
}

/** @returns every invoice with its lines, by first appearance; the lines of one need not stand together */
async function readInvoices(path: string): Promise<Invoice[]> {
  const invoices = new Map<string, Invoice>();
  for await (const record of readCsv(path, columns)) {
    const judged: Judged = judgeLine(record);
    let invoice = invoices.get(judged.invoice);
    if (invoice === undefined) {
      invoice = { reference: judged.invoice, lines: [], left: [] };
      invoices.set(judged.invoice, invoice);
    }
    if (judged.left === undefined) invoice.lines.push(judged.line);
    else invoice.left.push(judged.left);
  }
  return [...invoices.values()];
}

function count(tally: Tally, reason: LeftReason): void {
  tally.left.set(reason, (tally.left.get(reason) ?? 0) + 1);
}

function add(to: Map<string, number>, key: string, quantity: number): void {
  to.set(key, (to.get(key) ?? 0) + quantity);
}

const longestName = 300;

/** Products by stock code, by first sale: what they are called and cost comes of the whole file. */
function productsOf(invoices: readonly Invoice[]): Map<string, PlannedProduct> {
  const products = new Map<string, PlannedProduct>();
  const named = new Set<string>();
  for (const { code, description, pence } of invoices.flatMap(({ lines }) => lines)) {
    const known = products.get(code);
    if (known === undefined || (description !== undefined && !named.has(code))) {
      const name = (description ?? code).slice(0, longestName);
      products.set(code, { code, name, pence: known?.pence ?? pence });
      if (description !== undefined) named.add(code);
    }
  }
  return products;
}

/**
 * Reads a file of the Online Retail data set and says what is to be imported of it. What comes in for a month is what
 * the whole file sells in it, however many invoices are asked for: so a larger import after a smaller one asks for the
 * same receipts.
 *
 * @param invoices how many invoices, by first appearance; all of them where it is undefined
 * @throws CommandFault where the file cannot be read
 */
export async function planImport(path: string, invoices?: number): Promise<Plan> {
  const all = await readInvoices(path);
  const chosen = all.slice(0, invoices);
  const tallies = { invoices: { taken: 0, left: new Map() }, lines: { taken: 0, left: new Map() } };
  const orders: PlannedOrder[] = [];
  const months = new Set<string>();
  for (const { reference, lines, left } of chosen) {
    for (const reason of left) count(tallies.lines, reason);
    const [first] = lines;
    if (first === undefined) {
      count(tallies.invoices, left[0] ?? 'unreadable');
      continue;
    }
    tallies.lines.taken += lines.length;
    tallies.invoices.taken += 1;
    // Some invoices carry two times: the first one counts.
    const { placedAt, customer, country } = first;
    months.add(placedAt.slice(0, 7));
    orders.push({ reference, placedAt, customer, country, lines });
  }

  const receipts = new Map([...months].sort().map((month) => [month, new Map<string, number>()]));
  for (const { lines } of all) {
    const received = receipts.get(lines[0]?.placedAt.slice(0, 7) ?? '');
    if (received !== undefined) for (const { code, quantity } of lines) add(received, code, quantity);
  }
  const received = new Set([...receipts.values()].flatMap((stock) => [...stock.keys()]));
  const products = [...productsOf(all).values()].filter(({ code }) => received.has(code));
  const customers = [...new Set(orders.flatMap(({ customer }) => (customer === undefined ? [] : [customer])))];
  return { invoicesInFile: all.length, ...tallies, orders, products, receipts, customers };
}
