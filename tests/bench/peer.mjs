// SPDX-License-Identifier: GPL-3.0-or-later
/** What all peers have in common: a screen with the drawing program on it, a server that shows it, and a client behind the relay. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { DATA } from '../e2e/installation.mjs';
import { familyOf } from './cost.mjs';
import { Painter } from './painter.mjs';
import { Path } from './path.mjs';
import { answering, freeDisplay, has, listens, ROOM, screen, until } from './screens.mjs';

const FIRST_PORT = Number(process.env.PUESTO_BENCH_PORT ?? 34700), LAST_PORT = FIRST_PORT + 99;

/** A port that nobody listens on. */
export function freePort() {
	for (let port = FIRST_PORT; port <= LAST_PORT; port++)
		if (!listens(port))
			return port;
	throw new Error(`the ports ${FIRST_PORT} to ${LAST_PORT} are all taken`);
}

/** A home of its own, so that no setting of this machine's user counts. */
export function freshHome(scope) {
	const home = mkdtempSync(`${DATA}/peer-`);
	scope.add(() => rmSync(home, { recursive: true, force: true }));
	return { home, env: { ...process.env, HOME: home, XDG_RUNTIME_DIR: home, XDG_CONFIG_HOME: `${home}/.config` } };
}

/** A sentence when a program or a file of the peer's package is missing, '' when all are there. */
export const lacks = (...needed) => () => needed.filter((one) => one.includes('/') ? !existsSync(one) : !has(one)).map((one) => `${one} is not installed`).join(', ');

/** An Xvfb for a server that shows another X server's screen. */
export async function shownScreen(size, scope) {
	const { at, server } = await screen(size, scope);
	return { at, processes: { screen: [server.pid] } };
}

/** An X server that is its own VNC server. @param {(string | number)[]} more */
export async function xtigervnc(size, port, scope, more = []) {
	const at = freeDisplay();
	const server = scope.launch('Xtigervnc', [at, '-geometry', `${size.width}x${size.height}`, '-depth', 24, '-rfbport', port, '-localhost', '-AlwaysShared', '-noreset', ...more]);
	await answering(at, server);
	return { at, processes: { session: [server.pid] } };
}

async function draw(at, size, scope) {
	const painter = await Painter.onDisplay(at, size);
	scope.add(() => painter.close());
	return painter;
}

/**
 * @param {(of: { size: any, scope: any, port: number }) => Promise<{ at: string, processes: Record<string, number[]>  }>} serve opens the server with its screen
 * @param {(of: { at: string, port: number, size: any, scope: any }) => any} client opens the client
 */
export const peer = (serve, client, { room = ROOM, drawsLate = false } = {}) => async ({ size, scope }) => {
	const port = freePort(), { at, processes } = await serve({ size, scope, port });
	await until('the peer listens', () => listens(port), 30);
	const path = await Path.to(port);
	scope.add(() => path.close());
	const early = drawsLate ? undefined : await draw(at, size, scope);
	const own = await screen({ width: size.width + room, height: size.height + room }, scope);
	const began = Number(process.hrtime.bigint());
	await client({ at: own.at, port: path.port, size, scope });
	await until('the peer\'s client has connected', async () => (await path.count()).down > 1000, 30);
	const last = await path.settled(400, 15000);
	const painter = early ?? await draw(at, size, scope);
	const families = () => Object.fromEntries(Object.entries(processes).map(([what, pids]) => [what, [...new Set(pids.flatMap(familyOf))]]));
	return { path, painter, client: own, server: at, connectMs: (last - began) / 1e6, processes: families() };
};
