// SPDX-License-Identifier: GPL-3.0-or-later
/** A running installation: its credentials and its API. */

import { readFileSync } from 'node:fs';
import https from 'node:https';
import { after } from 'node:test';

export const DATA = process.env.PUESTO_DATA ?? '';
export const PORTS = { https: Number(process.env.PUESTO_HTTPS), rdp: Number(process.env.PUESTO_RDP), vnc: Number(process.env.PUESTO_VNC) };
export const ORIGIN = `https://localhost:${PORTS.https}`;
const ca = readFileSync(`${DATA}/pki/ca.pem`);

/** What is to be ended with this program, be it a test or a bench. @type {(end: () => any) => void} */
export const atEnd = process.argv[1]?.endsWith('.test.mjs') ? after : (end) => process.on('exit', end);

/** Asks until the answer is true (returned), or fails with what was waited for. @template T @param {string} what @param {() => Promise<T> | T} check */
export async function until(what, check, seconds = 20) {
	const end = Date.now() + seconds * 1000;
	for (;;) {
		const began = Date.now();
		const answer = await check();
		if (answer)
			return answer;
		const now = Date.now();
		if (now > end)
			throw new Error(`it never came to this within ${seconds} s: ${what}`);
		/* A look that costs much comes less often: what is waited for needs the processor too. */
		await new Promise((resolve) => setTimeout(resolve, Math.min(500, Math.max(60, 2 * (now - began)))));
	}
}

/** One HTTPS request, from another loopback address if one is named; the body of an answer is parsed when it is JSON. */
export function request(method, path, { body, headers = {}, from } = {}) {
	return new Promise((resolve, reject) => {
		const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
		const r = https.request({ host: 'localhost', localAddress: from, family: 4, port: PORTS.https, method, path, ca, agent: false,
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

/** Passwords of the users that the tests make. */
const made = new Map();

/** @param {string} user */
export function password(user) {
	const line = readFileSync(`${DATA}/credentials`, 'utf8').split('\n').find((l) => l.startsWith(`user=${user} `));
	return line?.split('password=')[1] ?? made.get(user) ?? '';
}

/** A user of the demo pool, made if it is not there yet. @param {Caller} admin @param {string} name */
export async function someUser(admin, name) {
	made.set(name, `Una-clave-larga-de-${name}`);
	const { status } = await admin.call('POST', '/users', { name, display_name: name, password: password(name) });
	if (status === 201)
		await admin.call('POST', '/entitlements', { pool: 'demo', user: name });
	else if (status !== 409)
		throw new Error(`the user ${name} could not be made: ${status}`);
}

/** The desktop that a user has. @param {Caller} admin @param {string} user */
export async function desktopOf(admin, user) {
	return (await until(`${user} has a desktop`, async () => (await admin.list('/desktops')).find((d) => (d.user?.name ?? d.user) === user))).id;
}
