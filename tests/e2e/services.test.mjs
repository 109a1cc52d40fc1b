// SPDX-License-Identifier: GPL-3.0-or-later
/** Services and workers that are killed under a stream. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { canvas, exact, live, openDesktop } from './browser.mjs';
import { same } from './desktop.mjs';
import { Caller, DATA, desktopOf, request, someUser, until } from './installation.mjs';

const admin = await Caller.login('admin');
await someUser(admin, 'ana');

const parentOf = (pid) => { try { return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]); } catch { return 0; } };

/** The display processes of this installation: below its gateway. */
function workers() {
	const gateway = Number(readFileSync(`${DATA}/run/gateway.pid`, 'utf8'));
	return readdirSync('/proc').filter((p) => /^\d+$/.test(p)).map(Number).filter((pid) => {
		try { return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('puesto-worker') && [parentOf(pid), parentOf(parentOf(pid))].includes(gateway); } catch { return false; }
	});
}

test('the stream goes on while broker and provisioner are killed, and nothing is doubled', async () => {
	const { context, page } = await openDesktop('demo');
	const desktop = await desktopOf(admin, 'demo');
	const before = (await admin.list('/desktops')).map((d) => d.id).sort();
	for (const name of ['broker', 'provisioner']) {
		process.kill(Number(readFileSync(`${DATA}/run/${name}.pid`, 'utf8')), 'SIGKILL');
		await page.keyboard.type('x');
	}
	assert.equal(await page.evaluate(() => window.puesto.state), 'live');
	await same('the browser, without a broker,', desktop, () => canvas(page));
	execFileSync(`${process.env.PUESTO_SOURCE}/deploy/up`, ['--data', DATA, '--no-install', '--no-build'], { stdio: 'ignore' });
	await until('the API is back', async () => (await request('GET', '/api/v1/openapi.json')).status === 200);
	assert.equal(await page.evaluate(() => window.puesto.state), 'live');
	const again = (await admin.list('/desktops')).map((d) => d.id).sort();
	assert.deepEqual(again.filter((id) => before.includes(id)), before);
	assert.equal(await desktopOf(admin, 'demo'), desktop);
	await context.close();
});

test('a killed worker ends its own session alone, says so, and the browser comes back', async () => {
	const ana = await openDesktop('ana');
	await until('only her worker is left', () => workers().length === 1);
	const hers = workers();
	const { context, page } = await openDesktop('demo');
	const desktop = await desktopOf(admin, 'demo');
	const [victim] = workers().filter((pid) => !hers.includes(pid));
	assert.ok(victim, 'the second display has a process of its own');
	const since = (await admin.list('/events?limit=1'))[0].seq;
	for (const one of [page, ana.page]) {
		await one.evaluate(() => {
			window.seen = [];
			const veil = document.getElementById('veil');
			new MutationObserver(() => veil.hidden || window.seen.push(veil.innerText)).observe(veil, { subtree: true, childList: true, characterData: true, attributes: true });
		});
	}
	process.kill(victim, 'SIGKILL');
	await until('the client notices', () => page.evaluate(() => window.seen.length > 0));
	await live(page);
	await exact(page);
	await same('the browser, on a new worker,', desktop, () => canvas(page));
	const told = await page.evaluate(() => window.seen.join('\n'));
	assert.match(told, /conexión/);
	assert.match(told, /proceso/, 'the reason is told');
	assert.equal(await desktopOf(admin, 'demo'), desktop);
	assert.deepEqual(await ana.page.evaluate(() => [window.puesto.state, window.seen.length]), ['live', 0]);
	assert.ok(workers().includes(hers[0]), 'her worker goes on');
	const audit = await until('the audit tells the end', async () => (await admin.list(`/events?after=${since}`)).find((e) => /session|display/.test(e.type ?? e.kind ?? '') && /crash|died|killed/i.test(JSON.stringify(e))));
	assert.match(JSON.stringify(audit), new RegExp(desktop), 'the audit names the desktop');
	await context.close();
	await ana.context.close();
});
