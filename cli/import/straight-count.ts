import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

// The other side of the comparison. It shares nothing with the importer, neither code nor constants, so that a mistake
// of one is not a mistake of both: keep it so, though it says some things twice.

/** Sales of one month and country, straight from the file. Revenue is in pence. */
export interface CountedSales {
  readonly month: string;
  readonly country: string;
  orders: number;
  units: number;
  revenue: number;
}

const notInEnglish: Record<string, string> = {
  EIRE: 'IE',
  USA: 'US',
  RSA: 'ZA',
  'Hong Kong': 'HK',
  'Czech Republic': 'CZ',
  'Channel Islands': 'XC',
  'European Community': 'EU',
  Unspecified: 'ZZ',
};

/** Codes by the names that the runtime's own tables give them. */
function codesByName(): Map<string, string> {
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(65 + i));
  const found = new Map<string, string>();
  for (const a of letters) {
    for (const b of letters) {
      const name = names.of(a + b);
      // Where two codes share a name, one of them has been withdrawn: the canonical one stays.
      if (name !== undefined && Intl.getCanonicalLocales(`und-${a}${b}`)[0] === `und-${a}${b}`) found.set(name, a + b);
    }
  }
  for (const [name, code] of Object.entries(notInEnglish)) found.set(name, code);
  return found;
}

function* rowsOf(text: string): Generator<string[]> {
  const cell = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/y;
  let row: string[] = [];
  while (cell.lastIndex < text.length) {
    const found = cell.exec(text);
    if (found === null) throw new Error(`the file is no CSV at character ${cell.lastIndex}`);
    const [, quoted, plain = '', end] = found;
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    yield row;
    row = [];
  }
}

/** Whether goods were sold by a line: ordinary invoice, more than nothing of it, for whole pence above zero. */
function isSale(row: Record<string, string>): boolean {
  const { InvoiceNo = '', StockCode = '', Quantity = '', UnitPrice = '' } = row;
  const pence = Number(UnitPrice) * 100;
  return (
    /^[0-9]+$/.test(InvoiceNo) &&
    !/^(post|dot|m|d|s|b|c2|cruk|amazonfee|bank charges|gift_.*)$/i.test(StockCode) &&
    Number(Quantity) > 0 &&
    Number(Quantity) <= 1e5 &&
    pence > 0 &&
    Math.abs(pence - Math.round(pence)) < 1e-6
  );
}

/**
 * Counts the sales of the file's first invoices by month and country.
 *
 * @param invoices how many; all where it is undefined
 * @returns by `<month> <country>`
 */
export function countStraight(path: string, invoices = Number.POSITIVE_INFINITY): Map<string, CountedSales> {
  const bytes = readFileSync(path);
  const text = (bytes[0] === 31 && bytes[1] === 139 ? gunzipSync(bytes) : bytes)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
  const codes = codesByName();
  let header: string[] | undefined;
  const looked = new Set<string>();
  const placeOf = new Map<string, CountedSales>();
  const sales = new Map<string, CountedSales>();
  for (const cells of rowsOf(text)) {
    if (header === undefined) {
      header = cells;
      continue;
    }
    const row = Object.fromEntries(header.map((name, i) => [name, (cells[i] ?? '').trim()]));
    const number = row['InvoiceNo'] ?? '';
    if (looked.size < invoices) looked.add(number);
    const country = codes.get(row['Country'] ?? '');
    if (!looked.has(number) || country === undefined || !isSale(row)) continue;
    let place = placeOf.get(number);
    if (place === undefined) {
      const month = (row['InvoiceDate'] ?? '').slice(0, 7);
      const key = `${month} ${country}`;
      place = sales.get(key) ?? { month, country, orders: 0, units: 0, revenue: 0 };
      place.orders += 1;
      sales.set(key, place);
      placeOf.set(number, place);
    }
    place.units += Number(row['Quantity']);
    place.revenue += Number(row['Quantity']) * Math.round(Number(row['UnitPrice']) * 100);
  }
  return sales;
}
