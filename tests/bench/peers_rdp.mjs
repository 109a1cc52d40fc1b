// SPDX-License-Identifier: GPL-3.0-or-later
/** Peers that speak RDP. */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { packageVersion } from './machine.mjs';
import { freshHome, lacks, peer, shownScreen } from './peer.mjs';
import { answering, freeDisplay } from './screens.mjs';

/** @param {string[]} more options */
const xfreerdp = (...more) => ({ at, port, size, scope }) => scope.launch('xfreerdp3', [`/v:127.0.0.1:${port}`, '/u:x', '/p:x', '/sec:tls', '/cert:ignore', '/network:lan',
	`/size:${size.width}x${size.height}`, '/log-level:OFF', ...more], { env: { ...freshHome(scope).env, DISPLAY: at } });

/* It shows any X server. Without -auth it asks no password; its key and certificate go into the home. */
async function shadow({ size, scope, port }) {
	const { at, processes } = await shownScreen(size, scope);
	const server = scope.launch('freerdp-shadow-cli3', [`/port:${port}`, '/bind-address:127.0.0.1', '-auth', '/sec:tls', '/log-level:OFF'], { env: { ...freshHome(scope).env, DISPLAY: at } });
	return { at, processes: { session: [server.pid], ...processes } };
}

/* Its screen has the client's size once a client has come, so the drawing begins after that.
 * One session only, without its session manager: xrdp leads every client to the X server that waits at a socket. */
const ini = (home, port, socket) => `[Globals]
ini_version=1
fork=true
port=tcp://127.0.0.1:${port}
tcp_nodelay=true
tcp_keepalive=true
security_layer=tls
certificate=${home}/cert.pem
key_file=${home}/key.pem
ssl_protocols=TLSv1.2, TLSv1.3
autorun=Xorg
allow_channels=false
bitmap_cache=true
bitmap_compression=true
bulk_compression=true
max_bpp=32
new_cursors=true
use_fastpath=both
[Logging]
LogFile=${home}/xrdp.log
LogLevel=ERROR
EnableSyslog=false
[Xorg]
name=Xorg
lib=libxup.so
username=x
password=x
ip=127.0.0.1
port=${socket}
code=20
`;

async function xrdp({ size, scope, port }) {
	const at = freeDisplay(), { home, env } = freshHome(scope), socket = `${home}/xrdp_display_${at.slice(1)}`;
	const screen = scope.launch('Xorg', [at, '-config', 'xrdp/xorg.conf', '-noreset', '-nolisten', 'tcp', '-logfile', `${home}/Xorg.log`], { env: { ...env, XRDP_SOCKET_PATH: home } });
	await answering(at, screen);
	execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', `${home}/key.pem`, '-out', `${home}/cert.pem`], { stdio: 'ignore' });
	writeFileSync(`${home}/xrdp.ini`, ini(home, port, socket));
	const server = scope.launch('xrdp', ['--nodaemon', '--config', `${home}/xrdp.ini`], { env });
	return { at, processes: { session: [server.pid], screen: [screen.pid] } };
}

const version = () => packageVersion('freerdp3-shadow-x11'), needs = lacks('freerdp-shadow-cli3', 'xfreerdp3');

export const RDP_PEERS = [
	{ name: 'shadow-rfx', title: 'FreeRDP shadow, RemoteFX', settings: 'freerdp-shadow-cli3 -auth and xfreerdp3 -gfx /rfx, TLS', isLossless: false, version, lacks: needs, open: peer(shadow, xfreerdp('-gfx', '/rfx')) },
	{ name: 'shadow-avc420', title: 'FreeRDP shadow, AVC420', settings: 'freerdp-shadow-cli3 -auth and xfreerdp3 /gfx:AVC420, TLS', isLossless: false, version, lacks: needs, open: peer(shadow, xfreerdp('/gfx:AVC420')) },
	{ name: 'xrdp', title: 'xrdp', settings: 'xrdp, xorgxrdp and xfreerdp3 /rfx, TLS', isLossless: false, version: () => packageVersion('xrdp'), lacks: lacks('xrdp', 'Xorg', 'xfreerdp3', '/etc/X11/xrdp/xorg.conf'),
		open: peer(xrdp, xfreerdp('-gfx', '/rfx'), { drawsLate: true }) },
];
