// SPDX-License-Identifier: GPL-3.0-or-later
/** noVNC as deploy/up has added it: one click in the portal, then the desktop in it. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { enter, live, newPage, openTerminal, typeLine } from './browser.mjs';
import { fileIs, run, same, screenSize, start } from './desktop.mjs';
import { Caller, desktopOf, ORIGIN, until } from './installation.mjs';
import { Workload } from './workload.mjs';

const admin = await Caller.login('admin');
const { context, page } = await newPage();
after(() => context.close());
await page.addInitScript(() => {
	const { decode } = VideoDecoder.prototype;
	window.units = 0;
	VideoDecoder.prototype.decode = function (chunk) {
		window.units++;
		return decode.call(this, chunk);
	};
});

/** What noVNC shows: its size and the hash of its pixels. */
const picture = () => page.evaluate(async () => {
	const screen = document.querySelector('#stage canvas');
	if (!screen?.width)
		return { width: 0, height: 0 };
	const { width, height, data } = screen.getContext('2d').getImageData(0, 0, screen.width, screen.height);
	const hash = [...new Uint8Array(await crypto.subtle.digest('SHA-256', data))].map((b) => b.toString(16).padStart(2, '0')).join('');
	return { width, height, hash };
});

let desktop, address;

test('one click in the portal opens the desktop in noVNC, pixel by pixel', async () => {
	await enter(page, 'demo');
	await page.goto(`${ORIGIN}/`);
	page.on('websocket', (socket) => { address = socket.url(); });
	await page.locator('.tile .menu > button').first().click();
	await page.getByRole('menuitem', { name: 'Usar otro programa' }).click();
	await page.getByRole('tab', { name: 'noVNC' }).click();
	await page.getByRole('link', { name: 'Abrir en noVNC' }).click();
	await page.waitForURL(/\/novnc\/#pool=/);
	await live(page);
	assert.match(address, /^wss:\/\/localhost:\d+\/display\?ticket=[\w-]+$/);
	desktop = await desktopOf(admin, 'demo');
	await same('noVNC', desktop, picture);
});

test('the desktop takes the window\'s size', async () => {
	await page.setViewportSize({ width: 860, height: 620 });
	await until('the screen is 860 × 620', () => screenSize(desktop).join() === '860,620');
	await same('noVNC at 860 × 620', desktop, picture);
});

test('keys and pointer arrive through noVNC', async () => {
	await openTerminal(page, desktop, 620);
	await typeLine(page, 'echo by noVNC > novnc');
	await until('the file is written', () => fileIs(desktop, '/home/user/novnc', 'by noVNC\n'));
	await same('noVNC, after typing,', desktop, picture);
});

test('a moving picture comes as H.264 and ends exact', async () => {
	const workload = await Workload.onDesktop(desktop, 20, 20, 720, 480);
	const before = await page.evaluate(() => window.units);
	await workload.ask('clip 90 33');
	await same('noVNC, after the clip,', desktop, picture, 5);
	workload.close();
	const units = await page.evaluate(() => window.units) - before;
	assert.ok(units > 20, `${units} units of 90 frames were decoded`);
});

test('text goes both ways by the clipboard box', async () => {
	const box = async () => {
		await page.click('#menu-open');
		await page.click('#do-clipboard');
	};
	await box();
	await page.fill('#clipboard-text', 'ida: ñ €\notra');
	await page.click('#clipboard-give');
	await page.keyboard.press('Escape');
	const clipboard = () => { try { return run(desktop, ['xclip', '-selection', 'clipboard', '-out'], { timeout: 3000, stdio: ['ignore', 'pipe', 'ignore'] }); } catch { return ''; } };
	await until('the desktop has the text', () => clipboard() === 'ida: ñ €\notra');
	const owner = start(desktop, ['xclip', '-quiet', '-selection', 'clipboard', '-in'], { stdio: ['pipe', 'ignore', 'ignore'] });
	owner.stdin.end('vuelta: á 日本');
	await until('the box has the desktop\'s text', async () => {
		await box();
		const text = await page.inputValue('#clipboard-text');
		await page.keyboard.press('Escape');
		return text === 'vuelta: á 日本';
	});
	owner.kill();
});

test('it ends in words, comes back with a button, and a ticket opens one display only', async () => {
	const old = address;
	await page.click('#menu-open');
	await page.click('#do-disconnect');
	await page.waitForSelector('#veil-title:has-text("La sesión ha terminado")');
	const code = await page.evaluate((to) => new Promise((resolve) => {
		new WebSocket(to).onclose = (e) => resolve(e.code);
	}), old);
	assert.equal(code, 4401);
	await page.click('#veil-again');
	await live(page);
	assert.equal(await desktopOf(admin, 'demo'), desktop);
	await same('noVNC, connected again,', desktop, picture);
});

test('a page of another site is refused', async () => {
	const foreign = await newPage();
	await foreign.page.route('https://elsewhere.invalid/', (route) => route.fulfill({ contentType: 'text/html', body: 'elsewhere' }));
	await foreign.page.goto('https://elsewhere.invalid/');
	const answer = await foreign.page.evaluate((to) => new Promise((resolve) => {
		const socket = new WebSocket(to);
		socket.onopen = () => resolve('open');
		socket.onerror = () => resolve('refused');
	}), address);
	assert.equal(answer, 'refused');
	await foreign.context.close();
});

test('a log-off of the desktop is told', async () => {
	const demo = await Caller.login('demo');
	assert.equal((await demo.call('POST', `/me/desktops/${desktop}/logoff`)).status, 202);
	await page.waitForSelector('#veil-title:has-text("La sesión ha terminado")');
	assert.match(await page.textContent('#veil-text'), /\S/);
});
