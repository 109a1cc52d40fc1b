// SPDX-License-Identifier: GPL-3.0-or-later
/** Wheel, touch and composed text, from Chromium's own events to a program on the desktop. */

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { exact, openDesktop, openTerminal, typeLine } from './browser.mjs';
import { fileIs, start } from './desktop.mjs';
import { Caller, desktopOf, until } from './installation.mjs';

const admin = await Caller.login('admin');
const { context, page } = await openDesktop('demo', { hasTouch: true });
const desktop = await desktopOf(admin, 'demo');
await exact(page);
const cdp = await context.newCDPSession(page);

/** xev tells every event of its window: kind, button, place. */
const events = [];
const xev = start(desktop, ['stdbuf', '-oL', 'xev', '-geometry', '300x300+300+150', '-event', 'button', '-event', 'mouse'], { stdio: ['ignore', 'pipe', 'ignore'] });
let kind = '';
createInterface({ input: xev.stdout }).on('line', (line) => {
	kind = /^(\w+) event/.exec(line)?.[1] ?? kind;
	const at = /\((\d+),(\d+)\), root:\((\d+),(\d+)\)/.exec(line);
	if (at)
		events.push({ kind, x: Number(at[3]), y: Number(at[4]) });
	const button = /state \S+, button (\d+)/.exec(line);
	if (button)
		events.at(-1).button = Number(button[1]);
});
after(async () => {
	xev.kill();
	await context.close();
});
const pressed = (button) => events.filter((e) => e.kind === 'ButtonPress' && e.button === button);

test('the wheel turns notch by notch, up, down and sideways', async () => {
	await page.mouse.move(430, 300);
	await until('xev sees the pointer', () => events.some((e) => e.x === 430 && e.y === 300));
	/* The browser's event is one notch, however many pixels the system's settings make of it. */
	for (const [dx, dy, button, count] of [[0, 100, 5, 3], [0, -300, 4, 2], [100, 0, 7, 1], [-100, 0, 6, 1]]) {
		for (let i = 0; i < count; i++)
			await page.mouse.wheel(dx, dy);
		await until(`button ${button} ${count} times`, () => pressed(button).length === count);
	}
});

test('a tap is a click at its place', async () => {
	const before = pressed(1).length;
	await page.touchscreen.tap(400, 280);
	await until('a click', () => pressed(1).length === before + 1);
	assert.deepEqual([pressed(1).at(-1).x, pressed(1).at(-1).y], [400, 280]);
});

test('a finger that moves drags, two fingers scroll', async () => {
	const touch = (type, ...points) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
	const begin = events.length, wheels = pressed(4).length + pressed(5).length;
	await touch('touchStart', [380, 250]);
	for (let i = 1; i <= 6; i++)
		await touch('touchMove', [380 + 15 * i, 250 + 10 * i]);
	await touch('touchEnd');
	await until('the button is up again', () => events.slice(begin).some((e) => e.kind === 'ButtonRelease' && e.button === 1));
	assert.ok(events.slice(begin).some((e) => e.kind === 'MotionNotify' && e.x > 420), 'moved while down');
	await touch('touchStart', [380, 330], [440, 330]);
	for (let i = 1; i <= 10; i++)
		await touch('touchMove', [380, 330 - 15 * i], [440, 330 - 15 * i]);
	await touch('touchEnd');
	await until('the wheel turned', () => pressed(4).length + pressed(5).length > wheels);
});

test('text from an input method arrives as text', async () => {
	xev.kill();
	await openTerminal(page, desktop);
	await typeLine(page, 'cat > composed');
	await cdp.send('Input.imeSetComposition', { text: 'に', selectionStart: 1, selectionEnd: 1 });
	await cdp.send('Input.imeSetComposition', { text: '日本', selectionStart: 2, selectionEnd: 2 });
	await cdp.send('Input.insertText', { text: '日本' });
	await page.keyboard.insertText('ñandú €');
	await page.keyboard.press('Enter');
	await page.keyboard.press('Control+d');
	await until('the file holds the text', () => fileIs(desktop, '/home/user/composed', '日本ñandú €\n'));
});
