// SPDX-License-Identifier: GPL-3.0-or-later
/** What a run is to do, from its command line. */

import { OPERATIONS } from './measure.mjs';

export const USAGE = `tests/bench/run [options] [wire …]

  --quick              Puesto's wires, few repetitions: about 2 minutes
  --all                every wire that this machine can run, slow networks, and docs/benchmarks.md is written anew: about 14 minutes
  --size WxH           of the desktop (1280x800)
  --only NAME,…        operations, of: type, line, window, caret, copy48, put48, copy3, put3, page, seen, drag, pan
  --network NAME,…     slow paths too, of: wan (10 Mbit/s, 40 ms), far (200 ms), home (20 Mbit/s, 20 ms)
  --out DIR            where results.json and the drawings go (build/tests/bench/out)
  --docs               write the tables and drawings into docs/
  --no-install         leave the packages alone

Wires: browser, vnc, rdp of Puesto; tigervnc, tigervnc-lossless, x11vnc, xpra, novnc, shadow-rfx, shadow-avc420, xrdp. Without a name: all.
`;

/** Round-trip times are twice the one-way delays. `hasPeers`: also measured with the peers that stand in fullPeers; `isConnecting`: a log-in is timed, too. */
export const NETWORKS = [
	{ name: 'wan', title: '10 Mbit/s, 40 ms', delayMs: 20, kbit: 10000, hasPeers: true },
	{ name: 'far', title: '200 ms', delayMs: 100, kbit: 0 },
	{ name: 'home', title: '20 Mbit/s, 20 ms', delayMs: 10, kbit: 20000, isConnecting: true },
];

const PLANS = {
	usual: { rounds: 5, quietMs: 300, exactMs: 2000, keys: 120, peerKeys: 60, keyMs: 15, clipSeconds: 4, mixedKeys: 40, movieSeconds: 2.5, idleSeconds: 6, networkKeys: 12, networkSeconds: 2.5, wireSeconds: 80, totalSeconds: 840 },
	quick: { rounds: 2, quietMs: 250, exactMs: 1500, keys: 40, peerKeys: 40, keyMs: 15, clipSeconds: 2.5, mixedKeys: 20, movieSeconds: 0, idleSeconds: 4, networkKeys: 10, networkSeconds: 2.5, wireSeconds: 60, totalSeconds: 840 },
};

/** @param {string[]} words @returns {{ plan: any, wires: string[], size: any, out: string, docs: boolean } | { error: string }} */
export function options(words) {
	const wires = [], values = new Map(), flags = new Set();
	for (let i = 0; i < words.length; i++) {
		if (['--size', '--only', '--network', '--out'].includes(words[i]))
			values.set(words[i], words[++i] ?? '');
		else if (['--quick', '--all', '--docs'].includes(words[i]))
			flags.add(words[i]);
		else if (words[i].startsWith('-'))
			return { error: `there is no option ${words[i]}\n\n${USAGE}` };
		else
			wires.push(words[i]);
	}
	const size = /^(\d{3,4})x(\d{3,4})$/.exec(values.get('--size') ?? '1280x800');
	if (!size)
		return { error: `--size wants WIDTHxHEIGHT\n\n${USAGE}` };
	const names = (option, all) => values.get(option)?.split(',') ?? all;
	const networks = names('--network', flags.has('--all') ? NETWORKS.map(({ name }) => name) : []), only = names('--only', OPERATIONS.map(({ name }) => name));
	const unknown = [...networks.filter((n) => !NETWORKS.some(({ name }) => name === n)), ...only.filter((n) => !OPERATIONS.some(({ name }) => name === n))];
	if (unknown.length)
		return { error: `there is no ${unknown.join(', ')}\n\n${USAGE}` };
	return { wires: wires.length ? wires : flags.has('--quick') ? ['browser', 'vnc', 'rdp'] : [], size: { width: Number(size[1]), height: Number(size[2]) },
		out: values.get('--out') || `${process.env.PUESTO_BUILD}/tests/bench/out`, docs: flags.has('--docs') || flags.has('--all'),
		plan: { ...(flags.has('--quick') ? PLANS.quick : PLANS.usual), seed: 1, operations: only, networks: NETWORKS.filter(({ name }) => networks.includes(name)), fullPeers: ['tigervnc'] } };
}
