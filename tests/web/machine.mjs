// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * An administrator's browser for tests/integration/test_libvirt_console.py: node machine.mjs ORIGIN PASSWORD DESKTOP-ID. It logs in, opens the desktop's page, presses
 * "Console", and then does what comes as lines on standard input: hash, type TEXT, shot FILE, bar, press BUTTON. Each is answered by one line.
 */

import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const [origin, password, desktop] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.PUESTO_CHROMIUM ?? '/usr/bin/chromium',
	args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
const context = await browser.newContext({ viewport: { width: 1024, height: 700 }, locale: 'en-US', ignoreHTTPSErrors: true });

async function openConsole() {
	const page = await context.newPage();
	await page.goto(`${origin}/shared/icon.svg`);
	await page.evaluate((secret) => fetch('/api/v1/sessions', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user: 'admin', password: secret }) }), password);
	await page.goto(`${origin}/console/#/desktops/${desktop}`);
	const [client] = await Promise.all([context.waitForEvent('page'), page.click('button:has-text("Console")')]);
	await client.waitForFunction(() => window.puesto?.state === 'live', null, { timeout: 40000 });
	return client;
}

/** @type {Record<string, (page: import('playwright-core').Page, rest: string) => Promise<string | void>>} */
const acts = {
	hash: async (page) => JSON.stringify({ ...await page.evaluate(() => window.puesto.surface), hash: await page.evaluate(() => window.puesto.frameHash()) }),
	type: (page, rest) => page.keyboard.type(rest),
	shot: (page, rest) => page.screenshot({ path: rest }).then(() => ''),
	bar: async (page) => JSON.stringify({ name: await page.textContent('#console-name'), present: await page.textContent('#console-present'), title: await page.title() }),
	press: (page, rest) => page.click(`button:has-text("${rest}")`),
};

try {
	const page = await openConsole();
	console.log('live');
	for await (const line of createInterface({ input: process.stdin })) {
		const [, word, rest] = /^(\w+) ?(.*)$/.exec(line) ?? [];
		console.log(await acts[word](page, rest) || 'done');
	}
} finally {
	await browser.close();
}
