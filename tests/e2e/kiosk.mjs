// SPDX-License-Identifier: GPL-3.0-or-later
/** A Chromium of its own that fills an X display: what its page shows can be looked at from outside, as a user does. */

import { mkdtempSync, rmSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { DATA } from './installation.mjs';
import { LAUNCH } from './launch.mjs';

/** @param {string} at display @param {{ width: number, height: number }} size of the display */
export async function kiosk(at, { width, height }) {
	const home = mkdtempSync(`${DATA}/kiosk-`);
	const context = await chromium.launchPersistentContext(home, { executablePath: LAUNCH.executablePath, headless: false, viewport: null, ignoreHTTPSErrors: true,
		env: { ...process.env, DISPLAY: at, HOME: home }, ignoreDefaultArgs: ['--enable-automation'],
		args: [...LAUNCH.args.filter((arg) => arg !== '--headless'), '--kiosk', '--window-position=0,0', `--window-size=${width},${height}`, '--force-device-scale-factor=1', '--hide-scrollbars'] });
	const [page] = context.pages();
	return { page: page ?? await context.newPage(), close: async () => {
		await context.close();
		rmSync(home, { recursive: true, force: true });
	} };
}
