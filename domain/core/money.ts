import { z } from 'zod';
import { DomainError } from './domain-error.js';

/** Minor units (cents, pence, yen): a safe integer, never a float. */
export const minorUnits = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Decimals of the currencies that do not have two (ISO 4217). */
const unusualDecimals: Readonly<Record<string, number>> = {
  BHD: 3,
  BIF: 0,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  IQD: 3,
  ISK: 0,
  JOD: 3,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  PYG: 0,
  RWF: 0,
  TND: 3,
  UGX: 0,
  UYI: 0,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
};

/** An ISO 4217 code, upper case. */
export const currencyCode = z.string().regex(/^[A-Z]{3}$/, 'must be a currency code such as GBP');

/** Fifteen digits: beyond them a JSON number shows one amount as another. */
const largestAmount = 999_999_999_999_999;

/** How many decimals a currency has. */
export function decimalsOf(currency: string): number {
  return unusualDecimals[currency] ?? 2;
}

/**
 * Turns the decimal amount of a request (`29.99`, as number or text) into minor units.
 *
 * @throws DomainError `price-precision` when there are more decimals than the currency has, `price-not-positive` when it
 *   is negative or not an amount at all
 */
export function toMinorUnits(amount: number | string, currency: string): number {
  const text = String(amount);
  const match = /^(\d{1,13})(?:\.(\d+))?$/.exec(text);
  if (match === null) {
    throw new DomainError('price-not-positive', 'An amount is a number such as 29.99, not below zero.', { currency });
  }
  const decimals = decimalsOf(currency);
  const fraction = match[2] ?? '';
  if (fraction.length > decimals) {
    throw new DomainError('price-precision', `${currency} amounts have at most ${decimals} decimals.`, {
      currency,
      decimals,
    });
  }
  const minor = Number(`${match[1]}${fraction.padEnd(decimals, '0')}`);
  if (minor > largestAmount) {
    throw new DomainError('price-not-positive', 'The amount is too large.', { currency });
  }
  return minor;
}

/** Minor units as the decimal number that answers show: `2999` GBP is `29.99`. */
export function toDecimal(minor: number, currency: string): number {
  const decimals = decimalsOf(currency);
  const sign = minor < 0 ? '-' : '';
  const digits = String(Math.abs(minor)).padStart(decimals + 1, '0');
  return Number(`${sign}${digits.slice(0, digits.length - decimals)}.${digits.slice(digits.length - decimals) || '0'}`);
}
