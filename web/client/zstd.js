// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A streaming zstd decoder (RFC 8878) for the flat stream: one frame that never ends, flushed after every operation. Each push takes whole
 * blocks and gives what they decode to. No dictionary, no checksum, window of at most WINDOW_MAX.
 */

import { readTable, rleTable, predefined, LITERAL_BASE, LITERAL_BITS, MATCH_BASE, MATCH_BITS } from './zstd-fse.js';
import { readHuffman, decodeHuffman } from './zstd-huffman.js';

export const WINDOW_MAX = 16 * 1024 * 1024;
const BLOCK_MAX = 128 * 1024;
const MAGIC = 0xfd2fb528;

/** @param {string} what @returns {never} */
function fail(what) {
	throw new Error(`zstd: ${what}`);
}

export class ZstdStream {
	constructor() {
		this.window = 0;
		this.history = new Uint8Array(256 * 1024);
		this.end = 0;
		this.literals = new Uint8Array(BLOCK_MAX + 32);
		/** @type {import('./zstd-huffman.js').Huffman | null} */
		this.huffman = null;
		/** @type {(import('./zstd-fse.js').Table | null)[]} literal lengths, offsets, match lengths */
		this.tables = [null, null, null];
		this.repeats = [1, 4, 8];
		this.isOver = false;
	}

	/**
	 * Decodes one flushed piece of the stream.
	 * @param {Uint8Array} data whole blocks; the first piece starts with the frame header
	 * @param {number} max most bytes that may come out
	 * @returns {Uint8Array} borrowed: valid until the next push
	 */
	push(data, max) {
		let at = 0;
		if (!this.window)
			at = this.#readHeader(data);
		this.#makeRoom(0, max);
		const start = this.end;
		const limit = start + max;
		while (at < data.length) {
			if (this.isOver || at + 3 > data.length)
				fail('cut block');
			const header = data[at] | data[at + 1] << 8 | data[at + 2] << 16;
			const type = header >> 1 & 3;
			const size = header >> 3;
			at += 3;
			this.isOver = (header & 1) === 1;
			if (size > BLOCK_MAX || type === 3)
				fail('bad block');
			const coded = type === 1 ? 1 : size;
			if (at + coded > data.length)
				fail('cut block');
			if (type === 2)
				this.#readBlock(data, at, size, limit);
			else
				this.#copyBlock(data, at, size, type === 1, limit);
			at += coded;
		}
		return this.history.subarray(start, this.end);
	}

	/** @param {Uint8Array} d */
	#readHeader(d) {
		if (d.length < 6 || ((d[0] | d[1] << 8 | d[2] << 16 | d[3] << 24) >>> 0) !== MAGIC)
			fail('no frame');
		const flags = d[4];
		const single = flags >> 5 & 1;
		if (flags & 0x0f)
			fail('checksums and dictionaries are not used here');
		const sizeBytes = [single, 2, 4, 8][flags >> 6];
		let at = 5;
		if (!single) {
			const exponent = d[at] >> 3;
			const base = 2 ** (10 + exponent);
			this.window = base + base / 8 * (d[at++] & 7);
		} else {
			this.window = 0;
			for (let i = 0; i < Math.min(sizeBytes, 6); i++)
				this.window += d[at + i] * 2 ** (8 * i);
			if (sizeBytes === 2)
				this.window += 256;
			this.window = Math.max(this.window, 1024);
		}
		at += sizeBytes;
		if (this.window > WINDOW_MAX)
			fail('window too large');
		return at;
	}

	/** Keeps `window` bytes of history and room for n more behind them. @param {number} n @param {number} max */
	#makeRoom(n, max) {
		const want = this.end + n;
		if (n === 0) {
			// Between pushes nobody holds a view: slide when the buffer is above twice the window.
			if (this.end > Math.max(2 * this.window, 1 << 20)) {
				this.history.copyWithin(0, this.end - this.window, this.end);
				this.end = this.window;
			}
			return;
		}
		if (want <= this.history.length)
			return;
		const size = Math.max(want, Math.min(this.history.length * 2, 2 * this.window + max));
		const larger = new Uint8Array(size + 64);
		larger.set(this.history.subarray(0, this.end));
		this.history = larger;
	}

	/**
	 * @param {Uint8Array} data @param {number} at @param {number} size
	 * @param {boolean} isRle @param {number} limit
	 */
	#copyBlock(data, at, size, isRle, limit) {
		if (this.end + size > limit)
			fail('more bytes than the operation has');
		this.#makeRoom(size, size);
		if (isRle)
			this.history.fill(data[at], this.end, this.end + size);
		else
			this.history.set(data.subarray(at, at + size), this.end);
		this.end += size;
	}

	/**
	 * Decodes the literals section into this.literals.
	 * @param {Uint8Array} d @param {number} at @param {number} stop
	 * @returns {[number, number]} where the sequences start, how many literals
	 */
	#readLiterals(d, at, stop) {
		const first = d[at];
		const type = first & 3;
		const format = first >> 2 & 3;
		let count;
		if (type < 2) {
			if (format === 1)
				count = (first | d[at + 1] << 8) >> 4, at += 2;
			else if (format === 3)
				count = (first | d[at + 1] << 8 | d[at + 2] << 16) >> 4, at += 3;
			else
				count = first >> 3, at += 1;
			const bytes = type === 1 ? 1 : count;
			if (count > BLOCK_MAX || at + bytes > stop)
				fail('bad literals');
			if (type === 1)
				this.literals.fill(d[at], 0, count);
			else
				this.literals.set(d.subarray(at, at + count));
			return [at + bytes, count];
		}
		const bits = format < 2 ? 10 : format === 2 ? 14 : 18;
		const header = d[at] + d[at + 1] * 2 ** 8 + d[at + 2] * 2 ** 16 + d[at + 3] * 2 ** 24 + d[at + 4] * 2 ** 32;
		const rest = Math.floor(header / 16);
		count = rest % 2 ** bits;
		const size = Math.floor(rest / 2 ** bits) % 2 ** bits;
		at += bits === 10 ? 3 : bits === 14 ? 4 : 5;
		const next = at + size;
		if (count > BLOCK_MAX || next > stop)
			fail('bad literals');
		if (type === 2) {
			const [table, used] = readHuffman(d, at, next);
			this.huffman = table;
			at += used;
		}
		if (!this.huffman)
			fail('no Huffman table to repeat');
		decodeHuffman(this.huffman, d, at, next, this.literals, count, format !== 0);
		return [next, count];
	}

	/**
	 * @param {Uint8Array} d @param {number} at @param {number} size @param {number} limit
	 */
	#readBlock(d, at, size, limit) {
		const stop = at + size;
		const [seqAt, literals] = this.#readLiterals(d, at, stop);
		at = seqAt;
		if (at >= stop)
			fail('cut block');
		let count = d[at++];
		if (count === 255)
			count = d[at] + (d[at + 1] << 8) + 0x7f00, at += 2;
		else if (count > 127)
			count = (count - 128 << 8) + d[at++];
		this.#makeRoom(BLOCK_MAX, BLOCK_MAX);
		if (count === 0) {
			if (this.end + literals > limit)
				fail('more bytes than the operation has');
			this.history.set(this.literals.subarray(0, literals), this.end);
			this.end += literals;
			return;
		}
		at = this.#readTables(d, at, stop);
		this.#runSequences(d, at, stop, count, literals, limit);
	}

	/** @param {Uint8Array} d @param {number} at @param {number} stop */
	#readTables(d, at, stop) {
		const modes = d[at++];
		if (modes & 3)
			fail('reserved bits');
		for (let i = 0; i < 3; i++) {
			const mode = modes >> 6 - 2 * i & 3;
			if (mode === 0) {
				this.tables[i] = predefined(i);
			} else if (mode === 1) {
				this.tables[i] = rleTable(d[at++], i);
			} else if (mode === 2) {
				const [table, used] = readTable(d, at, stop, [9, 8, 9][i], [35, 31, 52][i]);
				this.tables[i] = table;
				at += used;
			} else if (!this.tables[i]) {
				fail('no table to repeat');
			}
		}
		if (at >= stop)
			fail('cut block');
		return at;
	}

	/**
	 * Executes the sequences: copy literals, then a match out of the history.
	 * @param {Uint8Array} d @param {number} at @param {number} stop
	 * @param {number} count @param {number} literalCount @param {number} limit
	 */
	#runSequences(d, at, stop, count, literalCount, limit) {
		const [ll, of, ml] = /** @type {import('./zstd-fse.js').Table[]} */ (this.tables);
		const out = this.history;
		const lits = this.literals;
		const reps = this.repeats;
		const blockEnd = Math.min(limit, this.end + BLOCK_MAX);
		if (!d[stop - 1])
			fail('no end mark');
		// Bits are read backwards: pos counts the bits that are left.
		const origin = at;
		let pos = (stop - at) * 8 - Math.clz32(d[stop - 1]) + 24 - 1;
		/** @param {number} n at most 25 */
		const read = (n) => {
			pos -= n;
			const i = origin + (pos >> 3);
			return ((d[i] | d[i + 1] << 8 | d[i + 2] << 16 | d[i + 3] << 24) >>> (pos & 7)) & ((1 << n) - 1);
		};
		let llState = read(ll.log);
		let ofState = read(of.log);
		let mlState = read(ml.log);
		let end = this.end;
		let lit = 0;

		for (let left = count; left > 0; left--) {
			const ofCode = of.symbol[ofState];
			const llCode = ll.symbol[llState];
			const mlCode = ml.symbol[mlState];
			if (ofCode > 25 || pos < 0)
				fail('bad sequence');
			let offset = 2 ** ofCode + read(ofCode);
			let match = MATCH_BASE[mlCode] + read(MATCH_BITS[mlCode]);
			const literal = LITERAL_BASE[llCode] + read(LITERAL_BITS[llCode]);
			if (offset > 3) {
				offset -= 3;
				reps[2] = reps[1], reps[1] = reps[0], reps[0] = offset;
			} else {
				const which = offset - 1 + (literal === 0 ? 1 : 0);
				offset = which === 3 ? reps[0] - 1 : reps[which];
				if (which > 0) {
					if (which > 1)
						reps[2] = reps[1];
					reps[1] = reps[0], reps[0] = offset;
				}
			}
			if (left > 1) {
				llState = ll.base[llState] + read(ll.bits[llState]);
				mlState = ml.base[mlState] + read(ml.bits[mlState]);
				ofState = of.base[ofState] + read(of.bits[ofState]);
			}
			if (lit + literal > literalCount || end + literal + match > blockEnd)
				fail('bad sequence');
			if (literal < 16) {
				for (let i = 0; i < literal; i++)
					out[end++] = lits[lit++];
			} else {
				out.set(lits.subarray(lit, lit + literal), end);
				end += literal, lit += literal;
			}
			if (offset <= 0 || offset > end || offset > this.window)
				fail('a match before the window');
			let from = end - offset;
			if (offset >= match && match > 32) {
				out.copyWithin(end, from, from + match);
				end += match;
			} else {
				while (match-- > 0)
					out[end++] = out[from++];
			}
		}
		if (pos !== 0)
			fail('sequences of a wrong length');
		const rest = literalCount - lit;
		if (end + rest > blockEnd)
			fail('more bytes than the operation has');
		out.set(lits.subarray(lit, literalCount), end);
		this.end = end + rest;
	}
}
