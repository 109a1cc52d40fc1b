// SPDX-License-Identifier: GPL-3.0-or-later
/** Clipboard text in both directions, with letters beyond ASCII and several lines: browser, VNC viewer, RDP client. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, test } from 'node:test';
import { exact, openDesktop, openTerminal, typeLine } from './browser.mjs';
import { display, launch, onDisplay, shows, VIEWERS } from './clients.mjs';
import { fileIs, run, start } from './desktop.mjs';
import { Caller, desktopOf, ORIGIN, until } from './installation.mjs';

const OUT = 'del escritorio: ñ á €\nsegunda línea\ttabulada\n日本 fin';
const IN = 'para el escritorio: Ñ Á € «»\notra línea\nfin';
const admin = await Caller.login('admin');
let desktop;

/** Puts text into the desktop's clipboard, as a program there does. */
function copyThere(text) {
	const child = start(desktop, ['xclip', '-quiet', '-selection', 'clipboard', '-in'], { stdio: ['pipe', 'ignore', 'ignore'] });
	child.stdin.end(text);
	owners.push(child);
}

/** @type {import('node:child_process').ChildProcess[]} */
const owners = [];
after(() => owners.forEach((child) => child.kill()));

const pasteThere = () => {
	try { return run(desktop, ['xclip', '-selection', 'clipboard', '-out'], { timeout: 3000, stdio: ['ignore', 'pipe', 'ignore'] }); } catch { return ''; }
};

test('the browser: what the desktop copies can be pasted here, and the other way round', async () => {
	const { context, page } = await openDesktop('demo', { permissions: ['clipboard-read', 'clipboard-write'] });
	desktop = await desktopOf(admin, 'demo');
	await exact(page);
	copyThere(OUT);
	await until('the browser has the text', () => page.evaluate(() => navigator.clipboard.readText()).then((text) => text === OUT));
	await openTerminal(page, desktop);
	await typeLine(page, 'cat > pasted');
	await page.evaluate((text) => navigator.clipboard.writeText(text), IN);
	await page.keyboard.press('Shift+Insert');
	await until('the desktop\'s clipboard has the text', () => pasteThere() === IN);
	assert.equal(new URL(page.url()).origin, ORIGIN);
	await context.close();
});

for (const viewer of Object.values(VIEWERS)) {
	test(`${viewer.what}: both directions`, async () => {
		const at = await display();
		const child = viewer.open(at);
		const id = await shows(viewer, at, desktop);
		onDisplay(at, ['xdotool', 'mousemove', '--window', id, '300', '300']);
		onDisplay(at, ['xdotool', 'windowfocus', id]);
		copyThere(`${OUT} ${viewer.title}`);
		await until('the viewer\'s display has the text', () => {
			try { return onDisplay(at, ['xclip', '-selection', 'clipboard', '-out'], { timeout: 3000 }).toString() === `${OUT} ${viewer.title}`; } catch { return false; }
		});
		const owner = launch('xclip', ['-quiet', '-selection', 'clipboard', '-in'], { env: { ...process.env, DISPLAY: at }, stdio: ['pipe', 'ignore', 'ignore'] });
		owner.stdin.end(`${IN} ${viewer.title}`);
		await until('the desktop has the text', () => pasteThere() === `${IN} ${viewer.title}`);
		child.kill();
	});
}
