#!/usr/bin/env node
import { sizeYoungGeneration } from '../dist/runtime/young-generation.js';

sizeYoungGeneration();

const { main } = await import('../dist/cli/main.js');
await main(process.argv.slice(2));
