// SPDX-License-Identifier: GPL-3.0-or-later
/** A running installation: its credentials, its API, its desktops' screens as the X server has them. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import https from 'node:https';

export const DATA = process.env.PUESTO_DATA ?? '';
export const PORTS = { https: Number(process.env.PUESTO_HTTPS), rdp: Number(process.env.PUESTO_RDP), vnc: Number(process.env.PUESTO_VNC) };
export const ORIGIN = `https://localhost:${PORTS.https}`;
const ca = readFileSync(`${DATA}/pki/ca.pem`);

/** @param {string} user */
export function password(user) {
	const line = readFileSync(`${DATA}/credentials`, 'utf8').split('\n').find((l) => l.startsWith(`user=${user} `));
	return line?.split('password=')[1] ?? '';
}

/** Asks until the answer is true (returned), or fails with what was waited for. @template T @param {string} what @param {() => Promise<T> | T} check */
export async function until(what, check, seconds = 20) {
	const end = Date.now() + seconds * 1000;
	for (;;) {
		const answer = await check();
		if (answer)
			return answer;
		if (Date.now() > end)
			throw new Error(`it never came to this within ${seconds} s: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 60));
	}
}

/** One HTTPS request; the body of an answer is parsed when it is JSON. */
export function request(method, path, { body, headers = {} } = {}) {
	return new Promise((resolve, reject) => {
		const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
		const r = https.request({ host: 'localhost', port: PORTS.https, method, path, ca, agent: false,
			headers: { ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }), ...headers } }, (answer) => {
			const parts = [];
			answer.on('data', (d) => parts.push(d));
			answer.on('end', () => {
				const whole = Buffer.concat(parts).toString();
				let data = whole;
				try { data = JSON.parse(whole); } catch { /* not JSON */ }
				resolve({ status: answer.statusCode, headers: answer.headers, data });
			});
		});
		r.on('error', reject);
		r.end(text);
	});
}

/** A logged-in caller of the API. */
export class Caller {
	static async login(user, secret = password(user)) {
		const answer = await request('POST', '/api/v1/sessions', { body: { user, password: secret } });
		if (answer.status !== 201)
			throw new Error(`log-in of ${user}: ${answer.status} ${JSON.stringify(answer.data)}`);
		const caller = new Caller();
		caller.headers = { cookie: answer.headers['set-cookie'][0].split(';')[0], 'x-csrf-token': answer.data.csrf, origin: ORIGIN };
		return caller;
	}

	call(method, path, body) {
		return request(method, `/api/v1${path}`, { body, headers: this.headers });
	}

	async list(path) {
		return (await this.call('GET', path)).data.items;
	}
}

/** The desktop's process 1, as the host sees it. */
export function desktopPid(id) {
	return JSON.parse(readFileSync(`${DATA}/desktops/${id}/pid`, 'utf8')).pid;
}

export function desktopFile(id, path) {
	return readFileSync(`/proc/${desktopPid(id)}/root${path}`);
}

export function desktopEntries(id, path) {
	return readdirSync(`/proc/${desktopPid(id)}/root${path}`);
}

/** The screen in the X server's own memory: an XWD file, B G R X, cut to width × height. */
export function desktopScreen(id, width, height) {
	const file = desktopFile(id, '/run/puesto-x/Xvfb_screen0');
	const header = file.readUInt32BE(0), stride = file.readUInt32BE(48), colours = file.readUInt32BE(76);
	const start = header + colours * 12;
	const rgb = Buffer.alloc(width * height * 3);
	for (let y = 0, to = 0; y < height; y++)
		for (let x = 0, from = start + y * stride; x < width; x++, from += 4) {
			rgb[to++] = file[from + 2];
			rgb[to++] = file[from + 1];
			rgb[to++] = file[from];
		}
	return rgb;
}

/** Pixels of a window of a display, as R G B rows. */
export function grab(display, window) {
	const ppm = execFileSync('import', ['-window', window, '-depth', '8', 'ppm:-'], { env: { ...process.env, DISPLAY: display }, maxBuffer: 1 << 28 });
	const [, w, h] = /^P6\s(\d+)\s(\d+)\s\d+\s/.exec(ppm.subarray(0, 32).toString('latin1')) ?? [];
	const width = Number(w), height = Number(h);
	return { width, height, rgb: ppm.subarray(ppm.length - width * height * 3) };
}

/** How many pixels of two R G B pictures differ. */
export function differing(a, b) {
	let count = 0;
	for (let i = 0; i < a.length; i += 3)
		if (a[i] !== b[i] || a[i + 1] !== b[i + 1] || a[i + 2] !== b[i + 2])
			count++;
	return count;
}
