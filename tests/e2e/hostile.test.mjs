// SPDX-License-Identifier: GPL-3.0-or-later
/** People with bad intentions: bytes without a sense, hostile API calls, guessed passwords. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { test } from 'node:test';
import { Caller, DATA, PORTS, request, someUser } from './installation.mjs';

const admin = await Caller.login('admin');
await someUser(admin, 'carla');

/** Sends bytes, returns what came until the end or for two seconds. */
function say(port, bytes) {
	return new Promise((resolve) => {
		const parts = [];
		const s = net.connect(port, '127.0.0.1', () => s.end(bytes));
		s.setTimeout(2000, () => s.destroy());
		s.on('data', (d) => parts.push(d));
		s.on('error', () => {});
		s.on('close', () => resolve(Buffer.concat(parts)));
	});
}

const memory = (name) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${readFileSync(`${DATA}/run/${name}.pid`, 'utf8').trim()}/status`, 'utf8'))[1]);

test('malformed bytes on every port leave the services as they were', async () => {
	const before = { broker: memory('broker'), gateway: memory('gateway') };
	for (let i = 0; i < 40; i++) {
		const noise = Buffer.from(Array.from({ length: 300 }, (_, k) => (k * 37 + i * 101) & 255));
		await Promise.all([say(PORTS.https, noise), say(PORTS.rdp, noise), say(PORTS.vnc, noise), say(PORTS.rdp, Buffer.from([3, 0, 255, 255])),
			say(PORTS.vnc, 'RFB 003.008\n\x00'), say(PORTS.https, 'GET / HTTP/1.1\r\n\r\n')]);
	}
	assert.equal((await request('GET', '/api/v1/openapi.json')).status, 200);
	for (const name of ['broker', 'gateway'])
		assert.ok(memory(name) < before[name] + 20000, `${name} grew from ${before[name]} to ${memory(name)} KiB`);
});

test('hostile API calls get clear refusals', async () => {
	const cases = [['POST', '/api/v1/sessions', '{"user":', 400], ['POST', '/api/v1/sessions', '[]', 400], ['GET', '/api/v1/pools', undefined, 401],
		['GET', '/api/v1/../../etc/passwd', undefined, 404], ['DELETE', '/api/v1/me', undefined, 401], ['GET', '/%2e%2e/etc/passwd', undefined, 404]];
	for (const [method, path, body, status] of cases) {
		const answer = await request(method, path, { body });
		assert.ok(answer.status === status || (answer.status >= 400 && answer.status < 500), `${method} ${path}: ${answer.status}`);
	}
	assert.equal((await admin.call('POST', '/users', { name: 'a\nb', password: 'Una-clave-larga-1234' })).status >= 400, true);
});

test('wrong passwords never say why, and slow down', async () => {
	const seen = new Set();
	for (let i = 0; i < 12; i++)
		seen.add((await request('POST', '/api/v1/sessions', { body: { user: i % 2 ? 'nobody' : 'carla', password: 'wrong' }, from: '127.0.0.2' })).status);
	assert.ok(seen.has(401) && seen.has(429), [...seen].join());
	assert.ok(await Caller.login('demo'), 'others are not slowed down');
});
