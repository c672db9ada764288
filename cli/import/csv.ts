import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { CommandFault } from '../fault.js';

/** Takes CSV text in pieces cut anywhere and gives the records that are complete (RFC 4180, line ends LF or CRLF). */
export interface CsvParser {
  push(text: string): string[][];
  /** The last record, where no line end follows it. @throws CommandFault inside of a quoted field */
  end(): string[][];
}

export function csvParser(): CsvParser {
  let field = '';
  let record: string[] = [];
  let place: 'start' | 'plain' | 'quoted' | 'quote-seen' | 'cr-seen' = 'start';
  let done: string[][] = [];

  const endField = () => {
    record.push(field);
    field = '';
    place = 'start';
  };
  const endRecord = () => {
    endField();
    // A blank line is no record of one empty field.
    if (record.length > 1 || record[0] !== '') done.push(record);
    record = [];
  };
  const take = (char: string) => {
    if (place === 'cr-seen') {
      place = 'start';
      if (char === '\n') return;
    }
    if (place === 'quoted') {
      if (char === '"') place = 'quote-seen';
      else field += char;
    } else if (char === '"' && place === 'quote-seen') {
      field += char;
      place = 'quoted';
    } else if (char === '"' && place === 'start') {
      place = 'quoted';
    } else if (char === ',') {
      endField();
    } else if (char === '\n') {
      endRecord();
    } else if (char === '\r') {
      endRecord();
      place = 'cr-seen';
    } else {
      field += char;
      place = 'plain';
    }
  };

  return {
    push(text) {
      done = [];
      for (const char of text) take(char);
      return done;
    },
    end() {
      done = [];
      if (place === 'quoted') throw new CommandFault('the file ends inside of a quoted field.');
      if (field !== '' || record.length > 0 || place === 'quote-seen') endRecord();
      return done;
    },
  };
}

const gzipMagic = 0x1f8b;

/** The bytes of a file, unpacked where they are gzip, whatever the file is called. */
async function* bytesOf(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  const packed = await new Promise<boolean>((resolve, reject) => {
    file.once('error', reject);
    file.once('readable', () => {
      const first = file.read() as Buffer | null;
      if (first !== null) file.unshift(first);
      resolve(first !== null && first.length > 1 && first.readUInt16BE(0) === gzipMagic);
    });
  });
  if (!packed) return yield* file as AsyncIterable<Buffer>;
  const unpacked = createGunzip();
  const piped = pipeline(file, unpacked);
  piped.catch(() => {});
  yield* unpacked as AsyncIterable<Buffer>;
  await piped;
}

/**
 * Reads a CSV file, gzipped or not, UTF-8, whose first record names the columns.
 *
 * @param columns those to give, in this order; the file may have more, in any order
 * @throws CommandFault where the file cannot be read or lacks a column
 */
export async function* readCsv(path: string, columns: readonly string[]): AsyncGenerator<(string | undefined)[]> {
  const parser = csvParser();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let places: number[] | undefined;

  function* pick(records: readonly string[][]) {
    for (const record of records) {
      if (places !== undefined) {
        yield places.map((place) => record[place]);
        continue;
      }
      places = columns.map((column) => record.indexOf(column));
      const missing = columns.filter((_, i) => places?.[i] === -1);
      if (missing.length > 0) throw new CommandFault(`${path} has no column ${missing.join(', ')}.`);
    }
  }

  try {
    for await (const chunk of bytesOf(path)) yield* pick(parser.push(decoder.decode(chunk, { stream: true })));
    yield* pick(parser.push(decoder.decode()));
    yield* pick(parser.end());
  } catch (error) {
    if (error instanceof CommandFault) throw error;
    throw new CommandFault(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
  if (places === undefined) throw new CommandFault(`${path} is empty.`);
}
