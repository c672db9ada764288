import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { lockDataDir } from '../embedded/data-lock.js';
import { CommandFault } from './fault.js';

const format = 1;
/** What a folder may hold before its format is written. */
const made = ['demo-shop.json', 'keys'];

const hex = () => randomBytes(32).toString('hex');

/** The files under `keys`, and how each is made, once. */
const keyFiles = {
  'internal.hex': hex,
  'hmac.hex': hex,
  'master.hex': hex,
  'payment.key': () => `sk_test_${randomBytes(24).toString('hex')}`,
  'webhook.secret': () => `whsec_${randomBytes(24).toString('hex')}`,
  'jwt.pem': () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  },
};

/** Keys and secrets of one installation, kept under its data folder and nowhere else. */
export interface Secrets {
  readonly internal: string;
  readonly hmac: string;
  readonly master: string;
  readonly paymentKey: string;
  readonly webhook: string;
  /** Path of the private key that signs access tokens (PKCS#8, EC P-256). */
  readonly jwtKeyFile: string;
}

/** Where the running system can be reached; gone when it is stopped. */
export interface RunningFacts {
  readonly gatewayUrl: string;
  readonly eventStoreUrl: string;
  readonly documentStoreUrl: string;
  readonly paymentUrl: string;
}

/** The folder that `shopledger up` keeps everything in. */
export class DataFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Takes the folder for this process; it is made where there is none. @returns gives it back @throws LockedError */
  lock(): () => void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    return lockDataDir(this.path);
  }

  /**
   * Makes sure that the folder is one of ours.
   *
   * @param onFresh what a new folder gets before it counts as made
   * @throws CommandFault when it holds data of another format, or foreign files
   */
  open(onFresh: () => void): void {
    const file = this.at('format.json');
    if (existsSync(file)) {
      const found = (JSON.parse(readFileSync(file, 'utf8')) as { format?: unknown }).format;
      if (found === format) return;
      throw new CommandFault(
        `${this.path} holds data of format ${String(found)}, this version reads format ${format}: use the version that wrote it, or another folder with --data.`,
      );
    }
    const entries = readdirSync(this.path).filter((name) => !/^\.|\.lock|\.draft$/.test(name) && !made.includes(name));
    if (entries.length > 0) {
      throw new CommandFault(
        `${this.path} is not empty and not a data folder of Shopledger: name another one with --data.`,
      );
    }
    this.makeSecrets();
    onFresh();
    this.write('format.json', JSON.stringify({ format, created_at: new Date().toISOString() }));
  }

  /** Writes a small file whole or not at all, readable by its owner alone. */
  write(name: string, text: string): void {
    const draft = this.at(`${name}.draft`);
    writeFileSync(draft, text, { mode: 0o600, flush: true });
    renameSync(draft, this.at(name));
  }

  /** @returns the parsed content, or undefined where there is no such file */
  readJson<T>(name: string): T | undefined {
    const file = this.at(name);
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
  }

  remove(name: string): void {
    rmSync(this.at(name), { force: true });
  }

  private makeSecrets(): void {
    mkdirSync(this.at('keys'), { recursive: true, mode: 0o700 });
    for (const [name, make] of Object.entries(keyFiles)) {
      if (!existsSync(this.at('keys', name))) this.write(join('keys', name), make());
    }
  }

  /**
   * The installation's secrets, as they were made with the folder.
   *
   * @throws CommandFault where one is missing: with another one, what is stored could not be read or found any more
   */
  secrets(): Secrets {
    const kept = (name: keyof typeof keyFiles): string => {
      const file = this.at('keys', name);
      if (existsSync(file)) return readFileSync(file, 'utf8').trim();
      throw new CommandFault(`${file} is missing, and the data cannot be read without it: restore it from a backup.`);
    };
    kept('jwt.pem');
    return {
      internal: kept('internal.hex'),
      hmac: kept('hmac.hex'),
      master: kept('master.hex'),
      paymentKey: kept('payment.key'),
      webhook: kept('webhook.secret'),
      jwtKeyFile: this.at('keys', 'jwt.pem'),
    };
  }
}
