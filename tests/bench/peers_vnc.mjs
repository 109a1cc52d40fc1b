// SPDX-License-Identifier: GPL-3.0-or-later
/** Peers that speak RFB, and xpra. Settings that matter stand in `settings` and so in the report. */

import { cpSync, writeFileSync } from 'node:fs';
import { kiosk } from '../e2e/kiosk.mjs';
import { packageVersion } from './machine.mjs';
import { freePort, freshHome, lacks, peer, shownScreen, xtigervnc } from './peer.mjs';
import { answering, freeDisplay, listens, until } from './screens.mjs';

/** @param {string[]} more options */
const vncviewer = (...more) => ({ at, port, scope }) => scope.launch('vncviewer', [...more, `localhost::${port}`], { env: { ...freshHome(scope).env, DISPLAY: at } });

const tigervnc = ({ size, scope, port }) => xtigervnc(size, port, scope, ['-SecurityTypes', 'TLSNone']);

async function x11vnc({ size, scope, port }) {
	const { at, processes } = await shownScreen(size, scope);
	const server = scope.launch('x11vnc', ['-display', at, '-rfbport', port, '-localhost', '-nopw', '-forever', '-shared', '-quiet', '-noipv6'], { env: freshHome(scope).env });
	return { at, processes: { session: [server.pid], ...processes } };
}

/*
 * Between programs of one machine xpra hands pixels over in shared memory unless it is told not to. Debian's settings would start a session with programs and
 * messages of its own on the screen: they are left aside, and its own defaults hold.
 */
async function xpra({ size, scope, port }) {
	const at = freeDisplay(), { home, env } = freshHome(scope);
	const server = scope.launch('xpra', ['start-desktop', at, '--daemon=no', `--bind-tcp=127.0.0.1:${port}`, '--mmap=no', '--html=off', '--mdns=no', '--pulseaudio=no', '--speaker=off', '--microphone=off',
		'--notifications=no', '--dbus-launch=', '--printing=no', '--file-transfer=off', '--webcam=no', '--systemd-run=no', '--bell=no', '--clipboard=no', `--socket-dir=${home}`, '--exit-with-children=no',
		`--xvfb=Xvfb -screen 0 ${size.width}x${size.height}x24 -nolisten tcp -noreset -auth ${home}/auth`], { env: { ...env, XPRA_SYSTEM_CONF_DIRS: home } });
	await answering(at, server, 30);
	return { at, processes: { session: [server.pid] } };
}

const xpraClient = ({ at, port, scope }) => scope.launch('xpra', ['attach', `tcp://127.0.0.1:${port}/`, '--mmap=no', '--opengl=no', '--notifications=no', '--speaker=off', '--microphone=off', '--clipboard=no',
	'--tray=no', '--title=xpra', '--border=off'], { env: { ...freshHome(scope).env, DISPLAY: at } });

const NOVNC = '/usr/share/novnc';
/** Its own pages have a bar over the picture, and make it smaller. */
const NOVNC_PAGE = `<!doctype html><title>noVNC</title><style>body { margin: 0; height: 100vh }</style><script type="module">
import RFB from './core/rfb.js';
new RFB(document.body, 'ws://' + location.host + '/websockify').focusOnClick = true;
</script>`;

async function websockify({ size, scope, port }) {
	const inner = freePort() + 1, { at, processes } = await xtigervnc(size, inner, scope, ['-SecurityTypes', 'None']);
	await until('Xtigervnc listens', () => listens(inner));
	const { home, env } = freshHome(scope);
	cpSync(`${NOVNC}/core`, `${home}/core`, { recursive: true });
	cpSync(`${NOVNC}/vendor`, `${home}/vendor`, { recursive: true });
	writeFileSync(`${home}/index.html`, NOVNC_PAGE);
	const server = scope.launch('websockify', ['--web', home, `127.0.0.1:${port}`, `127.0.0.1:${inner}`], { env });
	return { at, processes: { ...processes, gateway: [server.pid] } };
}

async function novnc({ at, port, size, scope }) {
	const { page, close } = await kiosk(at, size);
	scope.add(close);
	await page.goto(`http://127.0.0.1:${port}/index.html`);
}

export const VNC_PEERS = [
	{ name: 'tigervnc', title: 'TigerVNC', settings: 'Xtigervnc and vncviewer as they come, TLSNone', version: () => packageVersion('tigervnc-standalone-server'),
		lacks: lacks('Xtigervnc', 'vncviewer'), open: peer(tigervnc, vncviewer('-SecurityTypes', 'TLSNone')) },
	{ name: 'tigervnc-lossless', title: 'TigerVNC, lossless', settings: 'vncviewer -AutoSelect=0 -PreferredEncoding=Tight -NoJpeg -CompressLevel=6, TLSNone', version: () => packageVersion('tigervnc-standalone-server'),
		lacks: lacks('Xtigervnc', 'vncviewer'), open: peer(tigervnc, vncviewer('-SecurityTypes', 'TLSNone', '-AutoSelect=0', '-PreferredEncoding=Tight', '-NoJpeg=1', '-CustomCompressLevel=1', '-CompressLevel=6')) },
	{ name: 'x11vnc', title: 'x11vnc', settings: 'x11vnc as it comes and vncviewer, in clear', version: () => packageVersion('x11vnc'), lacks: lacks('x11vnc', 'vncviewer'),
		open: peer(x11vnc, vncviewer('-SecurityTypes', 'None')) },
	{ name: 'xpra', title: 'xpra', settings: 'xpra start-desktop and attach, --mmap=no --opengl=no, in clear', version: () => packageVersion('xpra'), lacks: lacks('xpra'), open: peer(xpra, xpraClient) },
	{ name: 'novnc', title: 'noVNC', settings: 'noVNC in Chromium, websockify, Xtigervnc, in clear', version: () => packageVersion('novnc'), lacks: lacks('websockify', 'Xtigervnc', `${NOVNC}/core/rfb.js`),
		open: peer(websockify, novnc, { room: 1 }) },
];
