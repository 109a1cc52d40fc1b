// SPDX-License-Identifier: GPL-3.0-or-later
/** Opens each wire in turn, measures it, and writes what came out. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { writeDocs } from './docs.mjs';
import { drawings } from './drawings.mjs';
import { machine } from './machine.mjs';
import { measure, measureAlone } from './measure.mjs';
import { media } from './media.mjs';
import { options } from './options.mjs';
import { report } from './report.mjs';
import { endPrograms } from './screens.mjs';
import { endTools } from './tool.mjs';
import { WIRES } from './wires.mjs';

const wanted = options(process.argv.slice(2));
if ('error' in wanted) {
	console.error(`tests/bench: ${wanted.error}`);
	process.exit(1);
}
const unknown = wanted.wires.filter((name) => !WIRES.some((w) => w.name === name));
if (unknown.length) {
	console.error(`tests/bench: there is no wire ${unknown.join(', ')}; there are: ${WIRES.map((w) => w.name).join(', ')}`);
	process.exit(1);
}
process.on('exit', () => {
	endTools();
	endPrograms();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
	process.on(signal, () => process.exit(1));
/* A client that breaks must not take the run with it: its wire is left out. */
process.on('unhandledRejection', (reason) => console.error(`  ${reason?.message ?? reason}`));

const of = machine();
await media();
const results = { machine: of, size: wanted.size, plan: wanted.plan, alone: await measureAlone(wanted.plan, wanted.size), wires: [], leftOut: [] };

/** Each wire gets its share of the time that is left, so that a slow one costs the others rounds and not their place. */
const planFor = (left) => ({ ...wanted.plan, wireSeconds: Math.min(wanted.plan.wireSeconds, (wanted.plan.totalSeconds - performance.now() / 1000) / left) });

/** @param {any} wire @param {number} left wires that wait, this one included */
async function one(wire, left) {
	const { name, title, isOurs = false, settings, lacks = () => '', version = () => '' } = wire, began = performance.now();
	console.error(`measuring: ${title}`);
	try {
		const reason = lacks();
		if (reason)
			throw new Error(reason);
		results.wires.push({ name, title, isOurs, settings, version: version(), ...await measure(wire, planFor(left), wanted.size) });
		console.error(`  ${((performance.now() - began) / 1000).toFixed(0)} s`);
	} catch (reason) {
		console.error(`  left out: ${reason.message}`);
		results.leftOut.push({ name, title, reason: reason.message });
		process.exitCode = isOurs ? 1 : process.exitCode;
	}
}

const chosen = WIRES.filter((w) => !wanted.wires.length || wanted.wires.includes(w.name));
for (const [i, wire] of chosen.entries())
	await one(wire, chosen.length - i);
const markdown = report(results), svgs = drawings(results);
mkdirSync(wanted.out, { recursive: true });
writeFileSync(`${wanted.out}/results.json`, JSON.stringify(results, null, '\t'));
writeFileSync(`${wanted.out}/results.md`, markdown);
for (const [name, svg] of Object.entries(svgs))
	writeFileSync(`${wanted.out}/${name}`, svg);
if (wanted.docs)
	writeDocs(markdown, svgs);
process.stdout.write(markdown);
process.exit();
