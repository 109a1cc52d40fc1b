// SPDX-License-Identifier: GPL-3.0-or-later
/** A moving picture: close to the desktop's while it moves, equal to it once it is still. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { canvas, exact, openDesktop } from './browser.mjs';
import { display, grab, shows, VIEWERS } from './clients.mjs';
import { desktopScreen, same } from './desktop.mjs';
import { Caller, desktopOf } from './installation.mjs';
import { Workload } from './workload.mjs';

/** Below this a picture is visibly spoilt; frames of a moment ago cost some dB too, since the scene moves. */
const PSNR_MIN = 22;
const X = 60, Y = 60, AREA = { x: X + 40, y: Y + 40, width: 640, height: 360 };

const admin = await Caller.login('admin');
const { context, page } = await openDesktop('demo');
const desktop = await desktopOf(admin, 'demo');
await exact(page);
const workload = await Workload.onDesktop(desktop, X, Y, 740, 480);
after(() => Promise.all([workload.close(), context.close()]));

/** The moving part of a picture. */
function movingPart({ width, pixels }) {
	const part = new Uint32Array(AREA.width * AREA.height);
	for (let y = 0; y < AREA.height; y++) {
		const from = (AREA.y + y) * width + AREA.x;
		part.set(pixels.subarray(from, from + AREA.width), y * AREA.width);
	}
	return part;
}

const own = () => movingPart({ width: 1024, pixels: desktopScreen(desktop, 1024, 700) });

/** The moving part of what the client shows; all of it would take too long to hand over. */
async function ofCanvas() {
	const text = await page.evaluate(async ({ x, y, width, height }) => {
		const p = await window.puesto.pixels();
		let bytes = '';
		for (let row = y; row < y + height; row++)
			bytes += String.fromCharCode(...p.data.subarray((row * p.width + x) * 4, (row * p.width + x + width) * 4));
		return btoa(bytes);
	}, AREA);
	const rgba = Buffer.from(text, 'base64');
	return Uint32Array.from({ length: rgba.length / 4 }, (_, i) => rgba.readUIntBE(i * 4, 3));
}

/** PSNR in dB. */
function psnr(a, b) {
	let sum = 0;
	for (let i = 0; i < a.length; i++)
		for (const shift of [0, 8, 16])
			sum += ((a[i] >> shift & 255) - (b[i] >> shift & 255)) ** 2;
	return sum ? 10 * Math.log10(255 ** 2 / (sum / (a.length * 3))) : Infinity;
}

/** The best of a few looks: the picture is taken and the desktop's own is read a moment later, so one look may compare two frames. */
async function closeness(look) {
	let best = 0;
	for (let i = 0; i < 6 && best < PSNR_MIN; i++) {
		const before = own();
		const shown = await look();
		best = Math.max(best, psnr(shown, before), psnr(shown, own()));
	}
	return best;
}

test('the browser: video while it moves, exact when it is still', async () => {
	const before = await page.evaluate(() => window.puesto.stats());
	const played = workload.ask('clip 120 33');
	await page.waitForTimeout(1500);
	const dB = await closeness(ofCanvas);
	await played;
	await exact(page);
	await same('the browser, after the clip,', desktop, () => canvas(page), 5);
	const { frames, server } = await page.evaluate(() => window.puesto.stats());
	assert.ok(dB >= PSNR_MIN, `PSNR ${dB} dB while moving`);
	assert.ok(frames - before.frames >= 40, `${frames - before.frames} frames of 120 were seen`);
	assert.ok(server.mix.video.ops + server.mix.jpeg.ops > 10, `moving pictures go lossy: ${JSON.stringify(server.mix)}`);
});

test('the VNC viewer: close while it moves, exact when it is still', async () => {
	await page.goto('about:blank');
	const at = await display();
	const child = VIEWERS.vnc.open(at);
	const window = await shows(VIEWERS.vnc, at, desktop);
	const played = workload.ask('clip 120 33');
	await page.waitForTimeout(1500);
	const dB = await closeness(() => movingPart(grab(at, window)));
	await played;
	await same('the VNC viewer, after the clip,', desktop, () => grab(at, window));
	assert.ok(dB >= PSNR_MIN, `PSNR ${dB} dB while moving`);
	child.kill();
});
