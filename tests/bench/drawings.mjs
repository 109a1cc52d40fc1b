// SPDX-License-Identifier: GPL-3.0-or-later
/** Which drawings a run gives. */

import { OPERATIONS } from './measure.mjs';
import { barPanels, spanLines } from './plot.mjs';
import { bytes, figure } from './text.mjs';

const DRAWN = ['window', 'put48', 'page', 'seen', 'drag', 'pan'];

/** @param {any} results @param {(w: any) => number | undefined} of */
const bars = ({ wires }, of) => wires.map((w) => ({ label: w.title, isOurs: w.isOurs, value: of(w) }));

const perOperation = (results, of, format, note) => OPERATIONS.filter(({ name }) => DRAWN.includes(name) && results.plan.operations.includes(name)).map(({ name, title, unit }) =>
	({ title, note: `${note} / ${unit}`, format, bars: bars(results, (w) => w.operations?.[name]?.[of]?.median) }));

/** @param {any} results of a run @returns {Record<string, string>} SVG by file name; a drawing without a figure is left out */
export function drawings(results) {
	const all = {}, has = (of) => results.wires.some((w) => Number.isFinite(of(w)));
	if (has((w) => Object.values(w.operations ?? {})[0]?.down.median)) {
		all['bench-bytes.svg'] = barPanels('Bytes down per operation', perOperation(results, 'down', bytes, 'bytes'));
		all['bench-cpu.svg'] = barPanels('Server time per operation', perOperation(results, 'cpu', figure, 'ms'));
	}
	if (has((w) => w.latency?.total?.p50))
		all['bench-latency.svg'] = spanLines('From a key to its pixel: median, 95th and 99th of a hundred', results.wires.filter((w) => w.latency?.total).map((w) =>
			({ label: w.title, isOurs: w.isOurs, spans: [{ name: 'still', ...w.latency.total }, { name: 'during a clip', ...w.mixed?.keys?.total }] })));
	if (has((w) => w.clip?.mbit))
		all['bench-clip.svg'] = barPanels('A clip of 640 × 360 at 30 frames a second', [
			{ title: 'bandwidth', note: 'Mbit/s', format: figure, bars: bars(results, (w) => w.clip?.mbit) },
			{ title: 'frames that are seen', note: '%', format: (v) => v.toFixed(0), bars: bars(results, (w) => w.clip && 100 * w.clip.share) },
			{ title: 'server time', note: 'ms / frame', format: figure, bars: bars(results, (w) => w.clip?.cpu) },
			{ title: 'likeness', note: 'SSIM', format: (v) => v.toFixed(3), bars: bars(results, (w) => w.clip?.ssim) }]);
	return all;
}
