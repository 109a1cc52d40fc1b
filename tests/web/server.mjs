// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Stands in for the gate in the client's tests: static files with the gate's security header, the few API calls of the client, and a relay
 * from WebSocket messages to the length-framed messages of a ws front (tests/web/harness).
 */

import { spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';

const WEB = fileURLToPath(new URL('../../web/', import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
	"worker-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/** The C program, its commands and its events. */
export class Harness {
	constructor(program = process.env.PUESTO_WS_HARNESS ?? fileURLToPath(new URL('../../build/tests/web/harness', import.meta.url))) {
		this.dir = mkdtempSync(join(tmpdir(), 'puesto-web-'));
		this.socket = join(this.dir, 'front.sock');
		this.child = spawn(program, [this.socket], { stdio: ['pipe', 'pipe', 'inherit'] });
		this.events = [];
		this.waiting = [];
		createInterface({ input: this.child.stdout }).on('line', (line) => this.#take(JSON.parse(line)));
	}

	#take(event) {
		this.events.push(event);
		this.waiting = this.waiting.filter((wait) => {
			if (!wait.test(event))
				return true;
			clearTimeout(wait.timer);
			wait.resolve(event);
			return false;
		});
	}

	command(line) {
		this.child.stdin.write(`${line}\n`);
	}

	/** The first event, past ones included unless `fresh`, for which test is true. */
	event(test, { fresh = false, ms = 30000 } = {}) {
		const past = fresh ? undefined : this.events.find(test);
		if (past)
			return Promise.resolve(past);
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(`no such event: ${test}; had ${JSON.stringify(this.events.slice(-8))}`)), ms);
			this.waiting.push({ test, resolve, timer });
		});
	}

	close() {
		this.child.stdin.end();
		rmSync(this.dir, { recursive: true, force: true });
	}
}

/** Relays one WebSocket to the front. */
function relay(ws, path) {
	const stream = connect(path);
	let waiting = Buffer.alloc(0);
	ws.on('message', (data) => {
		const head = Buffer.alloc(4);
		head.writeUInt32BE(data.length);
		stream.write(Buffer.concat([head, data]));
	});
	stream.on('data', (chunk) => {
		waiting = waiting.length ? Buffer.concat([waiting, chunk]) : chunk;
		while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32BE(0)) {
			const n = waiting.readUInt32BE(0);
			ws.send(waiting.subarray(4, 4 + n));
			waiting = waiting.subarray(4 + n);
		}
	});
	stream.on('close', () => ws.close(1000));
	stream.on('error', () => ws.close(1011));
	ws.on('close', () => stream.destroy());
}

function sendJson(response, status, body, headers = {}) {
	response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json', ...headers });
	response.end(JSON.stringify(body));
}

/** @param {Harness} harness @param {{port?: number, root?: string}} [options] root: the web directory, with a slash at its end */
export async function startServer(harness, { port = 0, root = WEB } = {}) {
	const server = createServer();
	const sockets = new WebSocketServer({ server, path: '/display', handleProtocols: () => 'puesto.v1', verifyClient: (_, done) => void state.held.then(() => done(true)) });
	/** `held`: displays open when it is kept; `files`: what was asked for; `asked`: how often who the user is. */
	const state = { server, held: Promise.resolve(), files: /** @type {string[]} */ ([]), connects: [], asked: 0, tickets: 0, refuse: false, logoffs: 0, givenUp: 0, 
		consoles: /** @type {any[]} */ ([]), streams: /** @type {any[]} */ ([]), desktop: { id: 'd1', name: 'Prueba', agent: 'ready', session: 'none', session_id: null, user: null }, dropAll: () => sockets.clients.forEach((c) => c.terminate()) };
	sockets.on('connection', (ws) => relay(ws, harness.socket));
	server.on('request', (request, response) => {
		const url = new URL(request.url, 'http://localhost');
		if (url.pathname === '/api/v1/me')
			return state.asked++, sendJson(response, 200, { user: { name: 'ana' }, csrf: 'csrf-token' });
		if (url.pathname === '/api/v1/sessions')
			return sendJson(response, 201, { user: { name: 'ana', roles: ['user'] }, csrf: 'csrf-token' });
		if (url.pathname === '/api/v1/me/pools/p1/connect' && request.method === 'DELETE')
			return state.givenUp++, response.writeHead(204).end();
		if (url.pathname === '/api/v1/me/pools/p1/connect') {
			if (request.headers['x-csrf-token'] !== 'csrf-token')
				return sendJson(response, 403, { title: 'no token', code: 'csrf', status: 403 });
			const next = state.connects.shift();
			if (next)
				return sendJson(response, next.status, next.body, next.headers);
			return sendJson(response, 200, { ticket: `t${++state.tickets}`, websocket: '/display', subprotocol: 'puesto.v1', desktop: { id: 'd1', name: 'Prueba' } });
		}
		if (url.pathname === '/api/v1/sessions/s1/watch' && request.headers['x-csrf-token'] === 'csrf-token')
			return sendJson(response, 200, { ticket: `w${++state.tickets}`, websocket: '/display', subprotocol: 'puesto.v1', desktop: { id: 'd1', name: 'Prueba' } });
		if (url.pathname === '/api/v1/sessions/s2/watch')
			return sendJson(response, 403, { title: 'Sessions of this pool may not be watched.', title_es: 'Las sesiones de este grupo no se pueden ver.', code: 'watching_off', status: 403 });
		if (url.pathname === '/api/v1/desktops/d1')
			return sendJson(response, 200, state.desktop);
		if (url.pathname === '/api/v1/events/stream')
			return state.streams.push(response.writeHead(200, { 'content-type': 'text/event-stream' })), response.write('\n');
		if (url.pathname === '/api/v1/desktops/d1/console' && request.headers['x-csrf-token'] === 'csrf-token')
			return request.on('data', (data) => {
				state.consoles.push(JSON.parse(data));
				sendJson(response, 200, { ticket: `c${++state.tickets}`, websocket: '/display', subprotocol: 'puesto.v1', desktop: { id: 'd1', name: 'Prueba' } });
			});
		if (url.pathname === '/api/v1/me/desktops/d1/logoff')
			return state.logoffs++, response.writeHead(204).end();
		// What stands above the picture would be in a screenshot of it.
		if (url.pathname === '/tests/bare.css')
			return response.writeHead(200, { 'content-type': 'text/css' }).end('#menu, #toast, #bell, #watched { display: none !important; }');
		const path = join(root, normalize(url.pathname.endsWith('/') ? `${url.pathname}index.html` : url.pathname));
		if (!path.startsWith(root) || !existsSync(path))
			return response.writeHead(404).end();
		state.files.push(url.pathname);
		const encoding = path.endsWith('.gz') ? { 'content-encoding': 'gzip' } : {};
		response.writeHead(200, { 'content-type': TYPES[extname(path.replace(/\.gz$/, ''))] ?? 'application/octet-stream', 'content-security-policy': CSP, ...encoding });
		createReadStream(path).pipe(response);
	});
	await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
	state.origin = `http://localhost:${server.address().port}`;
	/** The desktop has changed: its readers are told. @param {any} change */
	state.change = (change) => {
		Object.assign(state.desktop, change);
		for (const stream of state.streams)
			stream.write(`event: change\ndata: ${JSON.stringify({ kind: 'desktop', id: 'd1', object: state.desktop })}\n\n`);
	};
	state.close = () => {
		state.dropAll();
		server.closeAllConnections();
		server.close();
	};
	return state;
}
