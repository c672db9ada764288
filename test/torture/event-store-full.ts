import type { Random } from '../support/seeded.js';
export async function fullRound(_dir: string, _random: Random) { return { acknowledged: 0, unknown: 0, unknownStored: 0, refused: 0, verified: 0, watched: 0 }; }
