// SPDX-License-Identifier: GPL-3.0-or-later
/** The real ws front and encoder (C) against the client's decoders, without a browser: every lossless picture is exact. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FlatDecoder } from '../../web/client/flat.js';
import * as P from '../../web/client/protocol.js';
import { Harness } from './server.mjs';

const harness = new Harness();
await harness.event((e) => e.listening);
after(() => harness.close());

/** A client with a picture in memory. */
class Client {
	constructor() {
		this.stream = connect(harness.socket);
		this.assembler = new P.Assembler();
		this.flat = new FlatDecoder();
		this.messages = [];
		this.waiting = [];
		this.acks = true;
		this.size = { width: 0, height: 0 };
		this.kinds = new Set();
		this.largest = 0;
		let bytes = Buffer.alloc(0);
		this.closed = new Promise((resolve) => this.stream.on('close', resolve));
		this.stream.on('error', () => {});
		this.stream.on('data', (chunk) => {
			bytes = Buffer.concat([bytes, chunk]);
			while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE(0)) {
				const n = bytes.readUInt32BE(0);
				this.largest = Math.max(this.largest, n);
				this.#take(new Uint8Array(bytes.subarray(4, 4 + n)));
				bytes = bytes.subarray(4 + n);
			}
		});
	}

	#take(data) {
		const message = this.assembler.push(data);
		if (!message)
			return;
		if (message.type === P.S.SURFACE) {
			this.size = P.readSurface(message.body);
			this.pixels = new Uint32Array(this.size.width * this.size.height);
		}
		if (message.type === P.S.FRAME)
			message.frame = this.#paint(P.readFrame(message.body, this.size));
		this.messages.push(message);
		this.waiting = this.waiting.filter((wait) => !wait(message));
	}

	#paint(frame) {
		for (const op of frame.ops) {
			this.kinds.add(op.kind);
			const rows = new Uint32Array(op.w * op.h);
			if (op.kind === P.OP.FILL) {
				rows.fill((0xff000000 | op.colour[2] << 16 | op.colour[1] << 8 | op.colour[0]) >>> 0);
			} else if (op.kind === P.OP.FLAT) {
				rows.set(new Uint32Array(this.flat.decode(op.data, op.w, op.h).buffer));
			} else {
				assert.equal(op.kind, P.OP.COPY);
				for (let y = 0; y < op.h; y++)
					rows.set(this.pixels.subarray((op.sy + y) * this.size.width + op.sx, (op.sy + y) * this.size.width + op.sx + op.w), y * op.w);
			}
			for (let y = 0; y < op.h; y++)
				this.pixels.set(rows.subarray(y * op.w, (y + 1) * op.w), (op.y + y) * this.size.width + op.x);
		}
		if (this.acks)
			this.send(P.writeAck(frame.sequence, 100));
		return frame;
	}

	/** @param {Uint8Array} bytes */
	send(bytes) {
		const head = Buffer.alloc(4);
		head.writeUInt32BE(bytes.length);
		this.stream.write(Buffer.concat([head, bytes]));
	}

	hello(width = 640, height = 480, can = 0) {
		this.send(P.writeHello({ width, height, scale: 100, can, isSpanish: false, client: 'test' }));
		return this;
	}

	until(check) {
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(`nothing came for ${check}`)), 8000);
			this.waiting.push((message) => {
				if (!check(message))
					return false;
				clearTimeout(timer);
				resolve(message);
				return true;
			});
		});
	}

	type(type) {
		const past = this.messages.find((m) => m.type === type);
		return past ? Promise.resolve(past) : this.until((m) => m.type === type);
	}

	/** Sends a command and waits until the picture is exact again. */
	async draw(command) {
		const exact = this.until((m) => m.frame?.isExact && !m.frame.more);
		harness.command(command);
		await exact;
	}

	async assertEqualsScreen() {
		const path = join(harness.dir, 'screen');
		const dumped = harness.event((e) => e.dumped, { fresh: true });
		harness.command(`dump ${path}`);
		await dumped;
		const raw = readFileSync(path);
		assert.equal(raw.length, this.pixels.length * 4);
		for (let i = 0; i < this.pixels.length; i++) {
			const want = (raw[i * 4 + 2] | raw[i * 4 + 1] << 8 | raw[i * 4] << 16 | 0xff000000) >>> 0;
			if (this.pixels[i] !== want)
				assert.fail(`pixel ${i % this.size.width},${Math.floor(i / this.size.width)} is ${this.pixels[i].toString(16)}, not ${want.toString(16)}`);
		}
	}

	close() {
		this.stream.destroy();
	}
}

async function opened(width, height) {
	const client = new Client().hello(width, height);
	await client.until((m) => m.frame?.isExact && !m.frame.more);
	return client;
}

test('HELLO names the desktop, the user and the limits', async () => {
	const client = new Client();
	const hello = P.readHello((await client.type(P.S.HELLO)).body);
	assert.deepEqual(hello, { version: 1, limits: { message: 65536, clipboard: 1048576, text: 1024, side: 8192 }, clipboardIn: true, clipboardOut: true, isViewOnly: false,
		desktop: 'Prueba', user: 'ana' });
	client.close();
});

test('every lossless picture is exact: text, palettes, fills, scrolls and photos', async () => {
	const client = await opened(640, 480);
	await client.assertEqualsScreen();
	for (const command of ['text 7', 'fill ff8800', 'scroll 48', 'scroll 3', 'text 1', 'photo', 'fill 0000ff', 'text 7']) {
		await client.draw(command);
		await client.assertEqualsScreen();
	}
	assert.deepEqual([...client.kinds].sort(), [P.OP.COPY, P.OP.FILL, P.OP.FLAT].filter((k) => client.kinds.has(k)));
	assert.ok(client.kinds.has(P.OP.FLAT));
	assert.ok(client.largest <= 65536);
	client.close();
});

test('odd sizes are exact too', async () => {
	for (const [width, height] of [[1, 1], [3, 7], [129, 65], [641, 1]]) {
		const client = await opened(width, height);
		await client.assertEqualsScreen();
		await client.draw('photo');
		await client.assertEqualsScreen();
		client.close();
	}
});

test('a page that was seen before costs a fraction', async () => {
	const client = await opened(1280, 800);
	const bytes = () => client.messages.filter((m) => m.frame).reduce((sum, m) => sum + m.body.length, 0);
	const cost = async (command) => {
		const before = bytes();
		await client.draw(command);
		return bytes() - before;
	};
	await cost('text 5');
	const fresh = await cost('text 6');
	// Letters are known by then: of the first page only where they stand is new. A path that looks narrow for a moment has a page sent in
	// strips, which are like no whole page: so each is drawn thrice more, and one of these must have been like itself.
	const again = [];
	for (const command of ['text 5', 'text 6', 'text 5', 'text 6', 'text 5', 'text 6'])
		again.push(await cost(command));
	assert.ok(Math.min(...again) < fresh * 2 / 3, `${again} bytes after ${fresh}`);
	client.close();
});

test('no more than the window is sent to a client that does not acknowledge', async () => {
	const client = await opened(640, 480);
	client.acks = false;
	const count = () => client.messages.filter((m) => m.frame).length;
	const before = count();
	for (let i = 0; i < 41; i++)
		harness.command(i % 2 ? 'photo' : `text ${i}`);
	const taken = harness.event((e) => e.ops && 'has_work' in e, { fresh: true });
	harness.command('encoder');
	await taken;
	await new Promise((resolve) => setTimeout(resolve, 200));
	assert.ok(count() - before <= 4, `${count() - before} frames are in flight`);
	client.acks = true;
	const exact = client.until((m) => m.frame?.isExact && !m.frame.more);
	client.send(P.writeAck(client.messages.findLast((m) => m.frame).frame.sequence, 0));
	await exact;
	await client.assertEqualsScreen();
	client.close();
});

test('clipboards above one message arrive whole, both ways', async () => {
	const client = await opened(320, 200);
	const text = 'ñandú €'.repeat(30000);
	const there = harness.event((e) => e.clipboard !== undefined, { fresh: true });
	P.writeClipboard(text).forEach((m) => client.send(m));
	assert.equal((await there).clipboard, Buffer.byteLength(text));
	harness.command('clip adiós, señor');
	assert.equal(P.readText((await client.type(P.S.CLIPBOARD)).body), 'adiós, señor');
	client.close();
});

test('cursor, status, pong and end', async () => {
	const client = await opened(320, 200);
	harness.command('cursor');
	const cursor = P.readCursor((await client.type(P.S.CURSOR)).body);
	assert.deepEqual([cursor.width, cursor.height, cursor.hotX, cursor.hotY], [24, 24, 3, 5]);
	assert.deepEqual([...cursor.pixels.subarray(0, 4)], [0x24, 0x57, 0xd6, 0xff]);
	assert.deepEqual([...cursor.pixels.subarray(12, 16)], [0x80, 0x80, 0x80, 0x80]);
	harness.command('status');
	assert.match(P.readStatus((await client.type(P.S.STATUS)).body).es, /arrancando/);
	client.send(P.writePing(123456789));
	assert.equal(P.readPong((await client.type(P.S.PONG)).body), 123456789);
	const closed = harness.event((e) => e.closed !== undefined, { fresh: true });
	harness.command('end 0');
	assert.deepEqual(P.readEnd((await client.type(P.S.END)).body), { code: 0, en: 'The session was ended by the test.', es: 'La prueba ha terminado la sesión.' });
	client.stream.end();
	assert.equal((await closed).closed, 0);
});

const HELLO = P.writeHello({ width: 320, height: 200, scale: 100, can: 0, isSpanish: true, client: 'x' });
const BAD = [
	['an unknown type', [HELLO, Uint8Array.of(13)], /unknown type 13/],
	['type zero', [Uint8Array.of(0)], /unknown type 0/],
	['no HELLO first', [P.writePing(1)], /HELLO/],
	['HELLO twice', [HELLO, HELLO], /HELLO/],
	['a version of tomorrow', [Uint8Array.from(HELLO, (b, i) => (i === 2 ? 9 : b))], /version/],
	['a cut HELLO', [HELLO.subarray(0, 9)], /wrong length/],
	['a long HELLO', [Uint8Array.from([...HELLO, 0])], /wrong length/],
	['an ACK out of nothing', [HELLO, P.writeAck(4000000, 1)], /acknowledged/],
	['a key that is none', [HELLO, P.writeKey(true, 0, 0)], /names no key/],
	['a finger too many', [HELLO, P.writeTouch(0, 10, 1, 1)], /finger/],
	['a screen of 65535', [HELLO, Uint8Array.of(8, 255, 255, 255, 255, 0, 100)], /8192/],
	['text that is no UTF-8', [HELLO, Uint8Array.of(4, 0xff, 0xfe)], /UTF-8/],
	['KEY in parts', [HELLO, Uint8Array.of(0x83, 0)], /parts/],
	['a clipboard without end', [HELLO, ...Array.from({ length: 17 }, () => Uint8Array.from({ length: 65536 }, (_, i) => (i ? 65 : 0x89)))], /1 MiB/],
];
for (const [name, messages, reason] of BAD) {
	test(`${name} ends with a clear reason`, async () => {
		const client = new Client();
		messages.forEach((m) => client.send(m));
		const end = P.readEnd((await client.type(P.S.END)).body);
		assert.equal(end.code, 5);
		assert.match(end.en, reason);
		assert.ok(end.es.length > 10);
		await client.closed;
	});
}

test('lengths of zero and of 2 GiB end the connection', async () => {
	for (const length of [0, 65537, 0x7fffffff, 0xffffffff]) {
		const client = new Client();
		const head = Buffer.alloc(4);
		head.writeUInt32BE(length >>> 0);
		const closed = harness.event((e) => e.closed === -5 && /65,536/.test(e.reason), { fresh: true });
		client.stream.write(head);
		await closed;
		client.close();
	}
});
