// SPDX-License-Identifier: GPL-3.0-or-later
/** Drawings of a run as SVG: bars side by side, and spans of latencies. They read on light and on dark pages. */

const STYLE = `text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}.note{fill:#57606a}.ours{fill:#0969da}.peer{fill:#8c959f}.line{stroke:#d0d7de}.span{stroke-width:3}.ours.span{stroke:#0969da}.peer.span{stroke:#8c959f}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.note{fill:#9198a1}.ours{fill:#4493f8}.peer{fill:#7d8590}.line{stroke:#3d444d}.ours.span{stroke:#4493f8}.peer.span{stroke:#7d8590}}`;
const ROW = 18, LABEL = 180, VALUE = 64, PANEL = 420, GAP = 24, HEAD = 34;

const escape = (text) => String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;');
const text = (x, y, words, name = '', anchor = 'start') => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${name ? ` class="${name}"` : ''}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}>${escape(words)}</text>`;
const kind = (bar) => bar.isOurs ? 'ours' : 'peer';
const isDrawn = (value) => value !== undefined && value !== null && Number.isFinite(value);

function whole(width, height, title, parts) {
	return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}"><style>${STYLE}</style>\n${parts.join('\n')}\n</svg>\n`;
}

/** Where values stand: by their logarithm when the largest is more than thirty times the smallest, else from zero. */
function scale(values, length) {
	const drawn = values.filter((v) => isDrawn(v) && v > 0), most = Math.max(...drawn), least = Math.min(...drawn);
	if (most / least <= 30)
		return { isLog: false, at: (v) => Math.max(1, v / most * length) };
	const floor = least / 3;
	return { isLog: true, at: (v) => Math.max(1, Math.log10(Math.max(v, floor) / floor) / Math.log10(most / floor) * length) };
}

/** @param {{ title: string, note?: string, format: (v: number) => string, bars: { label: string, value: number, isOurs: boolean }[] }} panel */
function barsOf({ title, note = '', format, bars }, x, y) {
	const { isLog, at } = scale(bars.map((b) => b.value), PANEL - LABEL - VALUE);
	return [text(x, y + 14, title, 'title'), text(x + PANEL, y + 14, [note, isLog ? 'log.' : ''].filter(Boolean).join(', '), 'note', 'end'), ...bars.flatMap((bar, i) => {
		const top = y + HEAD - 8 + i * ROW, label = text(x + LABEL - 6, top + 12, bar.label, '', 'end');
		if (!isDrawn(bar.value))
			return [label, text(x + LABEL, top + 12, '–', 'note')];
		const length = at(bar.value);
		return [label, `<rect class="${kind(bar)}" x="${x + LABEL}" y="${top + 2}" width="${length.toFixed(1)}" height="${ROW - 5}" rx="2"/>`, text(x + LABEL + length + 4, top + 12, format(bar.value))];
	})];
}

/** Panels of bars, two in a row. @param {string} title @param {any[]} panels */
export function barPanels(title, panels) {
	const rows = [];
	let y = 0;
	for (let i = 0; i < panels.length; i += 2) {
		rows.push(...panels.slice(i, i + 2).flatMap((panel, k) => barsOf(panel, k * (PANEL + GAP), y)));
		y += HEAD + GAP / 2 + ROW * Math.max(...panels.slice(i, i + 2).map((p) => p.bars.length));
	}
	return whole(PANEL * Math.min(2, panels.length) + GAP, y, title, rows);
}

/** From the median to the 99th of a hundred, with the 95th between, on one logarithmic axis. @param {string} title @param {{ label: string, isOurs: boolean, spans: { name: string, p50: number, p95: number, p99: number }[] }[]} lines */
export function spanLines(title, lines) {
	const spans = lines.flatMap((l) => l.spans).filter((s) => isDrawn(s.p50)), width = 2 * PANEL + GAP, left = 290, right = width - 30;
	const low = Math.floor(Math.log10(Math.min(...spans.map((s) => s.p50)))), high = Math.ceil(Math.log10(Math.max(...spans.map((s) => s.p99))));
	const at = (v) => left + (Math.log10(v) - low) / (high - low) * (right - left), parts = [text(0, 14, title, 'title')], bottom = HEAD + ROW * spans.length + 4;
	for (let e = low; e <= high; e++)
		parts.push(`<line class="line" x1="${at(10 ** e).toFixed(1)}" x2="${at(10 ** e).toFixed(1)}" y1="${HEAD - 6}" y2="${bottom}"/>`, text(at(10 ** e), bottom + 14, `${10 ** e} ms`, 'note', 'middle'));
	let y = HEAD;
	for (const line of lines)
		for (const [i, s] of line.spans.filter((one) => isDrawn(one.p50)).entries()) {
			const middle = y + ROW / 2;
			parts.push(i ? '' : text(left - 100, middle + 4, line.label, '', 'end'), text(left - 8, middle + 4, s.name, 'note', 'end'),
				`<line class="${kind(line)} span" x1="${at(s.p50).toFixed(1)}" x2="${at(s.p99).toFixed(1)}" y1="${middle}" y2="${middle}"/>`, `<circle class="${kind(line)}" cx="${at(s.p50).toFixed(1)}" cy="${middle}" r="5"/>`,
				`<circle class="${kind(line)}" cx="${at(s.p95).toFixed(1)}" cy="${middle}" r="3"/>`);
			y += ROW;
		}
	return whole(width, bottom + 22, title, parts.filter(Boolean));
}
