// SPDX-License-Identifier: GPL-3.0-or-later
/** The client in Chromium against the real ws front: pictures, keys, pointer, clipboard, resize, reconnection, words. */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { chromium } from 'playwright-core';
import { Harness, startServer } from './server.mjs';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
	'--disable-sync'];
const SHOTS = process.env.PUESTO_SHOTS;

const harness = new Harness();
await harness.event((e) => e.listening);
const server = await startServer(harness);
const browser = await chromium.launch({ executablePath: process.env.PUESTO_CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
after(async () => {
	await browser.close();
	server.close();
	harness.close();
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
if (SHOTS)
	mkdirSync(SHOTS, { recursive: true });

const problems = [];

async function open(query = 'pool=p1', options = {}) {
	const context = await browser.newContext({ viewport: { width: 1024, height: 700 }, locale: 'es-ES', ...options });
	const page = await context.newPage();
	page.on('pageerror', (e) => problems.push(e.stack));
	page.on('console', (m) => m.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(m.text()) && problems.push(m.text()));
	await page.goto(`${server.origin}/client/?${query}`);
	return page;
}

const state = (page, wanted) => page.waitForFunction((s) => window.puesto?.state === s, wanted, { timeout: 10000 });

async function live(query, options) {
	const page = await open(query, options);
	await state(page, 'live');
	await exact(page);
	return page;
}

/** Asks until the answer is true; page.waitForFunction does not wait for promises. */
async function until(what, check) {
	for (let i = 0; i < 300; i++) {
		if (await check())
			return;
		await new Promise((resolve) => setTimeout(resolve, 40));
	}
	assert.fail(`it never came to this: ${what}`);
}

const statsOf = (page) => page.evaluate(() => window.puesto.stats());

const painted = (page, sequence) => until(`frame ${sequence} is painted`, async () => (await statsOf(page)).sequence >= sequence);

/** Waits until all that was drawn has come and nothing is left to refine. What the client says of it then has to be true. */
async function exact(page) {
	const settled = harness.event((e) => e.settled, { fresh: true });
	harness.command('settle');
	const { sequence } = await settled;
	await painted(page, sequence);
	const stats = await statsOf(page);
	assert.ok(stats.exact || stats.sequence > sequence, 'the client says that its picture is exact');
}

/** The screen of which all was sent, and the client's picture after that very frame; null when another frame came meanwhile. */
async function pair(page, path) {
	const dumped = harness.event((e) => e.dumped, { fresh: true });
	harness.command(`dump ${path}`);
	const { width, height, sequence } = await dumped;
	await painted(page, sequence);
	const want = readFileSync(path);
	const shown = await page.evaluate(async () => {
		const { width: w, height: h, data, sequence: last, isExact } = await window.puesto.pixels();
		let text = '';
		for (let i = 0; i < data.length; i += 32768)
			text += String.fromCharCode(...data.subarray(i, i + 32768));
		return { w, h, last, isExact, text: btoa(text) };
	});
	if (shown.last !== sequence)
		return null;
	assert.deepEqual([shown.w, shown.h], [width, height]);
	return { want, have: Buffer.from(shown.text, 'base64'), isExact: shown.isExact };
}

/** How many pixels differ from the screen, and the PSNR in dB. */
async function compare(page) {
	let both = null;
	await until('the picture stands still for a comparison', async () => (both = await pair(page, join(harness.dir, 'screen'))));
	const { want, have, isExact } = both;
	let differing = 0;
	let error = 0;
	for (let i = 0; i < want.length; i += 4) {
		const d = [have[i] - want[i + 2], have[i + 1] - want[i + 1], have[i + 2] - want[i]];
		differing += d.some((x) => x !== 0) ? 1 : 0;
		error += d[0] * d[0] + d[1] * d[1] + d[2] * d[2];
	}
	assert.ok(!isExact || differing === 0, `the client says that its picture is exact, and ${differing} pixels differ`);
	return { differing, psnr: error ? 10 * Math.log10(255 * 255 / (error / (want.length / 4 * 3))) : Infinity };
}

/** How many pixels of a screenshot differ from the canvas: scaled or shifted by a fraction, most of a text's would. */
async function onScreen(page) {
	await page.addStyleTag({ url: `${server.origin}/tests/bare.css` });
	const shown = (await page.screenshot({ scale: 'device' })).toString('base64');
	const differing = await page.evaluate(async (base64) => {
		const image = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]));
		const { width, height, data } = await window.puesto.pixels();
		const canvas = new OffscreenCanvas(width, height).getContext('2d');
		canvas.drawImage(image, 0, 0);
		const seen = canvas.getImageData(0, 0, width, height).data;
		return data.reduce((n, value, i) => n + (Math.abs(value - seen[i]) > 3 ? 1 : 0), 0);
	}, shown);
	return { differing };
}

async function draw(page, command) {
	harness.command(command);
	await exact(page);
}

async function shot(page, name) {
	if (SHOTS)
		await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}

const keys = (from) => harness.events.slice(from).filter((e) => e.key || e.text);

for (const query of ['pool=p1', 'pool=p1&noworker=1', 'pool=p1&novideo=1']) {
	test(`pictures are exact with ${query}`, async () => {
		const page = await live(query);
		assert.equal(await page.evaluate(() => window.puesto.isWorker), !query.includes('noworker'));
		for (const command of ['text 3', 'fill ff8800', 'scroll 48', 'scroll 3', 'photo', 'fill 0040ff', 'text 4']) {
			await draw(page, command);
			assert.equal((await compare(page)).differing, 0, command);
		}
		await page.context().close();
	});
}

for (const [query, kind] of [['pool=p1', 'video'], ['pool=p1&novideo=1', 'jpeg']]) {
	test(`moving pictures come as ${kind} and become exact with ${query}`, async () => {
		const page = await live(query);
		harness.command('video 600');
		await until(`the picture comes as ${kind}`, async () => (await statsOf(page)).server?.mix[kind].ops > 3);
		await shot(page, `video-${kind}`);
		harness.command('video 0');
		await exact(page);
		assert.equal((await compare(page)).differing, 0);
		await page.context().close();
	});
}

/** The PSNR of a moving picture at some moment, before anything of it is refined; on a path where bytes are cheap, however busy the machine is. */
async function moving(page, command) {
	harness.command('wide 1');
	harness.command(`${command} 600`);
	await until('the video has begun', async () => (await statsOf(page)).server?.mix.video.ops > 4);
	harness.command('hold');
	const { psnr } = await compare(page);
	harness.command('go');
	harness.command('wide 0');
	await exact(page);
	assert.equal((await compare(page)).differing, 0);
	await page.context().close();
	return psnr;
}

test('a moving region is close to the desktop before it is exact', async () => {
	const psnr = await moving(await live(), 'video');
	assert.ok(psnr > 25 && psnr < 99, `PSNR ${psnr}`);
});

test('small coloured text on a moving picture keeps its colours where the browser decodes 4:4:4', async () => {
	const half = await moving(await live('pool=p1&halfcolour=1'), 'letters');
	const full = await moving(await live(), 'letters');
	assert.ok(full > half + 3, `PSNR ${full} in 4:4:4, ${half} in 4:2:0`);
});

test('keys go out by code and keysym, and come up again', async () => {
	const page = await live();
	const from = harness.events.length;
	await page.keyboard.press('a');
	await page.keyboard.press('Shift+B');
	await page.keyboard.press('Enter');
	await harness.event((e) => e.key?.[0] === 0 && e.key[1] === 0xff0d, { fresh: false });
	assert.deepEqual(keys(from).map((e) => e.key), [[1, 97, 30], [0, 97, 30], [1, 0xffe1, 42], [1, 66, 48], [0, 66, 48], [0, 0xffe1, 42], [1, 0xff0d, 28], [0, 0xff0d, 28]]);
});

test('ñ á € @ { by a Spanish layout', async () => {
	const page = await live();
	const cdp = await page.context().newCDPSession(page);
	const from = harness.events.length;
	const press = async (key, code, vk, modifiers = 0) => {
		await cdp.send('Input.dispatchKeyEvent', { type: 'keyDown', key, code, windowsVirtualKeyCode: vk, modifiers, text: key.length === 1 ? key : undefined });
		await cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', key, code, windowsVirtualKeyCode: vk, modifiers });
	};
	await press('ñ', 'Semicolon', 192);
	await press('Dead', 'Quote', 222);
	await press('á', 'KeyA', 65);
	await cdp.send('Input.dispatchKeyEvent', { type: 'keyDown', key: 'AltGraph', code: 'AltRight', windowsVirtualKeyCode: 18, location: 2 });
	await press('€', 'KeyE', 69);
	await press('@', 'Digit2', 50);
	await press('{', 'Quote', 222);
	await cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', key: 'AltGraph', code: 'AltRight', windowsVirtualKeyCode: 18, location: 2 });
	await harness.event((e) => e.key?.[0] === 0 && e.key[1] === 0xfe03);
	const down = keys(from).map((e) => e.key).filter((k) => k[0]);
	assert.deepEqual(down.map((k) => k.slice(1)), [[0xf1, 39], [0xe1, 30], [0xfe03, 100], [0x20ac, 18], [0x40, 3], [0x7b, 40]]);
	assert.equal(keys(from).filter((e) => e.key?.[0] === 0).length, 6);
});

test('composed and inserted text becomes TEXT', async () => {
	const page = await live();
	const cdp = await page.context().newCDPSession(page);
	await page.keyboard.insertText('日本 ñ');
	assert.equal((await harness.event((e) => e.text === '日本 ñ')).text, '日本 ñ');
	await cdp.send('Input.imeSetComposition', { text: 'に', selectionStart: 1, selectionEnd: 1 });
	await cdp.send('Input.imeSetComposition', { text: '日', selectionStart: 1, selectionEnd: 1 });
	await cdp.send('Input.insertText', { text: '日' });
	await harness.event((e) => e.text === '日');
	assert.ok(!harness.events.some((e) => e.text === 'に'));
});

test('nothing stays down when the page loses focus', async () => {
	const page = await live();
	await page.keyboard.down('Control');
	const released = harness.event((e) => e.release, { fresh: true });
	await page.evaluate(() => document.getElementById('keys').blur());
	await released;
});

test('who moves the pointer while the display opens is greeted first', async () => {
	let openDisplay;
	server.held = new Promise((resolve) => (openDisplay = resolve));
	const page = await open();
	await state(page, 'connecting');
	openDisplay();
	for (let i = 0; i < 20; i++)
		await page.mouse.move(100 + i, 100);
	await state(page, 'live');
	assert.ok(!harness.events.some((e) => e.closed && /HELLO/.test(e.reason)));
});

test('pointer, buttons and wheel arrive at their places', async () => {
	const page = await live();
	await page.mouse.move(200, 150);
	await harness.event((e) => e.pointer?.join() === '200,150,0');
	await page.mouse.down();
	await harness.event((e) => e.pointer?.join() === '200,150,1');
	await page.mouse.move(300, 250, { steps: 4 });
	await page.mouse.up();
	await harness.event((e) => e.pointer?.join() === '300,250,0');
	await page.mouse.click(40, 50, { button: 'right' });
	await harness.event((e) => e.pointer?.join() === '40,50,4');
	await page.mouse.wheel(0, 100);
	await harness.event((e) => e.wheel?.join() === '0,120');
});

test('touch: tap, long press, two-finger scroll', async () => {
	const page = await live('pool=p1', { hasTouch: true, viewport: { width: 500, height: 800 } });
	const cdp = await page.context().newCDPSession(page);
	const from = harness.events.length;
	await page.touchscreen.tap(120, 140);
	await harness.event((e) => harness.events.indexOf(e) >= from && e.pointer?.join() === '120,140,1');
	const touch = (type, ...touchPoints) => cdp.send('Input.dispatchTouchEvent', { type, touchPoints });
	await touch('touchStart', { x: 60, y: 70 });
	await harness.event((e) => e.pointer?.join() === '60,70,4');
	await touch('touchEnd');
	await touch('touchStart', { x: 100, y: 300, id: 1 });
	await touch('touchStart', { x: 100, y: 300, id: 1 }, { x: 200, y: 300, id: 2 });
	for (let y = 290; y >= 200; y -= 10)
		await touch('touchMove', { x: 100, y, id: 1 }, { x: 200, y, id: 2 });
	await touch('touchEnd');
	const wheel = await harness.event((e) => e.wheel && e.wheel[1] > 0 && harness.events.indexOf(e) >= from);
	assert.equal(wheel.wheel[0], 0);
});

test('the pointer shape is the desktop\'s, with its hot spot', async () => {
	const page = await live();
	harness.command('cursor');
	await page.waitForFunction(() => /url\("data:image\/png.*"\) 3 5/.test(document.getElementById('screen').style.cursor));
});

test('a bell of the desktop is seen, and goes', async () => {
	const page = await live();
	harness.command('bell');
	await page.waitForSelector('#bell:has-text("Aviso")');
	await page.waitForSelector('#bell', { state: 'hidden' });
});

test('who watches is said for as long as it lasts', async () => {
	const page = await live();
	harness.command('watched Eva <b>Ruiz</b>');
	await page.waitForSelector('#watched:has-text("Mirando: Eva <b>Ruiz</b>")');
	harness.command('watched');
	await page.waitForSelector('#watched', { state: 'hidden' });
});

test('a session is watched by its address, and a refusal is told in words', async () => {
	const page = await live('watch=s1');
	await page.setViewportSize({ width: 640, height: 480 });
	await exact(page);
	await page.waitForTimeout(400);
	assert.deepEqual(await page.evaluate(() => window.puesto.surface), { width: 1024, height: 700 }, 'a guest asks for no size');
	const other = await open('watch=s2');
	await state(other, 'ended');
	assert.match(await other.textContent('#veil-text'), /no se pueden ver/);
});

test('a machine\'s console says what it is, takes keys, and gives way to the session and back', async () => {
	server.change({ session: 'none', session_id: null, user: null });
	const page = await live('console=d1');
	assert.equal(await page.title(), 'Consola de Prueba – Puesto');
	assert.match(await page.textContent('#console-name'), /Consola de Prueba: la pantalla de la propia máquina/);
	await page.waitForSelector('#console-present:has-text("No hay nadie")');
	assert.deepEqual(server.consoles.at(-1), { can_input: true });
	assert.deepEqual(await page.$$eval('#do-logoff, #do-clipboard', (all) => all.map((e) => e.hidden)), [true, true]);
	const box = await page.locator('#screen').boundingBox();
	assert.ok(box.y + box.height <= 700 - 46, 'nothing of the screen is under the bar');
	await page.click('#send-cad');
	for (const key of [0xffe3, 0xffe9, 0xffff])
		await harness.event((e) => e.key?.[0] === 1 && e.key[1] === key);
	assert.ok(await page.isDisabled('#see-session'));
	// Somebody connects: the page says so, and shows the session in the same place, without a word over the picture.
	server.change({ session: 'connected', session_id: 's1', user: { id: 'u', name: 'ana' } });
	await page.waitForSelector('#console-present:has-text("ana tiene la sesión abierta")');
	await page.evaluate(() => {
		window.veiled = [];
		new MutationObserver(() => window.veiled.push(document.getElementById('veil').hidden)).observe(document.getElementById('veil'), { attributes: true });
	});
	await page.click('#see-session');
	await page.waitForSelector('#see-session[aria-pressed="true"]');
	await state(page, 'live');
	assert.match(await page.textContent('#console-name'), /la sesión de ana/);
	assert.equal((await page.evaluate(() => window.veiled)).includes(false), false, 'no veil comes over the last picture');
	await page.click('#see-console');
	await page.waitForSelector('#see-console[aria-pressed="true"]');
	await state(page, 'live');
	assert.equal(server.consoles.length, 2);
	// What is refused leaves the console as it is.
	server.change({ session_id: 's2' });
	await page.click('#see-session');
	await page.waitForSelector('#toast:has-text("no se pueden ver")');
	assert.equal(await page.getAttribute('#see-console', 'aria-pressed'), 'true');
	assert.equal(await page.evaluate(() => window.puesto.state), 'live');
	server.change({ session: 'none', session_id: null, user: null });
});

test('a console that is only looked at is asked for so', async () => {
	const page = await live('console=d1&look');
	assert.deepEqual(server.consoles.at(-1), { can_input: false });
	await page.waitForSelector('#console-bar');
});

test('clipboard text goes both ways with the usual keys', async () => {
	const page = await live('pool=p1', { permissions: ['clipboard-read', 'clipboard-write'] });
	harness.command('clip Señal de copia');
	await until('the text is in the clipboard', () => page.evaluate(async () => await navigator.clipboard.readText() === 'Señal de copia'));
	await page.evaluate(() => navigator.clipboard.writeText('pegado ñ €'));
	await page.keyboard.press('Control+v');
	const pasted = await harness.event((e) => e.clipboard !== undefined && e.start === 'pegado ñ €');
	const key = await harness.event((e) => e.key?.[1] === 118 && e.key[0] === 1);
	assert.ok(harness.events.indexOf(pasted) < harness.events.indexOf(key), 'the text arrives before the key');
});

test('the desktop takes the window\'s size and pixel ratio', async () => {
	const page = await live('pool=p1', { viewport: { width: 800, height: 500 }, deviceScaleFactor: 2 });
	assert.deepEqual(await page.evaluate(() => window.puesto.surface), { width: 1600, height: 1000 });
	await page.setViewportSize({ width: 640, height: 480 });
	await harness.event((e) => e.resize?.join() === '1280,960,200');
	await page.waitForFunction(() => window.puesto.surface.width === 1280);
	await exact(page);
	assert.equal((await compare(page)).differing, 0);
});

test('a size is asked for where it is another one than before, and only there', async () => {
	const from = harness.events.length;
	const sizes = () => harness.events.slice(from).filter((e) => e.resize).map((e) => e.resize.join());
	let openDisplay;
	server.held = new Promise((resolve) => (openDisplay = resolve));
	const page = await open('pool=p1&noworker=1');
	await state(page, 'connecting');
	await page.setViewportSize({ width: 640, height: 480 });
	await page.waitForTimeout(300); // what comes while the window is being drawn larger is waited for so long
	openDisplay();
	await state(page, 'live');
	await page.waitForFunction(() => window.puesto.surface.width === 640);
	await page.waitForTimeout(300);
	await page.setViewportSize({ width: 800, height: 600 });
	await page.waitForFunction(() => window.puesto.surface.width === 800);
	const told = sizes();
	assert.ok(told.indexOf('640,480,100') >= 0 && told.at(-1) === '800,600,100', told.join(' '));
	assert.ok(told.every((size, i) => size !== told[i - 1] && size !== '1024,700,100'), told.join(' '));
});

test('a dropped connection comes back by itself with a new ticket, the picture dimmed meanwhile', async () => {
	const page = await live();
	const tickets = server.tickets;
	server.connects.push({ status: 503, body: { title: 'busy', title_es: 'ocupado', status: 503 } }, { status: 202, body: { stage: 'agent', retry_after_ms: 900 } });
	server.dropAll();
	await state(page, 'waiting');
	assert.ok(await page.locator('#stage.is-dim').count());
	await page.waitForFunction(() => /preparando/.test(document.getElementById('veil-title').textContent));
	await shot(page, 'reconnecting');
	await state(page, 'live');
	await exact(page);
	assert.ok(server.tickets > tickets);
	assert.equal((await compare(page)).differing, 0);
});

test('a desktop that restarts is waited for in words, and comes back by itself', async () => {
	for (const [locale, words] of [['es-ES', /escritorio se está reiniciando/], ['en-GB', /desktop is restarting/]]) {
		const page = await live('pool=p1', { locale });
		const tickets = server.tickets;
		server.connects.push({ status: 202, body: { stage: 'start', retry_after_ms: 900, reason: { en: 'The desktop is restarting.', es: 'El escritorio se está reiniciando.' } } });
		harness.command('end 256');
		await page.waitForFunction((re) => new RegExp(re).test(document.getElementById('veil-title').textContent), words.source);
		assert.equal(await page.evaluate(() => window.puesto.state), 'asking');
		await shot(page, `restarting-${locale}`);
		await state(page, 'live');
		await exact(page);
		assert.equal(server.tickets, tickets + 1);
		assert.equal((await compare(page)).differing, 0);
		await page.context().close();
	}
});

test('waiting is told in words, in the user\'s language', async () => {
	const wait = (stage, more = {}) => ({ status: 202, body: { state: 'waiting', stage, retry_after_ms: 700, ...more } });
	for (const [locale, words] of [['es-ES', [/número 3/, /creando/, /arrancando/]], ['en-GB', [/number 3/, /created/, /starting/]]]) {
		server.connects.push(wait('queue', { position: 3, reason: { en: 'The pool is full.', es: 'El grupo está lleno.' } }), wait('create'), wait('start'));
		const page = await open('pool=p1', { locale, colorScheme: locale === 'es-ES' ? 'light' : 'dark' });
		for (const [i, word] of words.entries()) {
			await page.waitForFunction((re) => new RegExp(re).test(document.getElementById('veil-title').textContent), word.source);
			if (i === 0)
				await shot(page, `waiting-${locale}`);
		}
		await state(page, 'live');
		await page.context().close();
	}
});

test('refusals and ends carry their reason', async () => {
	server.connects.push({ status: 403, body: { title: 'You are not entitled to this pool: ask your administrator.', title_es: 'No tiene permiso para este grupo: hable con su administrador.', status: 403 } });
	const refused = await open();
	await state(refused, 'ended');
	assert.match(await refused.textContent('#veil-text'), /No tiene permiso/);
	await shot(refused, 'refused');
	await refused.context().close();
	const page = await live();
	harness.command('end 7');
	await state(page, 'ended');
	assert.equal(await page.textContent('#veil-text'), 'La prueba ha terminado la sesión.');
	await shot(page, 'ended');
	await page.click('#veil-again');
	await state(page, 'live');
});

test('the menu works by keyboard: Ctrl+Alt+Shift, arrows, Escape; statistics and Ctrl+Alt+Del', async () => {
	const page = await live();
	await page.keyboard.press('Control+Alt+Shift');
	await page.waitForSelector('#menu-items:not([hidden])');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'do-fullscreen');
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('ArrowRight');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'do-statistics');
	await shot(page, 'menu');
	await page.keyboard.press('Enter');
	await page.waitForSelector('#statistics dd');
	await page.waitForTimeout(1600);
	await shot(page, 'statistics');
	assert.match(await page.textContent('#statistics'), /Ida y vuelta.*ms/s);
	await page.click('#menu-open');
	await page.click('#do-keys button');
	await page.click('text=Ctrl+Alt+Supr');
	await harness.event((e) => e.key?.join() === '1,65535,111');
	await page.click('#menu-open');
	await page.click('#do-clipboard');
	await shot(page, 'clipboard');
	await page.keyboard.press('Escape');
	await page.click('#menu-open');
	await page.click('#do-logoff');
	await page.click('#confirm button[value=yes]');
	await state(page, 'ended');
	assert.equal(server.logoffs, 1);
});

test('keys that no page can catch are sent from the menu, by keyboard alone', async () => {
	const page = await live();
	const from = harness.events.length;
	await page.keyboard.press('Control+Alt+Shift');
	for (let i = 0; i < 3; i++)
		await page.keyboard.press('ArrowRight');
	await page.keyboard.press('ArrowDown');
	await page.waitForSelector('[role=menuitem]:focus');
	await page.keyboard.press('Escape');
	assert.equal(await page.isVisible('#menu-items'), true, 'Escape closes the inner menu alone');
	await page.keyboard.press('Enter');
	await shot(page, 'keys');
	for (let i = 0; i < 4; i++)
		await page.keyboard.press('ArrowDown');
	await page.keyboard.press('Enter');
	await harness.event((e) => e.key?.join() === '0,65507,29' && harness.events.indexOf(e) >= from && keys(from).some((k) => k.key?.[1] === 119));
	assert.deepEqual(keys(from).map((e) => e.key).slice(-4), [[1, 0xffe3, 29], [1, 119, 17], [0, 119, 17], [0, 0xffe3, 29]]);
	assert.equal(await page.evaluate(() => document.activeElement.id), 'keys');
});

for (const ratio of [1.25, 1.5, 2]) {
	test(`at ${ratio} device pixels each pixel of the desktop is one of the screen`, async () => {
		// The browser itself at this ratio: Playwright's own way changes the page alone.
		const other = await chromium.launch({ executablePath: process.env.PUESTO_CHROMIUM ?? '/usr/bin/chromium', args: [...FLAGS, `--force-device-scale-factor=${ratio}`, '--window-size=811,603'] });
		try {
			const page = await (await other.newContext({ viewport: null })).newPage();
			await page.goto(`${server.origin}/client/?pool=p1`);
			await state(page, 'live');
			await draw(page, 'text 5');
			const { box, inner } = await page.evaluate(() => {
				const { left, top, width, height } = document.getElementById('screen').getBoundingClientRect();
				return { box: [left, top, width, height].map((n) => n * devicePixelRatio), inner: [innerWidth * devicePixelRatio, innerHeight * devicePixelRatio, devicePixelRatio] };
			});
			const { width, height } = await page.evaluate(() => window.puesto.surface);
			assert.equal(inner[2], ratio);
			assert.deepEqual(box.map((n) => Math.round(n * 100) / 100), [0, 0, width, height]);
			assert.ok(Math.abs(width - inner[0]) < 3 && Math.abs(height - inner[1]) < 3, `${width} × ${height} in ${inner}`);
			assert.equal((await onScreen(page)).differing, 0, 'what is on the screen is what is in the picture');
		} finally {
			await other.close();
		}
	});
}

test('the size of things is the user\'s choice, remembered, and the pixels stay whole', async () => {
	const page = await live('pool=p1', { viewport: { width: 800, height: 600 } });
	await page.click('#menu-open');
	await page.click('#do-size button');
	await page.click('text=200 %');
	await page.waitForFunction(() => window.puesto.surface.width === 400);
	await exact(page);
	assert.equal(await page.evaluate(() => getComputedStyle(document.getElementById('screen')).imageRendering), 'pixelated');
	await page.mouse.click(201, 101);
	await harness.event((e) => e.pointer?.join() === '100,50,1');
	await page.reload();
	await state(page, 'live');
	assert.equal(await page.evaluate(() => window.puesto.surface.width), 400);
});

test('a phone gets a size that can be read, and its keyboard only when it is asked for', async () => {
	const page = await live('pool=p1', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, hasTouch: true, isMobile: true });
	assert.deepEqual(await page.evaluate(() => window.puesto.surface), { width: 584, height: 1266 });
	assert.equal(await page.evaluate(() => document.getElementById('keys').inputMode), 'none');
	await page.tap('#menu-open');
	await shot(page, 'phone-menu');
	await page.tap('#do-keyboard');
	assert.deepEqual(await page.evaluate(() => [document.getElementById('keys').inputMode, document.activeElement.id]), ['text', 'keys']);
});

test('an expired log-in is asked for above the picture, and the desktop goes on', async () => {
	const page = await live();
	server.connects.push({ status: 401, body: { title: 'Log in first.', code: 'login_needed', status: 401 } });
	server.dropAll();
	await page.waitForSelector('.login-dialog');
	await shot(page, 'login-again');
	assert.equal(await page.inputValue('#login-user'), 'ana');
	await page.fill('#login-password', 'secret');
	await page.keyboard.press('Enter');
	await state(page, 'live');
});

test('whoever leaves the queue gives the place up', async () => {
	server.connects.push({ status: 202, body: { stage: 'queue', position: 2, retry_after_ms: 5000, reason: { en: 'Full.', es: 'Lleno.' } } });
	const page = await open();
	await page.waitForFunction(() => /número 2/.test(document.getElementById('veil-title').textContent));
	await page.click('#veil-back');
	await page.waitForURL((url) => !url.pathname.startsWith('/client/'));
	assert.equal(server.givenUp, 1);
});

test('a wait says what is wrong and counts down; "try now" does not wait', async () => {
	server.connects.push({ status: 503, body: { title: 'The broker does not answer.', title_es: 'El broker no responde.', status: 503 }, headers: { 'retry-after': '30' } });
	const page = await open();
	await state(page, 'waiting');
	assert.match(await page.textContent('#veil'), /Puesto no responde.*El broker no responde.*Próximo intento en (30|29) s/s);
	await shot(page, 'waiting-broker');
	await page.click('#veil-hurry');
	await state(page, 'live');
});

test('an address without a pool says so', async () => {
	const page = await open('');
	assert.match(await page.textContent('#veil-title'), /portal/);
});

test('no page error and no breach of the content policy happened', () => {
	assert.deepEqual(problems, []);
});
