// SPDX-License-Identifier: GPL-3.0-or-later
/** The bytes of puesto.v1 (docs/web-protocol.md): readers of the server's messages, writers of the client's. Pure. */

export const VERSION = 1;
export const MESSAGE_MAX = 65536;
export const CLIPBOARD_MAX = 1024 * 1024;
export const TEXT_MAX = 1024;
export const SIDE_MAX = 8192;
const FRAME_MAX = 320 * 1024 * 1024;
const CURSOR_SIDE_MAX = 256;
const PART = 0x80;

export const S = Object.freeze({ HELLO: 1, SURFACE: 2, FRAME: 3, CURSOR: 4, POINTER: 5, CLIPBOARD: 6, STATUS: 7, BELL: 8, PONG: 9, STATS: 10, END: 11, WATCHED: 12 });
export const C = Object.freeze({ HELLO: 1, ACK: 2, KEY: 3, TEXT: 4, POINTER: 5, WHEEL: 6, TOUCH: 7, RESIZE: 8, CLIPBOARD: 9, REFRESH: 10,
	RELEASE_ALL: 11, PING: 12 });
export const OP = Object.freeze({ COPY: 1, FILL: 2, FLAT: 3, JPEG: 4, WEBP: 5, VIDEO: 6 });
export const CAN = Object.freeze({ H264: 1, JPEG: 2, WEBP: 4, TOUCH: 8, WATCHED: 16, FULL_COLOUR: 32 });

/** END's code of a desktop that goes down and comes up again. */
export const END_RESTART = 256;

/** Names of the kinds of operations, as in STATS. */
export const OP_NAMES = ['copy', 'fill', 'flat', 'jpeg', 'webp', 'video'];

/** @type {Map<number, number>} */
const PARTS_MAX = new Map([[S.FRAME, FRAME_MAX], [S.CURSOR, 8 + CURSOR_SIDE_MAX * CURSOR_SIDE_MAX * 4], [S.CLIPBOARD, CLIPBOARD_MAX]]);

const decoder = new TextDecoder('utf-8', { fatal: false });
const encoder = new TextEncoder();

/** The server broke the protocol. */
export class ProtocolError extends Error {}

/** Reads big-endian fields; a short read throws. */
export class Reader {
	/** @param {Uint8Array} bytes */
	constructor(bytes) {
		this.bytes = bytes;
		this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		this.at = 0;
	}

	get left() {
		return this.bytes.length - this.at;
	}

	/** @param {number} n @returns {number} where the n bytes stood */
	take(n) {
		if (n > this.left)
			throw new ProtocolError('a message of the server is cut');
		const at = this.at;
		this.at += n;
		return at;
	}

	u8() {
		return this.view.getUint8(this.take(1));
	}

	u16() {
		return this.view.getUint16(this.take(2));
	}

	u32() {
		return this.view.getUint32(this.take(4));
	}

	/** As a number: exact to 2^53. */
	u64() {
		return Number(this.view.getBigUint64(this.take(8)));
	}

	/** Borrowed. @param {number} n */
	raw(n) {
		const at = this.take(n);
		return this.bytes.subarray(at, at + n);
	}

	text16() {
		return decoder.decode(this.raw(this.u16()));
	}
}

/** Puts the parts of long messages together. */
export class Assembler {
	constructor() {
		/** @type {Map<number, {parts: Uint8Array[], size: number}>} */
		this.open = new Map();
	}

	/**
	 * @param {Uint8Array} data one WebSocket message
	 * @returns {{type: number, body: Uint8Array} | null} null while parts are missing
	 */
	push(data) {
		if (data.length === 0 || data.length > MESSAGE_MAX)
			throw new ProtocolError('a message of the server has a wrong length');
		const type = data[0] & ~PART;
		const body = data.subarray(1);
		const begun = this.open.get(type);
		if (!(data[0] & PART) && !begun)
			return { type, body };
		const max = PARTS_MAX.get(type);
		const message = begun ?? { parts: [], size: 0 };
		message.parts.push(body);
		message.size += body.length;
		if (max === undefined || message.size > max)
			throw new ProtocolError('a message of the server is too long');
		if (data[0] & PART) {
			this.open.set(type, message);
			return null;
		}
		this.open.delete(type);
		const whole = new Uint8Array(message.size);
		let at = 0;
		for (const part of message.parts) {
			whole.set(part, at);
			at += part.length;
		}
		return { type, body: whole };
	}
}

/** @param {Uint8Array} body */
export function readHello(body) {
	const r = new Reader(body);
	const version = r.u16();
	if (version !== VERSION)
		throw new ProtocolError('the server speaks another version');
	const limits = { message: r.u32(), clipboard: r.u32(), text: r.u16(), side: r.u16() };
	const flags = r.u8();
	return { version, limits, clipboardIn: (flags & 1) !== 0, clipboardOut: (flags & 2) !== 0, isViewOnly: (flags & 4) !== 0, desktop: r.text16(), user: r.text16() };
}

/** @param {Uint8Array} body */
export function readSurface(body) {
	const r = new Reader(body);
	const surface = { width: r.u16(), height: r.u16(), scale: r.u16() };
	if (!surface.width || !surface.height || surface.width > SIDE_MAX || surface.height > SIDE_MAX)
		throw new ProtocolError('the server names an impossible screen size');
	return surface;
}

/**
 * @typedef {object} Operation
 * @property {number} kind
 * @property {number} x @property {number} y @property {number} w @property {number} h
 * @property {number} [sx] @property {number} [sy]
 * @property {number[]} [colour]
 * @property {Uint8Array} [data]
 * @property {number} [region] @property {boolean} [isKey] @property {boolean} [isFullColour] @property {number} [codedWidth] @property {number} [codedHeight]
 */

/** @param {Reader} r @param {{width: number, height: number}} surface @returns {Operation} */
function readOperation(r, surface) {
	const kind = r.u8();
	const op = /** @type {Operation} */ ({ kind, x: r.u16(), y: r.u16(), w: r.u16(), h: r.u16() });
	if (!op.w || !op.h || op.x + op.w > surface.width || op.y + op.h > surface.height)
		throw new ProtocolError('the server paints outside of the screen');
	switch (kind) {
	case OP.COPY:
		op.sx = r.u16();
		op.sy = r.u16();
		if (op.sx + op.w > surface.width || op.sy + op.h > surface.height)
			throw new ProtocolError('the server copies from outside of the screen');
		break;
	case OP.FILL:
		op.colour = [r.u8(), r.u8(), r.u8()];
		break;
	case OP.FLAT:
	case OP.JPEG:
	case OP.WEBP:
		op.data = r.raw(r.u32());
		break;
	case OP.VIDEO: {
		op.region = r.u8();
		const flags = r.u8();
		op.isKey = (flags & 1) !== 0;
		op.isFullColour = (flags & 2) !== 0;
		op.codedWidth = r.u16();
		op.codedHeight = r.u16();
		op.data = r.raw(r.u32());
		break;
	}
	default:
		throw new ProtocolError(`the server sent an operation of unknown kind ${kind}`);
	}
	return op;
}

/** @param {Uint8Array} body @param {{width: number, height: number}} surface */
export function readFrame(body, surface) {
	const r = new Reader(body);
	const sequence = r.u32();
	const flags = r.u8();
	const count = r.u16();
	const ops = [];
	for (let i = 0; i < count; i++)
		ops.push(readOperation(r, surface));
	if (r.left)
		throw new ProtocolError('a frame of the server is too long');
	return { sequence, isExact: (flags & 1) !== 0, more: (flags & 2) !== 0, isQuiet: (flags & 4) !== 0, isAnew: (flags & 8) !== 0, ops };
}

/** @param {Uint8Array} body */
export function readCursor(body) {
	const r = new Reader(body);
	const cursor = { width: r.u16(), height: r.u16(), hotX: r.u16(), hotY: r.u16() };
	if (cursor.width > CURSOR_SIDE_MAX || cursor.height > CURSOR_SIDE_MAX)
		throw new ProtocolError('the pointer is too large');
	return { ...cursor, pixels: new Uint8ClampedArray(r.raw(cursor.width * cursor.height * 4)) };
}

/** @param {Uint8Array} body */
export function readPoint(body) {
	const r = new Reader(body);
	return { x: r.u16(), y: r.u16() };
}

/** @param {Uint8Array} body */
export function readText(body) {
	return decoder.decode(body);
}

/** @param {Uint8Array} body */
export function readStatus(body) {
	const r = new Reader(body);
	return { en: r.text16(), es: r.text16() };
}

/** Who watches; empty for nobody. @param {Uint8Array} body */
export function readWatched(body) {
	return new Reader(body).text16();
}

/** @param {Uint8Array} body */
export function readPong(body) {
	return new Reader(body).u64();
}

/** @param {Uint8Array} body */
export function readStats(body) {
	const r = new Reader(body);
	const stats = { rttUs: r.u32(), rateKbps: r.u32(), inFlight: r.u32(), encodeUs: r.u32(), frames: r.u64(), bytes: r.u64() };
	/** @type {Record<string, {ops: number, bytes: number, pixels: number}>} */
	const mix = {};
	for (const name of OP_NAMES)
		mix[name] = { ops: r.u32(), bytes: r.u64(), pixels: r.u64() };
	return { ...stats, mix };
}

/** @param {Uint8Array} body */
export function readEnd(body) {
	const r = new Reader(body);
	return { code: r.u16(), en: r.text16(), es: r.text16() };
}

/** @param {number} type @param {number} size of the body @returns {[Uint8Array<ArrayBuffer>, DataView]} */
function message(type, size) {
	const bytes = new Uint8Array(1 + size);
	bytes[0] = type;
	return [bytes, new DataView(bytes.buffer)];
}

/** @param {number} value @param {number} low @param {number} high */
function clamp(value, low, high) {
	return Math.min(Math.max(Math.round(value), low), high);
}

/** @param {{width: number, height: number, scale: number, can: number, isSpanish: boolean, client: string}} h */
export function writeHello(h) {
	const name = encoder.encode(h.client).subarray(0, 63);
	const [bytes, v] = message(C.HELLO, 15 + name.length);
	v.setUint16(1, VERSION);
	v.setUint16(3, clamp(h.width, 1, SIDE_MAX));
	v.setUint16(5, clamp(h.height, 1, SIDE_MAX));
	v.setUint16(7, clamp(h.scale, 100, 500));
	v.setUint32(9, h.can);
	v.setUint8(13, h.isSpanish ? 1 : 0);
	v.setUint16(14, name.length);
	bytes.set(name, 16);
	return bytes;
}

/** @param {number} sequence @param {number} decodeUs */
export function writeAck(sequence, decodeUs) {
	const [bytes, v] = message(C.ACK, 8);
	v.setUint32(1, sequence);
	v.setUint32(5, clamp(decodeUs, 0, 0xffffffff));
	return bytes;
}

/** @param {boolean} isDown @param {number} keysym @param {number} keycode */
export function writeKey(isDown, keysym, keycode) {
	const [bytes, v] = message(C.KEY, 7);
	v.setUint8(1, isDown ? 1 : 0);
	v.setUint32(2, keysym);
	v.setUint16(6, keycode);
	return bytes;
}

/** Text of any length, in messages of whole characters. @param {string} text */
export function writeTexts(text) {
	/** @type {Uint8Array<ArrayBuffer>[]} */
	const messages = [];
	let piece = '';
	let size = 0;
	const flush = () => {
		if (!piece)
			return;
		const body = encoder.encode(piece);
		const [bytes] = message(C.TEXT, body.length);
		bytes.set(body, 1);
		messages.push(bytes);
		piece = '', size = 0;
	};
	for (const character of text.replaceAll('\0', '')) {
		const n = encoder.encode(character).length;
		if (size + n > TEXT_MAX)
			flush();
		piece += character, size += n;
	}
	flush();
	return messages;
}

/** @param {number} x @param {number} y @param {number} buttons */
export function writePointer(x, y, buttons) {
	const [bytes, v] = message(C.POINTER, 5);
	v.setUint16(1, clamp(x, 0, SIDE_MAX - 1));
	v.setUint16(3, clamp(y, 0, SIDE_MAX - 1));
	v.setUint8(5, buttons & 31);
	return bytes;
}

/** @param {number} dx @param {number} dy in 1/120 notch */
export function writeWheel(dx, dy) {
	const [bytes, v] = message(C.WHEEL, 4);
	v.setInt16(1, clamp(dx, -32768, 32767));
	v.setInt16(3, clamp(dy, -32768, 32767));
	return bytes;
}

/** @param {number} phase @param {number} finger @param {number} x @param {number} y */
export function writeTouch(phase, finger, x, y) {
	const [bytes, v] = message(C.TOUCH, 6);
	v.setUint8(1, phase);
	v.setUint8(2, finger);
	v.setUint16(3, clamp(x, 0, SIDE_MAX - 1));
	v.setUint16(5, clamp(y, 0, SIDE_MAX - 1));
	return bytes;
}

/** @param {number} width @param {number} height @param {number} scale */
export function writeResize(width, height, scale) {
	const [bytes, v] = message(C.RESIZE, 6);
	v.setUint16(1, clamp(width, 1, SIDE_MAX));
	v.setUint16(3, clamp(height, 1, SIDE_MAX));
	v.setUint16(5, clamp(scale, 100, 500));
	return bytes;
}

/** The longest start of the text that the protocol takes, in parts. @param {string} text */
export function writeClipboard(text) {
	const body = new Uint8Array(CLIPBOARD_MAX);
	const size = encoder.encodeInto(text, body).written;
	const room = MESSAGE_MAX - 1;
	const messages = [];
	let at = 0;
	do {
		const n = Math.min(room, size - at);
		const [bytes] = message(at + n < size ? C.CLIPBOARD | PART : C.CLIPBOARD, n);
		bytes.set(body.subarray(at, at + n), 1);
		messages.push(bytes);
		at += n;
	} while (at < size);
	return messages;
}

/** @param {number} x @param {number} y @param {number} w @param {number} h */
export function writeRefresh(x, y, w, h) {
	const [bytes, v] = message(C.REFRESH, 8);
	[x, y, w, h].forEach((value, i) => v.setUint16(1 + 2 * i, clamp(value, 0, SIDE_MAX)));
	return bytes;
}

export function writeReleaseAll() {
	return message(C.RELEASE_ALL, 0)[0];
}

/** @param {number} value */
export function writePing(value) {
	const [bytes, v] = message(C.PING, 8);
	v.setBigUint64(1, BigInt(Math.round(value)));
	return bytes;
}
