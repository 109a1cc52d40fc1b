// SPDX-License-Identifier: GPL-3.0-or-later
/** Chromium, and the browser client in it. */

import { chromium } from 'playwright-core';
import { processes, run } from './desktop.mjs';
import { enter } from './enter.mjs';
import { atEnd, ORIGIN, password, until } from './installation.mjs';
import { LAUNCH } from './launch.mjs';

export { enter };

/** The one that tests/e2e/run shares between its parts, or one of our own. */
export const browser = process.env.PUESTO_BROWSER ? await chromium.connect(process.env.PUESTO_BROWSER) : await chromium.launch(LAUNCH);
atEnd(() => browser.close());

/** A browser of its own: nobody is logged in. */
export async function newPage(options = {}) {
	const context = await browser.newContext({ viewport: { width: 1024, height: 700 }, locale: 'es-ES', ignoreHTTPSErrors: true, ...options });
	return { context, page: await context.newPage() };
}

export const live = (page, seconds = 40) => page.waitForFunction(() => window.puesto?.state === 'live', null, { timeout: seconds * 1000 });

/** A browser of its own, logged in; the page is the client on the user's first pool. */
export async function openDesktop(user, { secret = password(user), origin = ORIGIN, query = '', ...options } = {}) {
	const { context, page } = await newPage(options);
	const pool = await enter(page, user, secret, origin);
	await page.goto(`${origin}/client/?pool=${pool}${query}`);
	await live(page);
	return { context, page };
}

export const exact = (page) => until('the client has the exact picture', () => page.evaluate(async () => (await window.puesto.stats()).exact));

/** What the client shows: its size, and the hash of its pixels, which is quicker to tell than they are. */
export const canvas = (page) => page.evaluate(async () => {
	const { width, height } = window.puesto.surface;
	return { width, height, hash: await window.puesto.frameHash() };
});

/** Opens a terminal by the panel's button and waits until its shell reads a line: it takes the keys one by one then. */
export async function openTerminal(page, desktop, height) {
	const before = new Set(processes(desktop, 'xterm')), shells = new Set(processes(desktop, 'bash'));
	await page.mouse.click(130, (height ?? await page.evaluate(() => window.puesto.surface.height)) - 19);
	const shell = await until('a terminal is there', () => processes(desktop, 'xterm').some((p) => !before.has(p)) && processes(desktop, 'bash').find((p) => !shells.has(p)));
	await until('its shell reads', () => {
		try { return run(desktop, ['stty', '-a', '-F', `/proc/${shell}/fd/0`]).includes('-icanon'); } catch { return false; }
	});
}

/** Types a line into the window that has the focus. */
export async function typeLine(page, text) {
	await page.keyboard.type(text);
	await page.keyboard.press('Enter');
}
