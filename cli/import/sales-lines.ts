import { countryCodes } from './countries.js';

/** The columns of the file, in the order in which {@link judgeLine} takes them. */
export const columns = [
  'InvoiceNo',
  'StockCode',
  'Description',
  'Quantity',
  'InvoiceDate',
  'UnitPrice',
  'CustomerID',
  'Country',
] as const;

/** Why a line is left out. A line has the first reason that fits, in this order. */
export const leftReasons = {
  unreadable: 'a number or a time that cannot be read',
  cancellation: 'cancellations (invoices C…)',
  adjustment: 'other invoices with a letter (A…: bad debt)',
  charge: 'charges, fees, samples and vouchers: no goods',
  'quantity-not-positive': 'a quantity of zero or less',
  'quantity-too-large': 'a quantity over 100,000',
  'price-negative': 'a price below zero',
  'price-zero': 'a price of zero',
  'price-fraction': 'a price with a fraction of a penny',
  'country-unknown': 'a country that is not in the table',
} as const;

export type LeftReason = keyof typeof leftReasons;

export interface SalesLine {
  readonly invoice: string;
  /** Upper case: the file writes one article's code in both. */
  readonly code: string;
  /** undefined where it is missing */
  readonly description: string | undefined;
  readonly quantity: number;
  readonly pence: number;
  /** ISO 8601; the file's times have no zone and are taken as UTC. */
  readonly placedAt: string;
  /** undefined for a guest */
  readonly customer: string | undefined;
  /** Two letters */
  readonly country: string;
}

export type Judged = { readonly invoice: string } & (
  | { readonly left: LeftReason; readonly line?: undefined }
  | { readonly line: SalesLine; readonly left?: undefined }
);

const charges = new Set([
  'AMAZONFEE',
  'B',
  'BANK CHARGES',
  'C2',
  'CRUK',
  'D',
  'DOT',
  'M',
  'POST',
  // Samples: the few with a price are corrections of what was sent for nothing.
  'S',
]);
/** A voucher is a promise to deliver goods later, and none that are in stock. */
const voucher = /^GIFT_\d+_\d+$/;

const mostPieces = 100_000;

/** "2.55" -> 255; undefined for more than whole pence. */
function wholePence(price: string): number | undefined {
  const [pounds, fraction = ''] = price.split('.');
  const digits = fraction.replace(/0+$/, '');
  return digits.length > 2 ? undefined : Number(`${pounds}${digits.padEnd(2, '0')}`);
}

function timeOf(text: string): string | undefined {
  const iso = `${text.replace(' ', 'T')}.000Z`;
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) || time.toISOString() !== iso ? undefined : iso;
}

const present = (text: string | undefined) => (text === undefined || text === '' || text === 'NA' ? undefined : text);

/** Whether a line of the file is a sale, and why not. */
export function judgeLine(record: readonly (string | undefined)[]): Judged {
  const [invoice = '', stockCode = '', description, quantityText = '', date = '', price = '', customer, country = ''] =
    record.map((field) => field?.trim());
  const left = (reason: LeftReason): Judged => ({ invoice, left: reason });
  const code = stockCode.toUpperCase();
  const placedAt = timeOf(date);
  const readable = /^[A-Z]*\d+$/i.test(invoice) && code !== '' && /^-?\d{1,12}$/.test(quantityText);
  if (!readable || placedAt === undefined || !/^-?\d{1,12}(\.\d+)?$/.test(price)) return left('unreadable');
  if (/^c/i.test(invoice)) return left('cancellation');
  if (!/^\d/.test(invoice)) return left('adjustment');
  if (charges.has(code) || voucher.test(code)) return left('charge');
  const quantity = Number(quantityText);
  if (quantity <= 0) return left('quantity-not-positive');
  if (quantity > mostPieces) return left('quantity-too-large');
  if (Number(price) < 0) return left('price-negative');
  if (Number(price) === 0) return left('price-zero');
  const pence = wholePence(price);
  if (pence === undefined) return left('price-fraction');
  const countryCode = Object.hasOwn(countryCodes, country) ? countryCodes[country] : undefined;
  if (countryCode === undefined) return left('country-unknown');
  const who = { customer: present(customer), country: countryCode };
  return { invoice, line: { invoice, code, description: present(description), quantity, pence, placedAt, ...who } };
}
