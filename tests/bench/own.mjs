// SPDX-License-Identifier: GPL-3.0-or-later
/** Puesto's three wires, each with the client that its users have. */

import { readFileSync } from 'node:fs';
import { desktopPath, hostPids, screenSize } from '../e2e/desktop.mjs';
import { enter } from '../e2e/enter.mjs';
import { Caller, DATA, desktopOf, password, PORTS } from '../e2e/installation.mjs';
import { kiosk } from '../e2e/kiosk.mjs';
import { familyOf, nameOf } from './cost.mjs';
import { Painter } from './painter.mjs';
import { Path } from './path.mjs';
import { ROOM, screen, until } from './screens.mjs';

const USER = 'demo';
/** Chromium without a window manager leaves one pixel of the screen free. */
const KIOSK_ROOM = 1;
const gatewayFamily = () => familyOf(Number(readFileSync(`${DATA}/run/gateway.pid`, 'utf8')));

async function openBrowser({ at, path, size, scope }) {
	const { page, close } = await kiosk(at, size);
	scope.add(close);
	const origin = `https://localhost:${path.port}`, pool = await enter(page, USER, undefined, origin);
	await path.mark();
	const began = performance.now();
	await page.goto(`${origin}/client/?pool=${pool}`);
	await page.waitForFunction(() => window.puesto?.state === 'live', null, { timeout: 40000 });
	return began;
}

/** @param {(at: string, port: number, size: { width: number, height: number }, scope: any) => void} start */
const viewer = (start) => async ({ at, path, size, scope }) => {
	const began = performance.now();
	start(at, path.port, size, scope);
	await until('the viewer has connected', async () => (await path.count()).down > 1000);
	return began;
};

function vnc(at, port, { width, height }, scope) {
	scope.launch('vncviewer', ['-SecurityTypes', 'X509Plain', '-X509CA', `${DATA}/pki/ca.pem`, '-DesktopSize', `${width}x${height}`, `localhost::${port}`],
		{ env: { ...process.env, DISPLAY: at, VNC_USERNAME: USER, VNC_PASSWORD: password(USER) } });
}

function rdp(at, port, { width, height }, scope) {
	const child = scope.launch('xfreerdp3', [`/v:localhost:${port}`, `/u:${USER}`, '/from-stdin:force', '/cert:ignore', '/gfx:AVC420', '/network:lan', `/size:${width}x${height}`, '/log-level:OFF'],
		{ env: { ...process.env, DISPLAY: at }, stdio: ['pipe', 'ignore', 'ignore'] });
	child.stdin.write(`${password(USER)}\n`);
}

/** Opens a client and waits for its picture. @param {number} port @param {(client: any) => Promise<number>} start returns when it began @param {number} room @param {boolean} isPage the way is open already: it begins with the page's first byte, else when TLS is up */
const open = (port, start, room, isPage = false) => async ({ size, scope, how = {} }) => {
	const before = new Set(gatewayFamily()), workers = [];
	scope.add(() => until('the worker has ended', () => workers.every((pid) => !nameOf(pid).startsWith('puesto-worker'))));
	const path = await Path.to(port), client = await screen({ width: size.width + room, height: size.height + room }, scope);
	scope.add(() => path.close());
	await path.slow(how);
	const began = await start({ at: client.at, path, size, scope });
	const last = await path.settled(400, 15000), connectMs = last / 1e6 - began - timeOrigin();
	const { asked, secured } = await path.count(), pictureMs = (last - (isPage ? asked : secured)) / 1e6;
	const desktop = await desktopOf(await Caller.login('admin'), USER);
	workers.push(...gatewayFamily().filter((pid) => !before.has(pid) && nameOf(pid).startsWith('puesto-worker')));
	await until('the desktop has the size of the client', () => screenSize(desktop).join() === `${size.width},${size.height}`);
	const painter = await Painter.onDesktop(desktop, size);
	scope.add(() => painter.close());
	return { path, painter, client, connectMs, pictureMs, server: desktopPath(desktop, '/run/puesto-x/Xvfb_screen0'),
		processes: { session: workers, gateway: gatewayFamily().filter((pid) => before.has(pid)), agent: hostPids(desktop, 'puesto-agent'), screen: hostPids(desktop, 'Xvfb') } };
};

/** Milliseconds of the monotonic clock at performance.now() = 0. */
const timeOrigin = () => Number(process.hrtime.bigint()) / 1e6 - performance.now();

const { https, vnc: vncPort, rdp: rdpPort } = PORTS;
export const OWN = [
	{ name: 'browser', title: 'Puesto, browser', isOurs: true, settings: 'Chromium, the client page over WSS', open: open(https, openBrowser, KIOSK_ROOM, true) },
	{ name: 'vnc', title: 'Puesto, VNC', isOurs: true, settings: 'vncviewer, VeNCrypt X509Plain', open: open(vncPort, viewer(vnc), ROOM) },
	{ name: 'rdp', title: 'Puesto, RDP', isOurs: true, settings: 'xfreerdp3 /gfx:AVC420 /network:lan, TLS', open: open(rdpPort, viewer(rdp), ROOM) },
];
