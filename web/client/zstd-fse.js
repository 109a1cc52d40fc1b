// SPDX-License-Identifier: GPL-3.0-or-later
/** zstd's finite state entropy tables (RFC 8878 §4.1): read, predefined, and of one symbol. */

/**
 * @typedef {object} Table
 * @property {number} log
 * @property {Uint8Array} symbol
 * @property {Uint8Array} bits how many bits the next state needs
 * @property {Uint16Array} base what they are added to
 */

/** @param {number[]} runs pairs of (step bits, how many) @param {number} first @returns {[Uint32Array, Uint8Array]} */
function codes(runs, first) {
	const bits = [];
	for (let i = 0; i < runs.length; i += 2) {
		for (let n = 0; n < runs[i + 1]; n++)
			bits.push(runs[i]);
	}
	const base = new Uint32Array(bits.length);
	let value = first;
	for (let i = 0; i < bits.length; i++) {
		base[i] = value;
		value += 2 ** bits[i];
	}
	return [base, Uint8Array.from(bits)];
}

export const [LITERAL_BASE, LITERAL_BITS] = codes([0, 16, 1, 4, 2, 2, 3, 2, 4, 1, 6, 1, 7, 1, 8, 1, 9, 1, 10, 1, 11, 1, 12, 1, 13, 1, 14, 1,
	15, 1, 16, 1], 0);
export const [MATCH_BASE, MATCH_BITS] = codes([0, 32, 1, 4, 2, 2, 3, 2, 4, 2, 5, 1, 7, 1, 8, 1, 9, 1, 10, 1, 11, 1, 12, 1, 13, 1, 14, 1, 15, 1,
	16, 1], 3);

/**
 * @param {ArrayLike<number>} counts probability of each symbol, -1 for "less than one"
 * @param {number} log
 * @returns {Table}
 */
export function buildTable(counts, log) {
	const size = 1 << log;
	const symbol = new Uint8Array(size);
	const bits = new Uint8Array(size);
	const base = new Uint16Array(size);
	const next = new Uint16Array(counts.length);
	let high = size - 1;
	for (let s = 0; s < counts.length; s++) {
		if (counts[s] === -1) {
			symbol[high--] = s;
			next[s] = 1;
		} else {
			next[s] = counts[s];
		}
	}
	const step = (size >> 1) + (size >> 3) + 3;
	let at = 0;
	for (let s = 0; s < counts.length; s++) {
		for (let i = 0; i < counts[s]; i++) {
			symbol[at] = s;
			do
				at = at + step & size - 1;
			while (at > high);
		}
	}
	for (let i = 0; i < size; i++) {
		const x = next[symbol[i]]++;
		bits[i] = log - (31 - Math.clz32(x));
		base[i] = (x << bits[i]) - size;
	}
	return { log, symbol, bits, base };
}

/**
 * Reads a table description.
 * @param {Uint8Array} d @param {number} at @param {number} stop @param {number} maxLog @param {number} maxSymbol
 * @returns {[Table, number]} the table and the bytes it took
 */
export function readTable(d, at, stop, maxLog, maxSymbol) {
	let pos = 0;
	/** @param {number} n */
	const peek = (n) => {
		const i = at + (pos >> 3);
		return ((d[i] | d[i + 1] << 8 | d[i + 2] << 16) >> (pos & 7)) & ((1 << n) - 1);
	};
	const log = peek(4) + 5;
	pos = 4;
	if (log > maxLog)
		throw new Error('zstd: table too large');
	/** @type {number[]} */
	const counts = [];
	let left = (1 << log) + 1;
	while (left > 1) {
		if (counts.length > maxSymbol || at + (pos >> 3) >= stop)
			throw new Error('zstd: bad table');
		const width = 32 - Math.clz32(left);
		let value = peek(width);
		const low = (1 << width - 1) - 1;
		const threshold = (1 << width) - 1 - left;
		if ((value & low) < threshold) {
			value &= low;
			pos += width - 1;
		} else {
			if (value > low)
				value -= threshold;
			pos += width;
		}
		const count = value - 1;
		left -= Math.abs(count);
		counts.push(count);
		if (count === 0) {
			let repeat;
			do {
				repeat = peek(2);
				pos += 2;
				for (let i = 0; i < repeat; i++)
					counts.push(0);
			} while (repeat === 3 && counts.length <= maxSymbol);
		}
	}
	const used = pos + 7 >> 3;
	if (left !== 1 || counts.length > maxSymbol + 1 || at + used > stop)
		throw new Error('zstd: bad table');
	return [buildTable(counts, log), used];
}

/** @param {number} symbol @param {number} which 0 literal lengths, 1 offsets, 2 match lengths @returns {Table} */
export function rleTable(symbol, which) {
	if (symbol > [35, 31, 52][which])
		throw new Error('zstd: bad symbol');
	return { log: 0, symbol: Uint8Array.of(symbol), bits: Uint8Array.of(0), base: Uint16Array.of(0) };
}

const PREDEFINED = [
	buildTable([4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1], 6),
	buildTable([1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1], 5),
	buildTable([1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1], 6),
];

/** @param {number} which @returns {Table} */
export function predefined(which) {
	return PREDEFINED[which];
}
