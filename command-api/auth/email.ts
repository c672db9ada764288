import { z } from 'zod';
import { hmac } from '../../runtime/ids.js';

const controlOrInvisible = /\p{C}/u;

/** An address as it is compared and stored: without blanks around it, lower case, composed letters. */
export const email = z
  .string()
  .max(320)
  .transform((text) => text.normalize('NFC').trim().toLowerCase())
  .pipe(
    z
      .string()
      .regex(z.regexes.unicodeEmail, 'must be an e-mail address')
      .refine((text) => !controlOrInvisible.test(text), 'must be an e-mail address'),
  );

/** What stands for an address where it must be found again and not be read. @param address as {@link email} gives it */
export function emailHmacOf(hmacSecret: string, address: string): string {
  return hmac(hmacSecret, `email\n${address}`);
}
