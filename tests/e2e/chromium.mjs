// SPDX-License-Identifier: GPL-3.0-or-later
/** One Chromium for all parts of a run: prints the address that they connect to, and ends with its standard input. */

import { chromium } from 'playwright-core';
import { LAUNCH } from './launch.mjs';

const server = await chromium.launchServer(LAUNCH);
process.stdout.write(`${server.wsEndpoint()}\n`);
process.stdin.on('end', () => server.close()).resume();
