// SPDX-License-Identifier: GPL-3.0-or-later
/** On what a run was made. */

import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { calibration } from './cost.mjs';

const system = () => /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown system';

/** To be asked before the run: the load is that of others. */
export const machine = () => ({ date: new Date().toISOString().slice(0, 10), system: system(), processor: cpus()[0]?.model.trim() || 'unknown processor', cores: cpus().length,
	load: loadavg()[0].toFixed(2), calibrationMs: Math.min(calibration(), calibration(), calibration()) });
