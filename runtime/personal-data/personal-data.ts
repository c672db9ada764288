import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Db, MongoError, MongoServerError } from 'mongodb';
import { type Personal, personalSubject } from '../../domain/core/personal.js';
import type { Logger } from '../logger.js';
import { PersonalDataError } from './personal-data-error.js';
import { masterKeyOf, newDataKey, openValue, sealValue, unwrapKey, wrapKey } from './sealing.js';

/** STORED CONTRACT of the collection `data_keys`, which cannot be rebuilt from the log: back it up beside the log. */
interface DataKeyDocument {
  /** The subject. */
  readonly _id: string;
  /** The data key under the master key, absent once the subject is erased. */
  readonly wrapped?: string;
  readonly master_key_id?: string;
  readonly created_at: Date;
  /** A tombstone: no key may ever be made for this subject again. */
  readonly erased?: true;
  readonly erased_at?: Date;
}

export interface PersonalData {
  /**
   * Seals fields with the subject's own key, which is durable before this answers. Fields that are undefined stay out.
   *
   * @param subject `user:<id>`, or `order:<id>` for a guest
   * @throws PersonalDataError `data-keys-unavailable`, `subject-erased`
   */
  seal<Field extends string>(
    subject: string,
    fields: { readonly [F in Field]?: string | undefined },
  ): Promise<Personal<Field>>;
  /**
   * @returns the fields in the clear, or undefined where the subject is erased or has no key
   * @throws PersonalDataError `data-keys-unavailable`, `sealed-value-unreadable`, `data-key-unreadable`
   */
  open<Field extends string>(personal: Personal<Field>): Promise<{ [F in Field]?: string } | undefined>;
  /** Destroys the subject's key; every sealed value of the subject is unreadable from then on. May be repeated. */
  erase(subject: string): Promise<void>;
  /** Drops the subject's key from this process's cache, because another process may have destroyed it. */
  forget(subject: string): void;
}

export interface PersonalDataOptions {
  readonly db: Db;
  /** 32 bytes in hexadecimal */
  readonly masterKey: string;
  readonly log: Logger;
  /** Unwrapped keys kept in memory; 10,000 unless told otherwise. */
  readonly cacheSize?: number;
  /** How long the document store may take over one key; 3 s unless told otherwise. */
  readonly timeoutMs?: number;
}

type Known = KeyObject | 'erased';

const duplicateKey = 11000;

function requireSubject(subject: string): void {
  if (personalSubject.safeParse(subject).success) return;
  throw new PersonalDataError('subject-malformed', 'A subject is user:<id> or order:<id>.');
}

/** Personal data under one data key a subject, so that destroying the key erases it wherever it was copied. */
export function openPersonalData(options: PersonalDataOptions): PersonalData {
  const { db, log, cacheSize = 10_000, timeoutMs = 3_000 } = options;
  const master = masterKeyOf(options.masterKey);
  // A duplicate key is answered once the document that was there first is as durable as this concern asks.
  const dataKeys = db.collection<DataKeyDocument>('data_keys', { writeConcern: { w: 'majority', journal: true } });
  const cache = new LRUCache<string, Known>({ max: cacheSize });
  const underWay = new Map<string, Promise<Known | undefined>>();

  const ask = async <T>(question: Promise<T>): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new PersonalDataError('data-keys-unavailable', 'no answer in time')), timeoutMs);
    });
    // The question may still fail after nobody waits for it any more.
    question.catch(() => {});
    try {
      return await Promise.race([question, late]);
    } catch (error) {
      if (!(error instanceof MongoError) || isDuplicate(error)) throw error;
      throw new PersonalDataError('data-keys-unavailable', 'The data keys cannot be reached.', { cause: error });
    } finally {
      clearTimeout(timer);
    }
  };

  const read = async (subject: string): Promise<Known | undefined> => {
    const document = await ask(dataKeys.findOne({ _id: subject }));
    if (document === null) return undefined;
    if (document.erased === true) return 'erased';
    if (document.wrapped === undefined || document.master_key_id !== master.id) {
      log.error('a data key was wrapped with another master key', { masterKeyId: document.master_key_id });
      throw new PersonalDataError('data-key-unreadable', 'The data key was wrapped with another master key.');
    }
    return unwrapKey(master, subject, document.wrapped);
  };

  const make = async (subject: string): Promise<Known | undefined> => {
    const key = newDataKey();
    const wrapped = wrapKey(master, subject, key);
    try {
      const document = { _id: subject, wrapped, master_key_id: master.id, created_at: new Date() };
      await ask(dataKeys.insertOne(document));
      return key;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      return read(subject);
    }
  };

  /** One question at a time per subject; what `forget` overtook is used once and not kept. */
  const once = async (purpose: 'read' | 'make', subject: string): Promise<Known | undefined> => {
    const cached = cache.get(subject);
    if (cached !== undefined) return cached;
    const slot = `${purpose} ${subject}`;
    const running = underWay.get(slot);
    if (running !== undefined) return running;
    const started = purpose === 'read' ? read(subject) : make(subject);
    underWay.set(slot, started);
    try {
      const known = await started;
      if (known !== undefined && underWay.get(slot) === started) cache.set(subject, known);
      return known;
    } finally {
      if (underWay.get(slot) === started) underWay.delete(slot);
    }
  };

  const forget = (subject: string) => {
    cache.delete(subject);
    underWay.delete(`read ${subject}`);
    underWay.delete(`make ${subject}`);
  };

  return {
    async seal(subject, fields) {
      requireSubject(subject);
      const given = Object.entries<string | undefined>(fields).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      if (given.length === 0) return { subject, fields: {} };
      const key = await once('make', subject);
      if (key === undefined) throw new PersonalDataError('data-keys-unavailable', 'The data key is not there yet.');
      if (key === 'erased') throw new PersonalDataError('subject-erased', 'This subject has been erased.');
      const sealed = given.map(([field, value]) => [field, sealValue(key, subject, field, value)] as const);
      return { subject, fields: Object.fromEntries(sealed) as Personal<never>['fields'] };
    },

    async open(personal) {
      const { subject, fields } = personal;
      requireSubject(subject);
      const key = await once('read', subject);
      if (key === undefined || key === 'erased') return undefined;
      const given = Object.entries<string | undefined>(fields);
      const opened = given.flatMap(([field, text]) =>
        text === undefined ? [] : [[field, openValue(key, subject, field, text)] as const],
      );
      return Object.fromEntries(opened) as Record<never, string>;
    },

    async erase(subject) {
      requireSubject(subject);
      const now = new Date();
      const tombstone = {
        $set: { erased: true as const, erased_at: now },
        $unset: { wrapped: '' as const, master_key_id: '' as const },
        $setOnInsert: { created_at: now },
      };
      const mark = () => ask(dataKeys.updateOne({ _id: subject }, tombstone, { upsert: true }));
      try {
        await mark();
      } catch (error) {
        // A key made at the same moment: the second try finds it and destroys it.
        if (!isDuplicate(error)) throw error;
        await mark();
      } finally {
        forget(subject);
      }
    },

    forget,
  };
}

function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === duplicateKey;
}
