// SPDX-License-Identifier: GPL-3.0-or-later
/** noVNC, as an administrator can add it below the web folder: RFB over WebSocket, with a ticket of the portal. */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { enter, newPage, typeLine, withoutAlpha } from './browser.mjs';
import { fileIs, processes, same } from './desktop.mjs';
import { Caller, DATA, desktopOf, ORIGIN, until } from './installation.mjs';

const FOLDER = `${DATA}/software/usr/share/puesto/web/novnc`;
const admin = await Caller.login('admin');
const { context, page } = await newPage();
after(() => {
	rmSync(FOLDER, { recursive: true, force: true });
	return context.close();
});

mkdirSync(FOLDER);
for (const part of ['core', 'vendor'])
	cpSync(fileURLToPath(new URL(`node_modules/@novnc/novnc/${part}`, import.meta.url)), `${FOLDER}/${part}`, { recursive: true });
writeFileSync(`${FOLDER}/desk.html`, '<!DOCTYPE html><meta charset="utf-8"><link rel="stylesheet" href="desk.css"><div id="desk"></div><script type="module" src="desk.js"></script>');
writeFileSync(`${FOLDER}/desk.css`, 'html, body, #desk { margin: 0; width: 100%; height: 100%; overflow: hidden; }');
writeFileSync(`${FOLDER}/desk.js`, `import RFB from './core/rfb.js';
const address = new URLSearchParams(location.hash.slice(1)).get('address');
window.rfb = new RFB(document.getElementById('desk'), address);
window.rfb.resizeSession = true;
window.rfb.addEventListener('connect', () => { window.isConnected = true; window.rfb.focus(); });
window.rfb.addEventListener('disconnect', (e) => { window.isConnected = false; window.wasClean = e.detail.clean; });
`);

const picture = async () => {
	const { width, height, data } = await page.evaluate(() => {
		const canvas = document.querySelector('#desk canvas');
		const { width: w, height: h } = canvas;
		const bytes = canvas.getContext('2d').getImageData(0, 0, w, h).data;
		let text = '';
		for (let i = 0; i < bytes.length; i += 0x8000)
			text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
		return { width: w, height: h, data: btoa(text) };
	});
	return { width, height, rgb: withoutAlpha(Buffer.from(data, 'base64')) };
};

let desktop, address;

test('the portal tells the address that noVNC needs', async () => {
	await enter(page, 'demo');
	await page.goto(`${ORIGIN}/`);
	await page.locator('.tile .menu > button').first().click();
	await page.getByRole('menuitem', { name: 'Usar otro programa' }).click();
	await page.getByRole('tab', { name: 'noVNC' }).click();
	await page.getByRole('button', { name: 'Obtener una dirección' }).click();
	address = await until('the address', () => page.locator('.command code').textContent({ timeout: 500 }).catch(() => ''));
	assert.match(address, /^wss:\/\/localhost:\d+\/display\?ticket=[\w-]+$/);
});

test('noVNC shows the same picture, pixel by pixel', async () => {
	await page.goto(`${ORIGIN}/novnc/desk.html#address=${encodeURIComponent(address)}`);
	await page.waitForFunction(() => window.isConnected);
	desktop = await desktopOf(admin, 'demo');
	await same('noVNC', desktop, picture);
});

test('keys and pointer arrive through noVNC', async () => {
	const before = new Set(processes(desktop, 'xterm'));
	const { height } = await picture();
	await page.mouse.click(130, height - 19);
	await until('a terminal is there', () => processes(desktop, 'xterm').some((p) => !before.has(p)));
	await page.waitForTimeout(1000); /* the shell's prompt has no event that the host could see */
	await typeLine(page, 'echo by noVNC > novnc');
	await until('the file is written', () => fileIs(desktop, '/home/user/novnc', 'by noVNC\n'));
	await same('noVNC, after typing,', desktop, picture);
});

test('a ticket opens one display only', async () => {
	await page.goto('about:blank');
	await page.goto(`${ORIGIN}/novnc/desk.html#address=${encodeURIComponent(address)}`);
	await page.waitForFunction(() => window.wasClean !== undefined);
	assert.equal(await page.evaluate(() => window.isConnected), false);
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
