// SPDX-License-Identifier: GPL-3.0-or-later
/** A newcomer's day with the real clients: browser, second user, VNC viewer, RDP client, log-off. */

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { canvas, exact, openDesktop, openTerminal, typeLine } from './browser.mjs';
import { display, shows, VIEWERS } from './clients.mjs';
import { desktopEntries, fileIs, same } from './desktop.mjs';
import { Caller, DATA, desktopOf, password, someUser, until } from './installation.mjs';

const admin = await Caller.login('admin');
let first, desktop;

test('the credentials are for root alone and no password is a default', () => {
	assert.equal(statSync(`${DATA}/credentials`).mode & 0o777, 0o600);
	assert.ok(password('admin').length >= 16 && password('demo').length >= 16 && password('admin') !== password('demo'));
});

test('a browser shows the desktop, pixel by pixel', async () => {
	first = await openDesktop('demo');
	await exact(first.page);
	desktop = await desktopOf(admin, 'demo');
	await same('the browser', desktop, () => canvas(first.page));
});

test('what a Spanish keyboard types arrives in a terminal', async () => {
	const { page } = first;
	await openTerminal(page, desktop);
	await typeLine(page, 'cat > typed');
	const cdp = await first.context.newCDPSession(page);
	const key = async (k, code, modifiers = 0) => {
		for (const type of ['keyDown', 'keyUp'])
			await cdp.send('Input.dispatchKeyEvent', { type, key: k, code, modifiers, text: type === 'keyDown' ? k : undefined });
	};
	await key('ñ', 'Semicolon');
	await cdp.send('Input.dispatchKeyEvent', { type: 'keyDown', key: 'Dead', code: 'Quote' });
	await cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', key: 'Dead', code: 'Quote' });
	await cdp.send('Input.insertText', { text: 'á' });
	for (const [k, code] of [['€', 'KeyE'], ['@', 'Digit2'], ['{', 'Quote']]) {
		await cdp.send('Input.dispatchKeyEvent', { type: 'keyDown', key: 'AltGraph', code: 'AltRight' });
		await key(k, code);
		await cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', key: 'AltGraph', code: 'AltRight' });
	}
	await page.keyboard.press('Enter');
	await page.keyboard.press('Control+d');
	await until('the file holds the letters', () => fileIs(desktop, '/home/user/typed', 'ñá€@{\n'));
});

test('two users at once have different desktops', async () => {
	await someUser(admin, 'ana');
	const ana = await openDesktop('ana');
	const hers = await desktopOf(admin, 'ana');
	assert.notEqual(hers, desktop);
	await exact(ana.page);
	await same('her browser', hers, () => canvas(ana.page));
	assert.ok(!desktopEntries(hers, '/home/user').includes('typed'));
	await ana.context.close();
});

test('the browser comes back to the same desktop', async () => {
	await first.context.close();
	first = await openDesktop('demo');
	assert.equal(await desktopOf(admin, 'demo'), desktop);
	assert.ok(desktopEntries(desktop, '/home/user').includes('typed'));
	await first.context.close();
});

for (const viewer of Object.values(VIEWERS)) {
	test(`${viewer.what} shows the same picture, by TLS and password`, async () => {
		const at = await display();
		const child = viewer.open(at);
		await shows(viewer, at, desktop);
		child.kill();
	});
}

test('log-off gives a new disk, and nothing of the first user is left', async () => {
	const demo = await Caller.login('demo');
	assert.equal((await demo.call('POST', `/me/desktops/${desktop}/logoff`)).status, 202);
	await until('the desktop is new and free', async () => {
		const d = (await admin.list('/desktops')).find((one) => one.id === desktop);
		try { return !d || (!d.user && !desktopEntries(desktop, '/home/user').includes('typed')); } catch { return false; }
	}, 40);
});
