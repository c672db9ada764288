// Seals new golden files: `npx tsx test/golden/seal.ts`. To add one, write <type>.v<version>.json = { type, version,
// data } with data as the log holds them; after raising a version also <type>.v<old>.as-v<newest>.json, what reading
// the old file has to give. Files that are sealed already are never touched.
import { eventCatalog } from '../../domain/event-catalog.js';
import { goldenFolder, sealNew } from './golden-files.js';

try {
  const fresh = sealNew(goldenFolder(), eventCatalog);
  console.log(fresh.length === 0 ? 'Nothing new to seal.' : `Sealed ${fresh.join(', ')}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
