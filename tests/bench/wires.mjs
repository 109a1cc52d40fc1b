// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The wires that are measured: Puesto's three, and a peer's for two of them. Each opens its client through a relay and names the processes of its
 * server; the drawing program draws on the screen that the server shows.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { enter, newPage } from '../e2e/browser.mjs';
import { display, launch, onDisplay, rdp, vnc } from '../e2e/clients.mjs';
import { hostPids } from '../e2e/desktop.mjs';
import { Caller, DATA, desktopOf, PORTS, until } from '../e2e/installation.mjs';
import { Relay } from '../e2e/relay.mjs';
import { Workload } from '../e2e/workload.mjs';
import { familyOf, nameOf } from './cost.mjs';

export const SCREEN = { width: 1280, height: 800 };
const WINDOW = [40, 40, 1100, 640];

/**
 * @typedef {object} Running
 * @property {Relay} relay
 * @property {Workload} workload
 * @property {Record<string, number[]>} processes by what they are; `session` are those that exist for this viewer alone
 * @property {() => Promise<void>} close
 */

const gatewayFamily = () => familyOf(Number(readFileSync(`${DATA}/run/gateway.pid`, 'utf8')));

/** Opens a client of ours and waits for its worker. @param {number} port @param {(relay: Relay) => Promise<() => any>} open returns what closes it */
async function ours(port, open) {
	const relay = await new Relay(port).listen();
	const before = new Set(gatewayFamily());
	const shut = await open(relay);
	const firstFrame = await relay.settled();
	const admin = await Caller.login('admin');
	const desktop = await desktopOf(admin, 'demo');
	const workers = gatewayFamily().filter((pid) => !before.has(pid) && nameOf(pid).startsWith('puesto-worker'));
	const workload = await Workload.onDesktop(desktop, ...WINDOW);
	return { relay, workload, firstFrame,
		processes: { session: workers, gateway: gatewayFamily().filter((pid) => before.has(pid)), agent: hostPids(desktop, 'puesto-agent'), screen: hostPids(desktop, 'Xvfb') },
		close: async () => {
			workload.close();
			await shut();
			relay.close();
			await until('the worker has ended', () => workers.every((pid) => !nameOf(pid).startsWith('puesto-worker')));
		} };
}

async function openBrowser(relay) {
	const { context, page } = await newPage({ viewport: SCREEN });
	const origin = `https://localhost:${relay.port}`;
	relay.begin();
	const pool = await enter(page, 'demo', undefined, origin);
	await page.goto(`${origin}/client/?pool=${pool}`);
	await page.waitForFunction(() => window.puesto?.state === 'live', null, { timeout: 40000 });
	return () => context.close();
}

/** @param {(at: string, port: number) => import('node:child_process').ChildProcess} start */
const openViewer = (start) => async (relay) => {
	const at = await display();
	relay.begin();
	const child = start(at, relay.port);
	await until('the viewer has connected', () => relay.down > 1000);
	return () => child.kill();
};

/** A peer's server, its client, and the drawing program on its screen. */
async function peer({ at, server, screen, port, client }) {
	const relay = await new Relay(port).listen();
	await until('the peer listens', () => execFileSync('ss', ['-ltnH', `sport = :${port}`]).length > 0);
	/* Its screen would be empty otherwise. */
	const workload = await Workload.onDisplay(at, ...WINDOW);
	const on = await display();
	relay.begin();
	const child = client(on, relay.port);
	await until('the peer\'s client has connected', () => relay.down > 1000);
	const firstFrame = await relay.settled();
	return { relay, workload, firstFrame, processes: { session: [server.pid], screen: screen ? [screen.pid] : [] },
		close: async () => {
			workload.close();
			child.kill();
			server.kill();
			screen?.kill();
			relay.close();
		} };
}

const size = `${SCREEN.width}x${SCREEN.height}`;

async function tigervnc() {
	const at = ':151', port = PORTS.vnc + 1;
	const server = launch('Xtigervnc', [at, '-geometry', size, '-depth', '24', '-SecurityTypes', 'TLSNone', '-rfbport', String(port), '-localhost', '-AlwaysShared', '-noreset'], { stdio: 'ignore' });
	const client = (on, to) => launch('vncviewer', ['-SecurityTypes', 'TLSNone', `localhost::${to}`], { env: { ...process.env, DISPLAY: on }, stdio: 'ignore' });
	return peer({ at, server, port, client });
}

async function shadow() {
	const at = ':152', port = PORTS.rdp + 1, home = mkdtempSync('/var/tmp/puesto-bench-home-');
	const screen = launch('Xvfb', [at, '-screen', '0', `${size}x24`, '-nolisten', 'tcp'], { stdio: 'ignore' });
	await until('the peer\'s X server', () => { try { return onDisplay(at, ['xdpyinfo']); } catch { return false; } });
	const server = launch('freerdp-shadow-cli3', [`/port:${port}`, '/bind-address:127.0.0.1', '-auth', '/sec:tls'], { env: { ...process.env, DISPLAY: at, HOME: home }, stdio: 'ignore' });
	const client = (on, to) => launch('xfreerdp3', [`/v:localhost:${to}`, '/u:x', '/p:x', '/sec:tls', '/cert:ignore', '/gfx', `/size:${size}`, '/log-level:OFF'],
		{ env: { ...process.env, DISPLAY: on }, stdio: 'ignore' });
	const running = await peer({ at, server, screen, port, client });
	return { ...running, close: () => running.close().then(() => rmSync(home, { recursive: true, force: true })) };
}

const has = (program) => (process.env.PATH ?? '').split(':').some((dir) => existsSync(`${dir}/${program}`));

/** In the order of the table; a peer stands behind the wire that it is compared with. */
export const WIRES = [
	{ name: 'browser', title: 'Puesto, browser', peer: 'tigervnc', isHere: true, open: () => ours(PORTS.https, openBrowser) },
	{ name: 'vnc', title: 'Puesto, VNC', peer: 'tigervnc', isHere: true, open: () => ours(PORTS.vnc, openViewer((at, port) => vnc(at, 'demo', [], port))) },
	{ name: 'tigervnc', title: 'TigerVNC server', isHere: has('Xtigervnc'), open: tigervnc },
	{ name: 'rdp', title: 'Puesto, RDP', peer: 'shadow', isHere: true, open: () => ours(PORTS.rdp, openViewer((at, port) => rdp(at, 'demo', [`/size:${size}`], port))) },
	{ name: 'shadow', title: 'FreeRDP shadow', isHere: has('freerdp-shadow-cli3'), open: shadow },
];
