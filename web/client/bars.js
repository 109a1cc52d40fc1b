// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The flat codec's mode for text and what is drawn: columns that the decoder keeps, as RDP's ClearCodec has them ([MS-RDPEGFX] 2.2.4.1, without its
 * subcodec layer). See docs/flat-codec.md.
 */

const BARS = 32768;
const SHORT_BARS = 16384;
const GLYPHS = 4000;
const HEIGHT_MAX = 52;
const GLYPH_AREA_MAX = 1024;
const HAS_GLYPH = 1;
const IS_KNOWN = 2;

/** @param {string} what @returns {never} */
function fail(what) {
	throw new Error(`flat: ${what}`);
}

/** Columns of at most HEIGHT_MAX pixels in a ring: what comes takes the next place. */
class Ring {
	/** @param {number} places */
	constructor(places) {
		this.places = places;
		this.pixels = new Uint32Array(places * HEIGHT_MAX);
		this.heights = new Uint8Array(places);
		this.next = 0;
	}

	/** Takes the next place. @param {number} height @returns {number} where its pixels are */
	add(height) {
		const at = this.next * HEIGHT_MAX;
		this.heights[this.next] = height;
		this.next = (this.next + 1) % this.places;
		return at;
	}
}

/** Little-endian numbers of a part of the plain bytes. */
class Reader {
	/** @param {Uint8Array} d @param {number} at @param {number} end */
	constructor(d, at, end) {
		this.d = d;
		this.at = at;
		this.end = end;
	}

	/** @param {number} n @returns {number} where they are */
	take(n) {
		const at = this.at;
		this.at += n;
		if (this.at > this.end)
			fail('bars cut short');
		return at;
	}

	u8() {
		return this.d[this.take(1)];
	}

	u16() {
		const at = this.take(2);
		return this.d[at] | this.d[at + 1] << 8;
	}

	u32() {
		const at = this.take(4);
		return (this.d[at] | this.d[at + 1] << 8 | this.d[at + 2] << 16 | this.d[at + 3] << 24) >>> 0;
	}

	/** Blue, green, red to a pixel. */
	colour() {
		const at = this.take(3);
		return (0xff000000 | this.d[at] << 16 | this.d[at + 1] << 8 | this.d[at + 2]) >>> 0;
	}
}

/** Runs of one colour, row by row. @param {Reader} r @param {Uint32Array} out */
function readRuns(r, out) {
	let to = 0;
	while (r.at < r.end) {
		const colour = r.colour();
		let n = r.u8();
		if (n === 0xff)
			n = r.u16();
		if (n === 0xffff)
			n = r.u32();
		if (n > out.length - to)
			fail('a run beyond the picture');
		out.fill(colour, to, to += n);
	}
	if (to !== out.length)
		fail('runs that end early');
}

/** What one connection has kept. */
export class BarsDecoder {
	constructor() {
		this.bars = new Ring(BARS);
		this.shorts = new Ring(SHORT_BARS);
		/** @type {Uint32Array[]} */
		this.glyphs = [];
	}

	/** @param {Uint8Array} d @param {number} at where they begin @param {Uint32Array} out w × h pixels @param {number} w @param {number} h */
	read(d, at, out, w, h) {
		const r = new Reader(d, at, d.length);
		const flags = r.u8();
		r.take(1); /* a number that counts; nothing is lost here */
		const glyph = flags & HAS_GLYPH ? r.u16() : -1;
		if (flags > 3 || glyph >= GLYPHS || (flags === IS_KNOWN) || (glyph >= 0 && w * h > GLYPH_AREA_MAX))
			fail('bad glyph');
		if (flags & IS_KNOWN) {
			if (this.glyphs[glyph]?.length !== out.length || r.at !== r.end)
				fail('a glyph that is not there');
			out.set(this.glyphs[glyph]);
			return;
		}
		this.#readLayers(r, out, w, h);
		if (glyph >= 0)
			this.glyphs[glyph] = out.slice();
	}

	/** @param {Reader} r @param {Uint32Array} out @param {number} w @param {number} h */
	#readLayers(r, out, w, h) {
		const runs = r.u32();
		const bands = r.u32();
		if (r.u32() !== 0 || r.at + runs + bands !== r.end)
			fail('layers of a wrong length');
		const middle = r.at + runs;
		if (runs)
			readRuns(new Reader(r.d, r.at, middle), out);
		const b = new Reader(r.d, middle, r.end);
		while (b.at < b.end)
			this.#readBand(b, out, w, h);
	}

	/** @param {Reader} r @param {Uint32Array} out @param {number} w @param {number} h */
	#readBand(r, out, w, h) {
		const left = r.u16();
		const right = r.u16();
		const top = r.u16();
		const height = r.u16() - top + 1;
		if (left > right || right >= w || height < 1 || height > HEIGHT_MAX || top + height > h)
			fail('a band outside of the picture');
		const background = r.colour();
		const { pixels } = this.bars;
		for (let x = left; x <= right; x++) {
			let from = this.#readBar(r, height, background);
			for (let to = top * w + x, end = from + height; from < end; from++, to += w)
				out[to] = pixels[from];
		}
	}

	/** One column, kept or new. @param {Reader} r @param {number} height @param {number} background @returns {number} where its pixels are */
	#readBar(r, height, background) {
		const code = r.u16();
		if (code & 0x8000) {
			if (this.bars.heights[code & 0x7fff] !== height)
				fail('a column that is not there');
			return (code & 0x7fff) * HEIGHT_MAX;
		}
		const isKnown = (code & 0x4000) !== 0;
		const top = isKnown ? r.u8() : code & 0xff;
		const short = isKnown ? (code & 0x3fff) * HEIGHT_MAX : this.#readShort(r, (code >> 8) - top);
		const n = this.shorts.heights[short / HEIGHT_MAX];
		if (n === 0 || top + n > height)
			fail('a short column that does not fit');
		const at = this.bars.add(height);
		const { pixels } = this.bars;
		pixels.fill(background, at, at + height);
		for (let i = 0; i < n; i++)
			pixels[at + top + i] = this.shorts.pixels[short + i];
		return at;
	}

	/** @param {Reader} r @param {number} n pixels @returns {number} where they are */
	#readShort(r, n) {
		if (n < 1 || n > HEIGHT_MAX)
			fail('a short column of a wrong height');
		const at = this.shorts.add(n);
		for (let i = 0; i < n; i++)
			this.shorts.pixels[at + i] = r.colour();
		return at;
	}
}
