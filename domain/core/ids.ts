import { z } from 'zod';

export const uuid = z.guid().toLowerCase();

/** ISO 8601, UTC, as `Date.prototype.toISOString` writes it (fractions optional). */
export const timestamp = z.iso.datetime();

/** ISO 3166-1 alpha-2. */
export const countryCode = z.string().regex(/^[A-Z]{2}$/, 'must be a two-letter country code such as GB');

export const positiveQuantity = z.int().min(1).max(1_000_000_000);

/** Why a quantity of one line or cart entry is capped below what an integer could hold: a typing slip, not an order. */
export const largestLineQuantity = 100_000;
