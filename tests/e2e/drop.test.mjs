// SPDX-License-Identifier: GPL-3.0-or-later
/** A network that drops: the browser comes back by itself, without a log-in, to the same desktop and the same picture. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canvas, exact, live, openDesktop } from './browser.mjs';
import { processes, run, same } from './desktop.mjs';
import { Caller, desktopOf, PORTS, until } from './installation.mjs';
import { Relay } from './relay.mjs';

const admin = await Caller.login('admin');
const relay = await new Relay(PORTS.https).listen();
const { context, page } = await openDesktop('demo', { origin: `https://localhost:${relay.port}` });
const desktop = await desktopOf(admin, 'demo');
const logins = () => admin.list('/events?limit=200').then((all) => all.filter((e) => /login/.test(JSON.stringify(e.type ?? e.kind))).length);

/** Changes the whole screen while nobody can see it. */
function redraw(colour) {
	const before = processes(desktop, 'xterm').length;
	run(desktop, ['xsetroot', '-solid', colour]);
	run(desktop, ['sh', '-c', `xterm -geometry 60x12+200+120 -e sh -c 'seq 1 60; echo "${colour}"; sleep 60' >/dev/null 2>&1 &`]);
	return until('the terminal is up', () => processes(desktop, 'xterm').length > before);
}

test('a reset: the browser asks for a new ticket by itself and is exact again', async () => {
	await exact(page);
	const before = await logins();
	await redraw('#204a87');
	relay.cut();
	await page.waitForFunction(() => window.puesto.state !== 'live', null, { timeout: 10000 });
	await live(page);
	await exact(page);
	await same('the browser, after a reset,', desktop, () => canvas(page));
	assert.equal(await desktopOf(admin, 'demo'), desktop);
	assert.equal(await logins(), before, 'nobody logged in again');
});

test('resets in a row, also in the middle of reconnecting', async () => {
	for (let i = 0; i < 4; i++) {
		relay.cut();
		await page.waitForTimeout(150 + 350 * i); /* each in another phase of the reconnection */
	}
	await live(page);
	await exact(page);
	await same('the browser, after several resets,', desktop, () => canvas(page));
});

test('a path that is silent for some seconds: the picture catches up', async () => {
	relay.silence(true);
	await redraw('#8f5902');
	await page.waitForTimeout(5000); /* the silence itself */
	relay.silence(false);
	await live(page);
	await exact(page);
	await same('the browser, after a silence,', desktop, () => canvas(page));
	assert.equal(await desktopOf(admin, 'demo'), desktop);
});

test('silence and then a reset, as a suspended laptop has it', async () => {
	relay.silence(true);
	await redraw('#4e9a06');
	await page.waitForTimeout(2000);
	relay.cut();
	relay.silence(false);
	await live(page);
	await exact(page);
	await same('the browser, after a suspension,', desktop, () => canvas(page));
	await context.close();
	relay.close();
});
