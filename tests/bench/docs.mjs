// SPDX-License-Identifier: GPL-3.0-or-later
/** Writes a run into docs/benchmarks.md, between its two markers, and its drawings beside. */

import { readFileSync, writeFileSync } from 'node:fs';

const BEGIN = '<!-- the run: written by tests/bench/run -->', END = '<!-- end of the run -->';
const ALTS = { 'bench-bytes.svg': 'Bytes per operation of each wire', 'bench-cpu.svg': 'Server time per operation of each wire', 'bench-latency.svg': 'From a key to its pixel, for each wire', 'bench-clip.svg': 'What a clip costs on each wire' };

/** @param {string} markdown @param {Record<string, string>} svgs */
export function writeDocs(markdown, svgs) {
	const folder = `${process.env.PUESTO_SOURCE}/docs`, page = `${folder}/benchmarks.md`, text = readFileSync(page, 'utf8'), from = text.indexOf(BEGIN), to = text.indexOf(END);
	if (from < 0 || to < from)
		throw new Error('docs/benchmarks.md has lost its markers');
	const pictures = Object.keys(svgs).map((name) => `![${ALTS[name] ?? name}](images/${name})`).join('\n\n');
	for (const [name, svg] of Object.entries(svgs))
		writeFileSync(`${folder}/images/${name}`, svg);
	writeFileSync(page, `${text.slice(0, from)}${BEGIN}\n\n${pictures}\n\n${markdown}\n${text.slice(to)}`);
}

