import { CommandError, code } from '../errors.js';

/** Bytes of the largest document that is stored, or given to a client. */
export const largestDocument = 16 * 1024 * 1024;

/** @throws CommandError 10334 for a document of more than 16 MB */
export function checkDocumentSize(document: Buffer): Buffer {
  if (document.length <= largestDocument) return document;
  throw new CommandError(
    code.tooLarge,
    `BSONObj size: ${document.length} is invalid. Size must be between 0 and ${largestDocument}(16MB)`,
  );
}
