import { runNamed } from '../support/run-named.js';
import { runEndings } from './endings/run-endings.js';
import { runFlashSale } from './flash-sale.js';
import { runKillImport } from './kill-import/run-kill-import.js';
import { runPoison } from './projections/poison.js';
import { runRewind } from './projections/rewind.js';
import { runSameKey } from './same-key.js';
import { runTamper } from './tamper.js';

await runNamed('drill', {
  endings: runEndings,
  'flash-sale': runFlashSale,
  'kill-import': runKillImport,
  poison: runPoison,
  rewind: runRewind,
  'same-key': runSameKey,
  tamper: runTamper,
});
