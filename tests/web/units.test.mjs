// SPDX-License-Identifier: GPL-3.0-or-later
/** The client's pure parts: protocol, zstd against hostile bytes, keys. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Display } from '../../web/client/display.js';
import { FlatDecoder } from '../../web/client/flat.js';
import { keycodeOf } from '../../web/client/keycodes.js';
import { keysymOf } from '../../web/client/keysyms.js';
import { areApart } from '../../web/client/overlap.js';
import { buttonsOf, wheelOf } from '../../web/client/pointer.js';
import * as P from '../../web/client/protocol.js';
import { placeOf, wishOf } from '../../web/client/screen.js';
import { specialKeys } from '../../web/client/specialkeys.js';
import { ZstdStream } from '../../web/client/zstd.js';

test('parts become one message and small ones may lie between', () => {
	const a = new P.Assembler();
	assert.equal(a.push(Uint8Array.of(0x83, 1, 2)), null);
	assert.deepEqual(a.push(Uint8Array.of(9, 5)), { type: 9, body: Uint8Array.of(5) });
	assert.equal(a.push(Uint8Array.of(0x83, 3)), null);
	assert.deepEqual(a.push(Uint8Array.of(3, 4)), { type: 3, body: Uint8Array.of(1, 2, 3, 4) });
});

test('messages without parts refuse them, and clipboards have a ceiling', () => {
	assert.throws(() => new P.Assembler().push(Uint8Array.of(0x81, 0)), P.ProtocolError);
	assert.throws(() => new P.Assembler().push(new Uint8Array(0)), P.ProtocolError);
	const a = new P.Assembler();
	const part = new Uint8Array(65536);
	part[0] = 0x86;
	assert.throws(() => {
		for (let i = 0; i < 20; i++)
			a.push(part);
	}, P.ProtocolError);
});

test('frames that paint outside, are cut, or too long are refused', () => {
	const surface = { width: 100, height: 50 };
	const fill = [2, 0, 0, 0, 0, 0, 100, 0, 50, 1, 2, 3];
	const frame = (ops, count = 1) => Uint8Array.from([0, 0, 0, 9, 1, 0, count, ...ops]);
	assert.equal(P.readFrame(frame(fill), surface).ops[0].w, 100);
	assert.throws(() => P.readFrame(frame(fill.with(6, 101)), surface), P.ProtocolError);
	assert.throws(() => P.readFrame(frame(fill.with(6, 0)), surface), P.ProtocolError);
	assert.throws(() => P.readFrame(frame(fill.with(0, 7)), surface), P.ProtocolError);
	assert.throws(() => P.readFrame(frame(fill.slice(0, -1)), surface), P.ProtocolError);
	assert.throws(() => P.readFrame(frame([...fill, 0]), surface), P.ProtocolError);
	assert.throws(() => P.readFrame(frame([3, 0, 0, 0, 0, 0, 1, 0, 1, 255, 255, 255, 255]), surface), P.ProtocolError);
});

test('a frame may say that the streams begin anew', () => {
	const frame = (flags) => P.readFrame(Uint8Array.from([0, 0, 0, 9, flags, 0, 0]), { width: 100, height: 50 });
	assert.ok(frame(8).isAnew && !frame(8).isQuiet && !frame(7).isAnew);
});

test('long texts travel in whole characters', () => {
	const text = 'añ€😀'.repeat(700);
	const messages = P.writeTexts(text);
	assert.ok(messages.length > 1 && messages.every((m) => m.length <= 1025 && m[0] === 4));
	assert.equal(messages.map((m) => new TextDecoder('utf-8', { fatal: true }).decode(m.subarray(1))).join(''), text);
});

test('a clipboard is cut at a character below its ceiling', () => {
	const messages = P.writeClipboard('€'.repeat(500000));
	const size = messages.reduce((sum, m) => sum + m.length - 1, 0);
	assert.ok(size <= P.CLIPBOARD_MAX && size % 3 === 0 && size > P.CLIPBOARD_MAX - 3);
	assert.deepEqual([messages[0][0], messages.at(-1)[0]], [0x89, 9]);
	assert.deepEqual(P.writeClipboard(''), [Uint8Array.of(9)]);
});

/** A zstd frame of raw and RLE blocks, written by hand. */
const HEADER = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
const raw = (bytes) => [bytes.length << 3 & 255, bytes.length >> 5, 0, ...bytes];

test('zstd gives raw and run blocks back, piece by piece', () => {
	const s = new ZstdStream();
	assert.deepEqual([...s.push(Uint8Array.from([...HEADER, ...raw([1, 2, 3])]), 10)], [1, 2, 3]);
	assert.deepEqual([...s.push(Uint8Array.from([5 << 3 | 2, 0, 0, 9]), 10)], [9, 9, 9, 9, 9]);
});

test('zstd refuses what is cut, foreign, too long or has a window above the limit', () => {
	const bad = [[], [1, 2, 3, 4, 5, 6], [...HEADER, 1], [...HEADER, ...raw([1, 2, 3]).slice(0, -1)], HEADER.with(4, 4), HEADER.with(5, 0xff), [...HEADER, 6, 0, 0]];
	for (const bytes of bad)
		assert.throws(() => new ZstdStream().push(Uint8Array.from(bytes), 100) && assert.equal(bytes.length, HEADER.length), `${bytes}`);
	assert.throws(() => new ZstdStream().push(Uint8Array.from([...HEADER, ...raw([1, 2, 3])]), 2));
});

test('random bytes behind a good header end in an error, never in a hang', () => {
	let seed = 12345;
	const random = () => (seed = seed * 1103515245 + 12345 >>> 0) >>> 16 & 255;
	for (let i = 0; i < 3000; i++) {
		const body = Array.from({ length: 20 + random() }, random);
		const size = body.length;
		const bytes = Uint8Array.from([...HEADER, size << 3 & 255 | 4, size >> 5, 0, ...body]);
		try {
			new FlatDecoder().decode(bytes, 16, 16);
		} catch (reason) {
			assert.ok(reason instanceof Error);
		}
	}
});

test('flat: fresh and growing palettes, rows with every filter', () => {
	const f = new FlatDecoder();
	const rgb = (p) => [...p].filter((_, i) => i % 4 < 3);
	assert.deepEqual(rgb(f.decodePlain(Uint8Array.of(0x21, 1, 10, 20, 30, 40, 50, 60, 0b01000000), 2, 1)), [10, 20, 30, 40, 50, 60]);
	assert.deepEqual(rgb(f.decodePlain(Uint8Array.of(0x11, 1, 7, 8, 9, 0b10010000), 2, 1)), [7, 8, 9, 40, 50, 60]);
	assert.throws(() => f.decodePlain(Uint8Array.of(0x11, 0, 0b11000000), 1, 1), /palette/);
	assert.throws(() => f.decodePlain(Uint8Array.of(0x14, 0, 0), 1, 1), /form/);
	const rows = [1, 0, 100, 1, 2, 5, 0, 255, 1, 1, 1, 1, 1, 0, 0, 2, 1, 0, 0, 0, 0, 0, 3, 1, 1, 1, 1, 1, 1];
	assert.deepEqual(rgb(f.decodePlain(Uint8Array.from([1, 0, 100, 1, 2, 5, 0, 255]), 2, 1)), [101, 100, 102, 5, 5, 4]);
	assert.equal(f.decodePlain(Uint8Array.from(rows), 2, 4).length, 32);
	assert.throws(() => f.decodePlain(Uint8Array.from(rows.with(1, 4)), 2, 4), /filter/);
});

test('flat: columns that are kept, runs, small pictures', () => {
	const f = new FlatDecoder();
	const red = (p) => [...p].filter((_, i) => i % 4 === 0);
	const le32 = (v) => [v & 255, v >> 8, 0, 0];
	const picture = (flags, glyph, runs, bands) => Uint8Array.from([5, flags, 0, ...glyph, ...le32(runs.length), ...le32(bands.length), ...le32(0), ...runs, ...bands]);
	const band = (...columns) => [0, 0, columns.length - 1, 0, 0, 0, 2, 0, 0, 0, 9, ...columns.flat()];
	/* 9 paper; the first column has 7 in its middle row, the second is the same one again, the third moves it up. */
	const first = picture(0, [], [], band([1, 2, 0, 0, 7], [0, 0x80], [0, 0x40, 0]));
	assert.deepEqual(red(f.decodePlain(first, 3, 3)), [9, 9, 7, 7, 7, 9, 9, 9, 9]);
	assert.deepEqual(red(f.decodePlain(picture(0, [], [], band([1, 0x80], [0, 0x80])), 2, 3)), [7, 9, 9, 7, 9, 9]);
	assert.deepEqual(red(f.decodePlain(picture(1, [3, 0], [0, 0, 5, 2], []), 2, 1)), [5, 5]);
	assert.deepEqual(red(f.decodePlain(Uint8Array.of(5, 3, 0, 3, 0), 2, 1)), [5, 5]);
	const bad = [
		[picture(0, [], [], band([9, 0x80])), /not there/], [picture(0, [], [], band([9, 0x40, 0])), /fit/], [picture(0, [], [], band([0, 53])), /height/],
		[picture(0, [], [], band([3, 4, 0, 0, 7])), /fit/], [picture(0, [], [], band([1, 2, 0, 0])), /cut/], [picture(0, [], [], band([0, 0x80], [0, 0x80])), /outside/],
		[picture(0, [], [0, 0, 5, 4], []), /beyond/], [picture(0, [], [0, 0, 5, 2], []), /early/], [picture(0, [], [0, 0, 5, 255, 255, 255, 0, 0, 0, 255], []), /beyond/],
		[Uint8Array.of(5, 3, 0, 4, 0), /not there/], [Uint8Array.of(5, 2, 0, 3, 0), /glyph/], [picture(1, [160, 15], [], []), /glyph/],
		[picture(0, [], [], band()), /outside/],
	];
	for (const [plain, why] of bad)
		assert.throws(() => f.decodePlain(plain, 1, 3), why, String(plain));
});

test('flat: marks that are new, known, tinted and far away', () => {
	const f = new FlatDecoder();
	const rgb = (p) => [...p].filter((_, i) => i % 4 < 3);
	const paper = [9, 9, 9];
	/* Paper 9 9 9; at 0, 0 a new mark of 2 x 1 by table 3: green 5 is 1 5 2. */
	const first = Uint8Array.of(4, 9, 9, 9, 8, 255, 2, 1, 3, 2, 5, 1, 2, 7, 0, 0, 5, 7);
	assert.deepEqual(rgb(f.decodePlain(first, 3, 1)), [1, 5, 2, 0, 7, 0, ...paper]);
	assert.deepEqual(rgb(f.decodePlain(Uint8Array.of(2, 0x18, 0), 3, 1)), [...paper, 1, 5, 2, 0, 7, 0]);
	/* Far: 1 to the right and 1 down; then one of many hues. */
	const planes = Uint8Array.of(3, 0, 0, 0, 255, 1, 0, 1, 0, 255, 1, 1, 255, 100, 10, 200);
	assert.deepEqual(rgb(f.decodePlain(planes, 2, 2)).slice(9), [110, 100, 44]);
	assert.throws(() => f.decodePlain(Uint8Array.of(2, 0x28, 0), 3, 1), /outside/);
	assert.throws(() => f.decodePlain(Uint8Array.of(2, 8, 2), 3, 1), /unknown mark/);
	assert.throws(() => f.decodePlain(Uint8Array.of(2, 8, 255, 65, 1, 0, 0), 99, 1), /size/);
	assert.throws(() => f.decodePlain(Uint8Array.of(2, 8, 255, 2, 1, 0, 0, 5), 3, 1), /early/);
	assert.throws(() => f.decodePlain(Uint8Array.of(2, 8, 255, 1, 1, 8, 0, 5), 3, 1), /tint/);
	assert.throws(() => f.decodePlain(Uint8Array.of(4, 9, 9, 9, 8, 0), 3, 1), /unknown mark/);
});

test('keys have their evdev codes and keysyms', () => {
	const cases = [['KeyA', 'a', 0, 30, 0x61], ['Semicolon', 'ñ', 0, 39, 0xf1], ['KeyE', '€', 0, 18, 0x20ac], ['Digit2', '@', 0, 3, 0x40],
		['Quote', '{', 0, 40, 0x7b], ['Enter', 'Enter', 0, 28, 0xff0d], ['NumpadEnter', 'Enter', 3, 96, 0xff8d], ['Numpad7', '7', 3, 71, 0xffb7],
		['Numpad7', 'Home', 3, 71, 0xff95], ['NumpadDecimal', ',', 3, 83, 0xffac], ['ShiftRight', 'Shift', 2, 54, 0xffe2], ['AltRight', 'AltGraph', 2, 100, 0xfe03],
		['F1', 'F1', 0, 59, 0xffbe], ['F12', 'F12', 0, 88, 0xffc9], ['F24', 'F24', 0, 194, 0xffd5], ['KeyM', 'м', 0, 50, 0x100043c], ['IntlBackslash', '<', 0, 86, 0x3c],
		['MetaLeft', 'Meta', 1, 125, 0xffeb], ['KeyZ', 'z', 0, 44, 0x7a], ['ArrowUp', 'ArrowUp', 0, 103, 0xff52], ['BracketLeft', 'Dead', 0, 26, 0]];
	for (const [code, key, location, keycode, keysym] of cases)
		assert.deepEqual([keycodeOf(code), keysymOf(key, location)], [keycode, keysym], `${code} ${key}`);
});

test('buttons and wheels in our units', () => {
	assert.deepEqual([1, 2, 4, 8, 16, 7].map(buttonsOf), [1, 4, 2, 8, 16, 7]);
	assert.deepEqual(wheelOf({ deltaX: 0, deltaY: 100, deltaMode: 0 }), [0, 120]);
	assert.deepEqual(wheelOf({ deltaX: 0, deltaY: 53, deltaMode: 0, wheelDeltaX: 0, wheelDeltaY: -120 }), [0, 120]);
	assert.deepEqual(wheelOf({ deltaX: 0, deltaY: 10, deltaMode: 0, wheelDeltaX: 0, wheelDeltaY: -30 }), [0, 12]);
	assert.deepEqual(wheelOf({ deltaX: -3, deltaY: 3, deltaMode: 1 }), [-120, 120]);
});

test('the picture has whole pixels wherever it stands', () => {
	assert.deepEqual(wishOf({ width: 1439, height: 901 }, 100, 1.25), { width: 1438, height: 900, scale: 125 });
	assert.deepEqual(wishOf({ width: 1170, height: 2532 }, 200, 3), { width: 584, height: 1266, scale: 150 });
	for (const [surface, box, zoom, place] of [
		[{ width: 1438, height: 900 }, { width: 1439, height: 901 }, 100, { left: 0, top: 0, width: 1438, height: 900, isExact: true }],
		[{ width: 800, height: 600 }, { width: 1001, height: 701 }, 100, { left: 100, top: 50, width: 800, height: 600, isExact: true }],
		[{ width: 1600, height: 1200 }, { width: 800, height: 700 }, 100, { left: 0, top: 50, width: 800, height: 600, isExact: false }],
		[{ width: 400, height: 300 }, { width: 800, height: 601 }, 200, { left: 0, top: 0, width: 800, height: 600, isExact: true }],
	])
		assert.deepEqual(placeOf(surface, box, zoom), place);
});

test('the keys of the menu are named in the user\'s language, and each is a keysym with its code', () => {
	assert.equal(specialKeys('es')[0].label, 'Ctrl+Alt+Supr');
	for (const { label, chord } of specialKeys('en'))
		assert.ok(chord.length === label.split('+').length && chord.every(([keysym, code]) => keysym > 0 && code > 0), label);
});

const WEB = new URL('../../web/', import.meta.url);

/** All modules that a module needs before it runs. @param {string} path below web/ */
function modulesOf(path, found = new Set()) {
	if (found.has(path))
		return found;
	found.add(path);
	for (const [, from, alone] of readFileSync(new URL(path, WEB), 'utf8').matchAll(/^import\s[^;]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm))
		modulesOf(new URL(from ?? alone, `file:///${path}`).pathname.slice(1), found);
	return found;
}

for (const page of ['client', 'console', 'novnc', 'portal']) {
	test(`the page of ${page} fetches all its modules at once`, () => {
		const html = readFileSync(new URL(`${page}/index.html`, WEB), 'utf8');
		const named = [...html.matchAll(/rel="modulepreload" href="([^"]+)"/g)].map(([, href]) => new URL(href, `file:///${page}/`).pathname.slice(1));
		assert.deepEqual([`${page}/main.js`, ...named].sort(), [...modulesOf(`${page}/main.js`)].sort());
	});
}

test('the worker names all its modules', () => {
	const named = [...readFileSync(new URL('client/worker.js', WEB), 'utf8').matchAll(/'\.\/([^']+)'/g)].map(([, name]) => `client/${name}`);
	assert.deepEqual(['client/worker.js', ...named].sort(), [...modulesOf('client/worker.js')].sort());
});

test('every file of the pages is installed', () => {
	const listed = new Set([...readFileSync(new URL('local.mk', WEB), 'utf8').matchAll(/^\tweb\/(\S+)/gm)].map(([, path]) => path));
	for (const folder of ['client', 'console', 'novnc', 'portal', 'shared'])
		for (const name of readdirSync(new URL(folder, WEB)))
			assert.ok(listed.has(`${folder}/${name}`), `web/local.mk lacks ${folder}/${name}`);
});

test('operations are apart when neither paints where the other paints or reads', () => {
	const box = (x, y, w, h, more = {}) => ({ kind: P.OP.FILL, x, y, w, h, ...more });
	const video = box(0, 0, 100, 100);
	assert.ok(areApart([box(100, 0, 10, 10), box(0, 100, 10, 10)], [video]));
	assert.ok(!areApart([box(100, 0, 10, 10), box(99, 99, 10, 10)], [video]));
	assert.ok(!areApart([box(200, 0, 10, 10, { sx: 95, sy: 0 })], [video]), 'it reads what the other paints');
	assert.ok(!areApart([box(200, 0, 10, 10)], [box(0, 0, 50, 50, { sx: 170, sy: 0 })]), 'it paints what the other reads');
	assert.ok(areApart([box(200, 0, 10, 10, { sx: 300, sy: 0 })], [box(0, 0, 50, 50, { sx: 400, sy: 0 })]));
	assert.ok(areApart([], [video]) && areApart([video], []));
});

test('a letter is painted before a picture beside it is decoded, and acknowledged after it', async () => {
	const painted = [], sent = [], decoded = [];
	const context = { fillRect: (x) => painted.push(`fill ${x}`), drawImage: (image) => painted.push(image.name) };
	const kept = { WebSocket: globalThis.WebSocket, createImageBitmap: globalThis.createImageBitmap };
	let socket;
	globalThis.WebSocket = class {
		readyState = 1;
		constructor() {
			socket = this;
		}
		send = (bytes) => sent.push([...bytes]);
		close() {}
	};
	globalThis.createImageBitmap = () => new Promise((resolve) => decoded.push(() => resolve({ name: `picture ${decoded.length}`, close() {} })));
	const display = new Display(/** @type {any} */ ({ width: 0, height: 0, getContext: () => context }), () => {});
	const turn = () => new Promise((resolve) => setImmediate(resolve));
	const receive = (...bytes) => socket.onmessage({ data: Uint8Array.from(bytes).buffer });
	const jpeg = (sequence, x) => receive(3, 0, 0, 0, sequence, 0, 0, 1, 4, 0, x, 0, 0, 0, 64, 0, 64, 0, 0, 0, 1, 0);
	const fill = (sequence, x) => receive(3, 0, 0, 0, sequence, 0, 0, 1, 2, 0, x, 0, 0, 0, 8, 0, 8, 1, 2, 3);
	const acks = () => sent.filter(([type]) => type === 2).map((bytes) => bytes[4]);
	try {
		display.handle({ type: 'connect', url: 'ws://x', ticket: 't', width: 2, height: 2, scale: 100, isSpanish: false });
		await socket.onopen();
		receive(2, 1, 0, 1, 0, 0, 100);
		await turn();
		jpeg(1, 0);
		fill(2, 100);
		fill(3, 32);
		fill(4, 100);
		fill(5, 36);
		assert.deepEqual(painted, ['fill 100', 'fill 100'], 'what lies in the picture, or in what waits for it, waits');
		assert.deepEqual(acks(), []);
		decoded[0]();
		await turn();
		assert.deepEqual(painted, ['fill 100', 'fill 100', 'picture 1', 'fill 32', 'fill 36']);
		assert.deepEqual(acks(), [1, 2, 3, 4, 5]);
		receive(2, 1, 0, 1, 0, 0, 100);
		fill(6, 200);
		assert.equal(painted.length, 5, 'a new size comes first');
		await turn();
		assert.equal(painted.length, 6);
	} finally {
		display.handle({ type: 'close' });
		Object.assign(globalThis, kept);
	}
});
