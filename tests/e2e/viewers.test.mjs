// SPDX-License-Identifier: GPL-3.0-or-later
/** Several browsers at one desktop: the user's second view takes nothing over, an administrator watches and is named. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canvas, exact, live, newPage, openDesktop, openTerminal, typeLine } from './browser.mjs';
import { fileIs, same } from './desktop.mjs';
import { Caller, desktopOf, ORIGIN, password, until } from './installation.mjs';

const admin = await Caller.login('admin');
const { context, page } = await openDesktop('demo');
const desktop = await desktopOf(admin, 'demo');
const sessions = () => admin.list('/sessions?state=live');
const session = (await sessions())[0];

test('a second view shows the same and types too, and the first one stays', async () => {
	const view = await context.newPage();
	await view.goto(`${ORIGIN}/client/?pool=${new URL(page.url()).searchParams.get('pool')}&view=1`);
	await live(view);
	await exact(view);
	await same('the second view, at first,', desktop, () => canvas(view));
	await openTerminal(view, desktop);
	await typeLine(view, 'echo -n two > seen');
	await until('the second view types', () => fileIs(desktop, '/home/user/seen', 'two'));
	await same('the first view', desktop, () => canvas(page));
	await same('the second view', desktop, () => canvas(view));
	assert.equal(await page.evaluate(() => window.puesto.state), 'live');
	assert.deepEqual((await sessions()).map((s) => [s.id, s.epoch]), [[session.id, session.epoch]]);
	await view.close();
	await until('the view is gone', async () => (await admin.call('GET', `/sessions/${session.id}`)).data.guests.length === 0);
});

test('an administrator watches only where the pool says so, and the user reads who', async () => {
	assert.equal((await admin.call('POST', `/sessions/${session.id}/watch`, {})).data.code, 'watching_off');
	assert.equal((await admin.call('PATCH', '/pools/demo', { watching: 'announced' })).status, 200);
	const { context: other, page: watcher } = await newPage({ viewport: { width: 700, height: 500 } });
	await watcher.goto(`${ORIGIN}/shared/icon.svg`);
	await watcher.evaluate((secret) => fetch('/api/v1/sessions', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user: 'admin', password: secret }) }),
		password('admin'));
	await watcher.goto(`${ORIGIN}/client/?watch=${session.id}`);
	await live(watcher);
	await page.waitForSelector('#watched:has-text("Mirando: ")');
	await watcher.keyboard.type('x');
	await page.mouse.click(300, 300);
	await typeLine(page, 'echo -n one > seen');
	await until('the user types', () => fileIs(desktop, '/home/user/seen', 'one'));
	await same('the watcher', desktop, () => canvas(watcher));
	assert.equal((await admin.call('GET', `/sessions/${session.id}`)).data.guests.length, 1);
	await other.close();
	await page.waitForSelector('#watched', { state: 'hidden' });
	assert.equal((await admin.call('PATCH', '/pools/demo', { watching: 'off' })).status, 200);
	await context.close();
});
