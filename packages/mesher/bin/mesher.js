#!/usr/bin/env node
import { beginStart } from '../dist/runtime/start-phase.js';

beginStart();

const { main } = await import('../dist/cli/main.js');
await main(process.argv.slice(2));
