// SPDX-License-Identifier: GPL-3.0-or-later
/** Text as marks, modes 2 to 4 of the flat codec: letters on paper, each drawn once and a number from then on. See docs/flat-codec.md. */

const MARKS_MAX = 4080;
const PIXELS_MAX = 1 << 20;
const TINTS = 8;
const GO_ON = 2;
const FRESH = 4;

/** @typedef {{ width: number, height: number, pixels: Uint32Array }} Mark */

/** @param {string} what @returns {never} */
function fail(what) {
	throw new Error(`flat: ${what}`);
}

/** @param {number} red @param {number} green @param {number} blue @returns {number} as a canvas has it in memory */
function colourOf(red, green, blue) {
	return (0xff000000 | blue << 16 | green << 8 | red) >>> 0;
}

/** The plain bytes of one rectangle; reading past their end fails. */
class Reader {
	/** @param {Uint8Array} d */
	constructor(d) {
		this.d = d;
		this.at = 1;
	}

	get isOver() {
		return this.at >= this.d.length;
	}

	byte() {
		if (this.isOver)
			fail('a mark that ends early');
		return this.d[this.at++];
	}

	/** Signed, the low byte first. */
	word() {
		const low = this.byte();
		return (this.byte() << 8 | low) << 16 >> 16;
	}

	/** @param {number} n @returns {Uint8Array} */
	take(n) {
		if (this.at + n > this.d.length)
			fail('a mark that ends early');
		return this.d.subarray(this.at, this.at += n);
	}
}

export class Marks {
	constructor() {
		this.paper = colourOf(0, 0, 0);
		/** @type {Mark[]} */
		this.marks = [];
		this.pixels = 0;
		this.tints = Array.from({ length: TINTS }, () => new Uint32Array(256));
	}

	clear() {
		this.marks.length = this.pixels = 0;
		for (const tint of this.tints)
			tint.fill(0);
	}

	/**
	 * @param {Uint8Array} plain one rectangle, its mode first
	 * @param {Uint32Array} out its pixels @param {number} w @param {number} h
	 */
	draw(plain, out, w, h) {
		const r = new Reader(plain);
		if (plain[0] === FRESH)
			this.clear();
		if (plain[0] !== GO_ON)
			this.paper = colourOf(r.byte(), r.byte(), r.byte());
		out.fill(this.paper);
		let x = 0;
		let y = 0;
		while (!r.isOver) {
			const place = r.byte();
			x += place === 255 ? r.word() : place >> 4;
			y += place === 255 ? r.word() : (place & 15) - 8;
			const mark = this.readMark(r);
			if (x < 0 || y < 0 || x + mark.width > w || y + mark.height > h)
				fail('a mark outside of its rectangle');
			const { width, pixels } = mark;
			for (let from = 0, to = y * w + x; from < pixels.length; to += w - width)
				for (const end = from + width; from < end;)
					out[to++] = pixels[from++];
			x += width;
		}
	}

	/** A known mark by its number, or a new one. @param {Reader} r @returns {Mark} */
	readMark(r) {
		const first = r.byte();
		if (first === 255)
			return this.readNew(r);
		const mark = this.marks[first < 240 ? first : 240 + (first - 240 << 8) + r.byte()];
		return mark ?? fail('an unknown mark');
	}

	/** @param {Reader} r @returns {Mark} */
	readNew(r) {
		const width = r.byte();
		const height = r.byte();
		const n = width * height;
		this.pixels += n;
		if (n === 0 || width > 64 || height > 64 || this.pixels > PIXELS_MAX || this.marks.length >= MARKS_MAX)
			fail('a mark of a wrong size, or too many of them');
		const pixels = new Uint32Array(n);
		const which = r.byte();
		if (which === 255)
			this.readPlanes(r, pixels);
		else
			this.readTinted(r, this.tints[which] ?? fail('an unknown tint'), pixels);
		const mark = { width, height, pixels };
		this.marks.push(mark);
		return mark;
	}

	/** Changes of a table, then greens. @param {Reader} r @param {Uint32Array} tint @param {Uint32Array} pixels */
	readTinted(r, tint, pixels) {
		for (let changes = r.byte(); changes > 0; changes--) {
			const green = r.byte();
			tint[green] = colourOf(r.byte(), green, r.byte());
		}
		const greens = r.take(pixels.length);
		for (let i = 0; i < pixels.length; i++)
			pixels[i] = tint[greens[i]] || colourOf(0, 0, 0);
	}

	/** Greens, red - green, blue - green. @param {Reader} r @param {Uint32Array} pixels */
	readPlanes(r, pixels) {
		const n = pixels.length;
		const d = r.take(n * 3);
		for (let i = 0; i < n; i++)
			pixels[i] = colourOf(d[n + i] + d[i] & 255, d[i], d[2 * n + i] + d[i] & 255);
	}
}
