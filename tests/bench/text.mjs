// SPDX-License-Identifier: GPL-3.0-or-later
/** Figures as words, and tables of Markdown. */

const isNone = (n) => n === undefined || n === null || Number.isNaN(n);

/** Three digits or so. @param {number} n */
export const figure = (n) => isNone(n) ? '–' : n >= 100 ? Math.round(n).toLocaleString('en') : n >= 10 ? n.toFixed(1) : n.toFixed(2);

/** Bytes: whole ones below ten thousand, K (1,000) and M above. @param {number} n */
export const bytes = (n) => isNone(n) ? '–' : n < 10000 ? Math.round(n).toLocaleString('en') : n < 1e6 ? `${(n / 1000).toFixed(n < 1e5 ? 1 : 0)} K` : `${(n / 1e6).toFixed(2)} M`;

/** A median, and its spread where that is more than a twentieth of it. @param {{ median: number, iqr: number }} [summary] */
export function spread(summary, of = figure) {
	if (!summary)
		return '–';
	return summary.iqr > summary.median / 20 ? `${of(summary.median)} ± ${of(summary.iqr)}` : of(summary.median);
}

/** @param {string[]} head @param {string[][]} rows the first column holds words, the others figures */
export const table = (head, rows) => [head, head.map((_, i) => i ? '---:' : '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
