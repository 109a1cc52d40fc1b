// SPDX-License-Identifier: GPL-3.0-or-later
/** Chromium, and the browser client in it. */

import { chromium } from 'playwright-core';
import { processes } from './desktop.mjs';
import { atEnd, ORIGIN, password, until } from './installation.mjs';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
	'--disable-sync'];
export const browser = await chromium.launch({ executablePath: process.env.PUESTO_CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
atEnd(() => browser.close());

/** A browser of its own: nobody is logged in. */
export async function newPage(options = {}) {
	const context = await browser.newContext({ viewport: { width: 1024, height: 700 }, locale: 'es-ES', ignoreHTTPSErrors: true, ...options });
	return { context, page: await context.newPage() };
}

/** Logs in by the API, as the portal does, and returns the user's first pool. @returns {Promise<string>} */
export async function enter(page, user, secret = password(user), origin = ORIGIN) {
	await page.goto(`${origin}/shared/icon.svg`);
	return page.evaluate(async ([name, word]) => {
		await fetch('/api/v1/sessions', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user: name, password: word }) });
		return (await (await fetch('/api/v1/me/pools')).json()).items[0].id;
	}, [user, secret]);
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

/** What the client shows, as R G B rows. */
export async function canvas(page) {
	const { width, height, data } = await page.evaluate(async () => {
		const p = await window.puesto.pixels();
		let text = '';
		for (let i = 0; i < p.data.length; i += 0x8000)
			text += String.fromCharCode(...p.data.subarray(i, i + 0x8000));
		return { width: p.width, height: p.height, data: btoa(text) };
	});
	return { width, height, rgb: withoutAlpha(Buffer.from(data, 'base64')) };
}

/** @param {Buffer} rgba */
export function withoutAlpha(rgba) {
	const rgb = Buffer.alloc(rgba.length / 4 * 3);
	for (let i = 0, j = 0; i < rgba.length; i += 4) {
		rgb[j++] = rgba[i];
		rgb[j++] = rgba[i + 1];
		rgb[j++] = rgba[i + 2];
	}
	return rgb;
}

/** Opens a terminal by the panel's button and waits for its shell. */
export async function openTerminal(page, desktop) {
	const { height } = await canvas(page);
	const before = new Set(processes(desktop, 'xterm')), shells = new Set(processes(desktop, 'bash'));
	await page.mouse.click(130, height - 19);
	await until('a terminal is there', () => processes(desktop, 'xterm').some((p) => !before.has(p)) && processes(desktop, 'bash').some((p) => !shells.has(p)));
	await page.waitForTimeout(700); /* the shell's prompt has no event that the host could see */
}

/** Types a line into the window that has the focus. */
export async function typeLine(page, text) {
	await page.keyboard.type(text);
	await page.keyboard.press('Enter');
}
