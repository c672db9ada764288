import type { Random } from '../../support/seeded.js';

const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';

const nouns = [
  'LANTERN',
  'MUG',
  'CUSHION',
  'FRAME',
  'BUNTING',
  'CAKE STAND',
  'HOOK',
  'NIGHT LIGHT',
  'TEA TOWEL',
  'BAG',
];
const kinds = [
  'WHITE METAL',
  'RED RETROSPOT',
  'VINTAGE',
  'SET OF 6',
  'HANGING',
  '"LARGE, ROUND"',
  'JAM MAKING',
  'WOODEN',
];
const abroad = ['France', 'Germany', 'EIRE', 'Netherlands', 'Australia', 'Norway'];

const two = (number: number) => String(number).padStart(2, '0');

/**
 * Half a year of a shop's invoices, as the Online Retail data set has them: most to the United Kingdom and of a few lines,
 * some long; guests without a number; the same code twice in an invoice; returns, postage, samples and broken prices
 * among them.
 *
 * @param count ordinary invoices with something sold
 */
export function madeUpInvoices(random: Random, count: number): string {
  const catalogue = Array.from({ length: Math.max(20, Math.ceil(count / 2)) }, (_, i) => ({
    code: `${20_000 + 3 * i}${random.chance(0.1) ? random.pick(['A', 'B']) : ''}`,
    // The commas are inside of quotes, as in the real file.
    about: `${random.pick(kinds)} ${random.pick(nouns)}`.replace(/^"(.*)" (.*)$/, '"$1 $2"'),
    pence: random.between(19, 2_995),
  }));
  const rows = [header];
  for (let i = 0; i < count; i += 1) {
    const month = Math.floor((18 * i) / count) % 6;
    const day = `${month === 0 ? '2010-12' : `2011-${two(month)}`}-${two(random.between(1, 28))}`;
    const time = `${day} ${two(random.between(8, 17))}:${two(random.between(0, 59))}:00`;
    const customer = random.chance(0.25) ? 'NA' : String(12_346 + random.between(0, Math.ceil(count / 4)));
    const country = random.chance(0.9) ? 'United Kingdom' : random.pick(abroad);
    const number = 536_365 + i;
    const row = (invoice: string, code: string, about: string, quantity: number, price: string) =>
      rows.push([invoice, code, about, quantity, time, price, customer, country].join(','));
    const lines = random.chance(0.05) ? random.between(20, 60) : random.between(1, 12);
    for (let line = 0; line < lines; line += 1) {
      const { code, about, pence } = random.pick(catalogue);
      const asked = random.chance(0.1) ? Math.max(1, pence + random.between(-15, 40)) : pence;
      const quantity = random.pick([1, 1, 2, 3, 4, 6, 6, 12, 24, 48]);
      row(String(number), code, about, quantity, (asked / 100).toFixed(2));
    }
    const { code, about } = random.pick(catalogue);
    if (random.chance(0.1)) row(String(number), 'POST', 'POSTAGE', 1, '18');
    if (random.chance(0.1)) row(String(number), code, about, -random.between(1, 9), '0');
    if (random.chance(0.05)) row(String(number), code, about, 1, '0.001');
    if (random.chance(0.1)) row(`C${number}`, code, about, -1, '1.25');
  }
  return `${rows.join('\n')}\n`;
}
