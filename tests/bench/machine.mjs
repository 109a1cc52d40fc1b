// SPDX-License-Identifier: GPL-3.0-or-later
/** On what a run was made. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { calibration } from './cost.mjs';

const system = () => /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown system';

const CLIENTS = ['chromium', 'tigervnc-viewer', 'freerdp3-x11', 'xvfb'];

/** @param {string} name of a Debian package @returns {string} '' when it is not installed */
export function packageVersion(name) {
	try { return execFileSync('dpkg-query', ['-W', '-f=${Version}', name], { stdio: ['ignore', 'pipe', 'ignore'] }).toString(); } catch { return ''; }
}

/** To be asked before the run: the load is that of others. */
export const machine = () => ({ date: new Date().toISOString().slice(0, 10), system: system(), processor: cpus()[0]?.model.trim() || 'unknown processor', cores: cpus().length,
	clients: CLIENTS.map((name) => `${name} ${packageVersion(name)}`),
	load: loadavg()[0].toFixed(2), calibrationMs: Math.min(calibration(), calibration(), calibration()) });
