// SPDX-License-Identifier: GPL-3.0-or-later
/** The flat codec: from the stream's plain bytes to RGBA pixels. See docs/flat-codec.md. */

import { BarsDecoder } from './bars.js';
import { Marks } from './marks.js';
import { ZstdStream } from './zstd.js';

/** @param {string} what @returns {never} */
function fail(what) {
	throw new Error(`flat: ${what}`);
}

const ROWS = 0x01;
const MARKS = 0x02;
const MARKS_FRESH = 0x04;
const BARS = 0x05;
const EXTEND = 0x10;
const FRESH = 0x20;
const SLOTS = 4;

/** Most plain bytes that an operation of this size can have. @param {number} w @param {number} h */
export function plainMax(w, h) {
	return Math.max(1 + h * (1 + w * 3), 2 + 256 * 3 + h * w, 64 + h * w * 8);
}

/** A palette that lives on: later rectangles may use it and add to it. */
class Palette {
	constructor() {
		this.colours = new Uint32Array(256);
		this.length = 0;
	}

	/** Takes the new colours that stand in d. @param {Uint8Array} d @param {boolean} isFresh @returns {number} where the indices start */
	read(d, isFresh) {
		const count = d[1] + (isFresh ? 1 : 0);
		if (isFresh)
			this.length = 0;
		if (this.length + count > 256 || this.length + count === 0 || d.length < 2 + count * 3)
			fail('bad palette');
		let at = 2;
		for (let i = 0; i < count; i++, at += 3)
			this.colours[this.length++] = (0xff000000 | d[at + 2] << 16 | d[at + 1] << 8 | d[at]) >>> 0;
		return at;
	}

	get bits() {
		return this.length <= 2 ? 1 : this.length <= 4 ? 2 : this.length <= 16 ? 4 : 8;
	}
}

/**
 * Rows of packed indices, the first pixel in the highest bits.
 * @param {Palette} palette @param {Uint8Array} d @param {number} at
 * @param {Uint32Array} out @param {number} w @param {number} h
 */
function readIndices(palette, d, at, out, w, h) {
	const { bits, colours } = palette;
	const rowBytes = Math.ceil(w * bits / 8);
	if (d.length !== at + rowBytes * h)
		fail('indices of a wrong length');
	let worst = 0;
	let to = 0;
	if (bits === 8) {
		for (const end = w * h; to < end; to++) {
			const index = d[at++];
			worst = index > worst ? index : worst;
			out[to] = colours[index];
		}
	} else {
		const mask = (1 << bits) - 1;
		for (let y = 0; y < h; y++) {
			const row = at + y * rowBytes;
			for (let x = 0, bit = 0; x < w; x++, bit += bits) {
				const index = d[row + (bit >> 3)] >> 8 - bits - (bit & 7) & mask;
				worst = index > worst ? index : worst;
				out[to++] = colours[index];
			}
		}
	}
	if (worst >= palette.length)
		fail('an index outside of the palette');
}

/**
 * Undoes one row's filter; all sums are modulo 256.
 * @param {number} filter @param {Uint8Array} row filtered bytes in, bytes out @param {Uint8Array} up @param {number} n
 */
function unfilter(filter, row, up, n) {
	switch (filter) {
	case 0:
		return;
	case 1:
		for (let i = 3; i < n; i++)
			row[i] += row[i - 3];
		return;
	case 2:
		for (let i = 0; i < n; i++)
			row[i] += up[i];
		return;
	case 3:
		for (let i = 0; i < n; i++)
			row[i] += i < 3 ? up[i] : row[i - 3] + up[i] - up[i - 3];
		return;
	default:
		fail('unknown filter');
	}
}

/**
 * Rows of predicted bytes: green, red - green, blue - green for each pixel.
 * @param {Uint8Array} d @param {Uint32Array} out @param {number} w @param {number} h
 */
function readRows(d, out, w, h) {
	const n = w * 3;
	if (d.length !== 1 + h * (n + 1))
		fail('rows of a wrong length');
	let up = new Uint8Array(n);
	let row = new Uint8Array(n);
	let at = 1;
	let to = 0;
	for (let y = 0; y < h; y++) {
		const filter = d[at++];
		row.set(d.subarray(at, at + n));
		at += n;
		unfilter(filter, row, up, n);
		for (let i = 0; i < n; i += 3) {
			const green = row[i];
			out[to++] = 0xff000000 | (row[i + 2] + green & 255) << 16 | green << 8 | row[i + 1] + green & 255;
		}
		[up, row] = [row, up];
	}
}

/** The decoder of one connection. */
export class FlatDecoder {
	constructor() {
		this.stream = new ZstdStream();
		/** @type {BarsDecoder | null} */
		this.bars = null;
		this.marks = new Marks();
		this.palettes = Array.from({ length: SLOTS }, () => new Palette());
	}

	/**
	 * @param {Uint8Array} payload @param {number} w @param {number} h
	 * @returns {Uint8ClampedArray<ArrayBuffer>} R G B A
	 */
	decode(payload, w, h) {
		return this.decodePlain(this.stream.push(payload, plainMax(w, h)), w, h);
	}

	/** @param {Uint8Array} plain @param {number} w @param {number} h */
	decodePlain(plain, w, h) {
		const pixels = new Uint8ClampedArray(w * h * 4);
		const out = new Uint32Array(pixels.buffer);
		const mode = plain[0];
		const palette = this.palettes[mode & 0x0f];
		if (mode === ROWS)
			readRows(plain, out, w, h);
		else if (mode >= MARKS && mode <= MARKS_FRESH)
			this.marks.draw(plain, out, w, h);
		else if (mode === BARS)
			(this.bars ??= new BarsDecoder()).read(plain, 1, out, w, h);
		else if (palette && ((mode & 0xf0) === EXTEND || (mode & 0xf0) === FRESH))
			readIndices(palette, plain, palette.read(plain, (mode & 0xf0) === FRESH), out, w, h);
		else
			fail('unknown form');
		return pixels;
	}
}
