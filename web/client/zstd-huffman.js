// SPDX-License-Identifier: GPL-3.0-or-later
/** zstd's Huffman coding of literals (RFC 8878 §4.2). */

import { readTable } from './zstd-fse.js';

/**
 * @typedef {object} Huffman
 * @property {number} log longest code
 * @property {Uint16Array} entry by the next `log` bits: symbol << 4 | length
 */

/** @param {string} what @returns {never} */
function fail(what) {
	throw new Error(`zstd: ${what}`);
}

/**
 * Weights that are FSE coded: two states take turns until the bits run out.
 * @param {Uint8Array} d @param {number} at @param {number} stop @returns {number[]}
 */
function readWeights(d, at, stop) {
	const [table, used] = readTable(d, at, stop, 6, 15);
	at += used;
	if (at >= stop || !d[stop - 1])
		fail('bad Huffman weights');
	let pos = (stop - at) * 8 - Math.clz32(d[stop - 1]) + 24 - 1;
	/** @param {number} n at most 6; bits before the start are zero */
	const read = (n) => {
		pos -= n;
		let value = 0;
		for (let i = n - 1; i >= 0; i--) {
			const bit = pos + i;
			value = value << 1 | (bit < 0 ? 0 : d[at + (bit >> 3)] >> (bit & 7) & 1);
		}
		return value;
	};
	const states = [read(table.log), read(table.log)];
	const weights = [];
	for (let turn = 0; ; turn ^= 1) {
		const state = states[turn];
		weights.push(table.symbol[state]);
		if (weights.length > 255)
			fail('bad Huffman weights');
		states[turn] = table.base[state] + read(table.bits[state]);
		if (pos < 0) {
			weights.push(table.symbol[states[turn ^ 1]]);
			return weights;
		}
	}
}

/** @param {number[]} weights without the last, which completes the tree @returns {Huffman} */
function build(weights) {
	let sum = 0;
	for (const w of weights) {
		if (w > 11)
			fail('bad Huffman weights');
		sum += w ? 1 << w - 1 : 0;
	}
	if (sum === 0)
		fail('bad Huffman weights');
	const log = 32 - Math.clz32(sum);
	const rest = (1 << log) - sum;
	if (log > 11 || (rest & rest - 1) !== 0)
		fail('bad Huffman weights');
	weights.push(32 - Math.clz32(rest));
	const entry = new Uint16Array(1 << log);
	let at = 0;
	for (let w = 1; w <= log; w++) {
		const span = 1 << w - 1;
		for (let s = 0; s < weights.length; s++) {
			if (weights[s] !== w)
				continue;
			entry.fill(s << 4 | log + 1 - w, at, at + span);
			at += span;
		}
	}
	return { log, entry };
}

/**
 * @param {Uint8Array} d @param {number} at @param {number} stop
 * @returns {[Huffman, number]} the table and the bytes that its description took
 */
export function readHuffman(d, at, stop) {
	const head = d[at];
	if (head < 128) {
		if (at + 1 + head > stop)
			fail('cut Huffman weights');
		return [build(readWeights(d, at + 1, at + 1 + head)), head + 1];
	}
	const count = head - 127;
	const bytes = count + 1 >> 1;
	if (at + 1 + bytes > stop)
		fail('cut Huffman weights');
	const weights = [];
	for (let i = 0; i < count; i++)
		weights.push(i & 1 ? d[at + 1 + (i >> 1)] & 15 : d[at + 1 + (i >> 1)] >> 4);
	return [build(weights), bytes + 1];
}

/**
 * One backward bit stream.
 * @param {Huffman} h @param {Uint8Array} d @param {number} at @param {number} stop
 * @param {Uint8Array} out @param {number} from @param {number} to
 */
function decodeStream(h, d, at, stop, out, from, to) {
	if (stop <= at || !d[stop - 1])
		fail('bad literals');
	const { log, entry } = h;
	const mask = (1 << log) - 1;
	let pos = (stop - at) * 8 - Math.clz32(d[stop - 1]) + 24 - 1;
	for (let i = from; i < to; i++) {
		const bit = pos - log;
		const byte = at + (bit >> 3);
		// Below the start of the stream the bits are zero.
		const value = bit >= 0 ? ((d[byte] | d[byte + 1] << 8 | d[byte + 2] << 16) >> (bit & 7)) & mask :
			((d[at] | d[at + 1] << 8) & (1 << Math.max(pos, 0)) - 1) << -bit & mask;
		const e = entry[value];
		out[i] = e >> 4;
		pos -= e & 15;
	}
	if (pos !== 0)
		fail('literals of a wrong length');
}

/**
 * @param {Huffman} h @param {Uint8Array} d @param {number} at @param {number} stop
 * @param {Uint8Array} out @param {number} count @param {boolean} isFour four streams, whose sizes stand in front
 */
export function decodeHuffman(h, d, at, stop, out, count, isFour) {
	if (!isFour) {
		decodeStream(h, d, at, stop, out, 0, count);
		return;
	}
	const size = [0, 2, 4].map((i) => d[at + i] | d[at + i + 1] << 8);
	const span = count + 3 >> 2;
	let from = at + 6;
	if (from + size[0] + size[1] + size[2] >= stop)
		fail('bad literals');
	for (let i = 0; i < 4; i++) {
		const to = i < 3 ? from + size[i] : stop;
		decodeStream(h, d, from, to, out, Math.min(span * i, count), i < 3 ? Math.min(span * (i + 1), count) : count);
		from = to;
	}
}
