import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { sealed as sealedForm } from '../../domain/core/personal.js';
import { PersonalDataError, type PersonalDataFault } from './personal-data-error.js';

const algorithm = 'aes-256-gcm';
const keyBytes = 32;
const nonceBytes = 12;

function encrypt(key: KeyObject, context: string, content: Buffer): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(context, 'utf8'));
  const ciphertext = Buffer.concat([cipher.update(content), cipher.final()]);
  return ['v1', ...[nonce, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join('.');
}

function decrypt(key: KeyObject, context: string, text: string, fault: PersonalDataFault): Buffer {
  const parts = sealedForm.safeParse(text).success ? text.split('.').slice(1) : [];
  const [nonce, ciphertext, tag] = parts.map((part) => Buffer.from(part, 'base64url'));
  // Spare bits at the end of base64url text are ignored by the decoder: a value has one spelling all the same.
  const canonical = [nonce, ciphertext, tag].every((part, index) => part?.toString('base64url') === parts[index]);
  if (nonce === undefined || ciphertext === undefined || tag === undefined || !canonical) {
    throw new PersonalDataError(fault, 'The value does not have the form of a sealed one.');
  }
  try {
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: 16 });
    decipher.setAAD(Buffer.from(context, 'utf8')).setAuthTag(tag);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch (cause) {
    throw new PersonalDataError(fault, 'The value does not fit its key, subject and field.', { cause });
  }
}

const fieldContext = (subject: string, field: string) => `${subject}\n${field}`;
const wrapContext = (master: MasterKey, subject: string) => `data-key\n${master.id}\n${subject}`;

/** Seals one field of a subject: `v1.<nonce>.<ciphertext>.<tag>`, base64url. */
export function sealValue(key: KeyObject, subject: string, field: string, value: string): string {
  return encrypt(key, fieldContext(subject, field), Buffer.from(value, 'utf8'));
}

/** @throws PersonalDataError `sealed-value-unreadable` where the value was changed or moved from another subject or field */
export function openValue(key: KeyObject, subject: string, field: string, text: string): string {
  return decrypt(key, fieldContext(subject, field), text, 'sealed-value-unreadable').toString('utf8');
}

export interface MasterKey {
  /** Stored beside every key it wraps, so that a later master key can take over step by step. */
  readonly id: string;
  readonly key: KeyObject;
}

/** @param hex 32 bytes in hexadecimal */
export function masterKeyOf(hex: string): MasterKey {
  const bytes = Buffer.from(hex, 'hex');
  if (bytes.length !== keyBytes) throw new Error('a master key is 64 hexadecimal digits');
  const id = createHash('sha256').update('master-key-id\n').update(bytes).digest('hex').slice(0, 16);
  return { id, key: createSecretKey(bytes) };
}

export function newDataKey(): KeyObject {
  return createSecretKey(randomBytes(keyBytes));
}

export function wrapKey(master: MasterKey, subject: string, key: KeyObject): string {
  return encrypt(master.key, wrapContext(master, subject), key.export());
}

/** @throws PersonalDataError `data-key-unreadable` */
export function unwrapKey(master: MasterKey, subject: string, wrapped: string): KeyObject {
  return createSecretKey(decrypt(master.key, wrapContext(master, subject), wrapped, 'data-key-unreadable'));
}
