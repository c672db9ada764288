import { DataDirError } from '../lmdb-file.js';
import { openStorage } from './data-directory.js';
import { positionKey } from './keys.js';
import { isIntact, recordChecksum, recordData, recordRevision, recordStream } from './record.js';

/** For tests and drills only: nothing that serves imports this file. */

/**
 * Changes one character inside a JSON value of a stored event's data, behind the back of a closed store. The data stay
 * JSON of the same length.
 *
 * @param fixChecksum true forges the record's checksum too, so that only a check of the contents can notice
 * @returns which event was changed
 * @throws DataDirError when there is no such record or nothing in it to change
 */
export async function tamper(
  dataDir: string,
  position: number,
  { fixChecksum }: { fixChecksum: boolean },
): Promise<{ stream: string; revision: number }> {
  const storage = await openStorage(dataDir, { serve: false });
  try {
    const stored = storage.log.get(positionKey(position));
    if (stored === undefined || !isIntact(stored, position)) {
      throw new DataDirError(`There is no intact record at position ${position}.`);
    }
    const record = Buffer.from(stored);
    const data = recordData(record);
    const at = changeableAt(data.toString('latin1'));
    if (at === undefined) throw new DataDirError(`The data at position ${position} hold no value that can be changed.`);
    data[at] = otherCharacter(data[at] ?? 0);
    if (fixChecksum) record.writeUInt32BE(recordChecksum(record, position), 0);
    storage.log.putSync(positionKey(position), record);
    return { stream: recordStream(record), revision: recordRevision(record) };
  } finally {
    await storage.close();
  }
}

/** The offset of a letter or digit in a string value, else of the last digit of a number. */
function changeableAt(json: string): number | undefined {
  const text = /[:[,]\s*"[^"\\]*?([0-9A-Za-z])[^"\\]*"\s*[,}\]]/d.exec(json);
  const number = /[:[,]\s*-?\d*(\d)\s*[,}\]]/d.exec(json);
  return (text ?? number)?.indices?.[1]?.[0];
}

/** Another character of the same kind: a digit for a digit, a letter for a letter, hexadecimal where it was. */
function otherCharacter(code: number): number {
  const isLast = code === 0x39 || code === 0x46 || code === 0x66 || code === 0x5a || code === 0x7a;
  return isLast ? code - 1 : code + 1;
}
