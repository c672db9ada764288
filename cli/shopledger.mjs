#!/usr/bin/env node
// The launcher: builds what is stale, then hands over to cli/main.ts. Plain JavaScript, so that it needs no build itself.
import { runBuilt } from '../scripts/build.mjs';

await runBuilt('cli/main.js', process.argv.slice(2));
