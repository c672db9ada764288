import { createHash } from 'node:crypto';
import { BsonValue, bsonType } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';

export const sessionMinutes = 30;

const idleMs = sessionMinutes * 60_000;
const sweepMs = 60_000;

/** As MongoDB has it, the owner of a session is known by a hash of the name, and here nobody has one. */
const noUser = Buffer.concat([Buffer.of(32, 0, 0, 0, 0), createHash('sha256').update('').digest()]);

interface Session {
  /** the UUID as BSON has it, a binary */
  id: Buffer;
  lastUse: number;
}

/** The sessions that clients have used in the last half hour. They carry no state, so this is all there is to know. */
export class Sessions {
  private readonly byId = new Map<string, Session>();
  private sweptAt: number;

  /** @param now milliseconds since 1970 */
  constructor(private readonly now: () => number) {
    this.sweptAt = now();
  }

  /** @param id the UUID as BSON has it, a binary */
  touch(id: Buffer): void {
    const lastUse = this.now();
    const key = id.toString('latin1');
    const session = this.byId.get(key);
    if (session === undefined) this.byId.set(key, { id: Buffer.from(id), lastUse });
    else session.lastUse = lastUse;
    if (lastUse - this.sweptAt > sweepMs) this.sweep(lastUse);
  }

  private sweep(at: number): void {
    this.sweptAt = at;
    for (const [key, { lastUse }] of this.byId) if (at - lastUse > idleMs) this.byId.delete(key);
  }

  end(id: Buffer): void {
    this.byId.delete(id.toString('latin1'));
  }

  /** As `$listLocalSessions` tells of them. */
  documents(): Buffer[] {
    this.sweep(this.now());
    const binary = (bytes: Buffer) => new BsonValue(bsonType.binary, bytes, 0, bytes.length);
    return [...this.byId.values()].map(({ id, lastUse }) =>
      writeDocument({ _id: { id: binary(id), uid: binary(noUser) }, lastUse: new Date(lastUse) }),
    );
  }
}
