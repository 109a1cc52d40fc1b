// SPDX-License-Identifier: GPL-3.0-or-later
/** Medians, spreads and percentiles. */

/** The value below which this part of the values lies, between neighbours by their distance; NaN of none. @param {number[]} values @param {number} part 0 … 1 */
export function quantile(values, part) {
	const sorted = [...values].sort((a, b) => a - b), at = (sorted.length - 1) * part, low = Math.floor(at);
	return sorted.length ? sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (at - low) : NaN;
}

export const median = (values) => quantile(values, 0.5);
export const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/** What a table tells of repeated figures: the median and the spread of the middle half. */
export const summary = (values) => ({ median: median(values), iqr: quantile(values, 0.75) - quantile(values, 0.25), n: values.length });

/** What a table tells of latencies. */
export const percentiles = (values) => ({ p50: quantile(values, 0.5), p95: quantile(values, 0.95), p99: quantile(values, 0.99), n: values.length });

/** Numbers 0 … n-1 in an order that depends on the seed alone (Fisher and Yates, with a linear congruence of Numerical Recipes). */
export function shuffled(n, seed) {
	const order = Array.from({ length: n }, (_, i) => i);
	let state = seed >>> 0;
	for (let i = n - 1; i > 0; i--) {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		const j = Math.floor(state / 2 ** 32 * (i + 1));
		[order[i], order[j]] = [order[j], order[i]];
	}
	return order;
}
