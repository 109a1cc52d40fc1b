// SPDX-License-Identifier: GPL-3.0-or-later
/** A newcomer's day with the real clients: browser, VNC viewer, RDP client, services killed under a stream, and people with bad intentions. */

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import net from 'node:net';
import { after, test } from 'node:test';
import { chromium } from 'playwright-core';
import { Caller, DATA, ORIGIN, PORTS, desktopEntries, desktopFile, desktopScreen, differing, grab, password, request, until } from './installation.mjs';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
	'--disable-sync'];
const browser = await chromium.launch({ executablePath: process.env.PUESTO_CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
const admin = await Caller.login('admin');
const running = [];
after(async () => {
	await browser.close();
	for (const child of running)
		child.kill('SIGKILL');
});

/** A browser of its own, logged in; the page is the client on the demo pool. */
async function openDesktop(user, secret = password(user)) {
	const context = await browser.newContext({ viewport: { width: 1024, height: 700 }, locale: 'es-ES', ignoreHTTPSErrors: true });
	const page = await context.newPage();
	await page.goto(`${ORIGIN}/client/icon.svg`).catch(() => {});
	await page.goto(`${ORIGIN}/shared/icon.svg`);
	const pool = await page.evaluate(async ([name, word]) => {
		await fetch('/api/v1/sessions', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user: name, password: word }) });
		return (await (await fetch('/api/v1/me/pools')).json()).items[0].id;
	}, [user, secret]);
	await page.goto(`${ORIGIN}/client/?pool=${pool}`);
	await page.waitForFunction(() => window.puesto?.state === 'live', null, { timeout: 40000 });
	return { context, page };
}

const exact = (page) => until('the client has the exact picture', () => page.evaluate(async () => (await window.puesto.stats()).exact));

async function myDesktop(user) {
	return until(`${user} has a desktop`, async () => (await admin.list('/desktops')).find((d) => (d.user?.name ?? d.user) === user));
}

async function canvas(page) {
	const { width, height, data } = await page.evaluate(async () => {
		const p = await window.puesto.pixels();
		let text = '';
		for (let i = 0; i < p.data.length; i += 0x8000)
			text += String.fromCharCode(...p.data.subarray(i, i + 0x8000));
		return { width: p.width, height: p.height, data: btoa(text) };
	});
	const rgba = Buffer.from(data, 'base64'), rgb = Buffer.alloc(width * height * 3);
	for (let i = 0, j = 0; i < rgba.length; i += 4) {
		rgb[j++] = rgba[i];
		rgb[j++] = rgba[i + 1];
		rgb[j++] = rgba[i + 2];
	}
	return { width, height, rgb };
}

async function same(what, desktop, picture) {
	await until(`${what} shows the desktop's own screen, pixel by pixel`, async () => {
		const shown = await picture();
		return shown.width > 1 && differing(shown.rgb, desktopScreen(desktop, shown.width, shown.height)) === 0;
	}, 25);
}

async function openTerminal(page, desktop) {
	const { height } = await canvas(page);
	const before = new Set(xterms(desktop));
	await page.mouse.click(130, height - 19);
	await until('a terminal is there', () => xterms(desktop).find((p) => !before.has(p)));
	await page.waitForTimeout(700); /* the shell's prompt has no event that the host could see */
}

function xterms(desktop) {
	return desktopEntries(desktop, '/proc').filter((p) => /^\d+$/.test(p)).filter((p) => {
		try { return desktopFile(desktop, `/proc/${p}/comm`).toString().trim() === 'xterm'; } catch { return false; }
	});
}

let first, desktop;

test('the credentials are for root alone and no password is a default', () => {
	assert.equal(statSync(`${DATA}/credentials`).mode & 0o777, 0o600);
	assert.ok(password('admin').length >= 16 && password('demo').length >= 16 && password('admin') !== password('demo'));
});

test('a browser shows the desktop, pixel by pixel', async () => {
	first = await openDesktop('demo');
	await exact(first.page);
	desktop = (await myDesktop('demo')).id;
	await same('the browser', desktop, () => canvas(first.page));
});

test('what a Spanish keyboard types arrives in a terminal', async () => {
	const { page } = first;
	await openTerminal(page, desktop);
	await page.keyboard.type('cat > typed');
	await page.keyboard.press('Enter');
	const cdp = await first.context.newCDPSession(page);
	const key = async (k, code, modifiers = 0) => {
		for (const type of ['keyDown', 'keyUp'])
			await cdp.send('Input.dispatchKeyEvent', { type, key: k, code, modifiers, text: type === 'keyDown' ? k : undefined });
	};
	await key('ñ', 'Semicolon');
	await cdp.send('Input.dispatchKeyEvent', { type: 'keyDown', key: 'Dead', code: 'Quote' });
	await cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', key: 'Dead', code: 'Quote' });
	await cdp.send('Input.insertText', { text: 'á' });
	for (const [k, code] of [['€', 'KeyE'], ['@', 'Digit2'], ['{', 'Quote']]) {
		await cdp.send('Input.dispatchKeyEvent', { type: 'keyDown', key: 'AltGraph', code: 'AltRight' });
		await key(k, code);
		await cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', key: 'AltGraph', code: 'AltRight' });
	}
	await page.keyboard.press('Enter');
	await page.keyboard.press('Control+d');
	await until('the file holds the letters', () => {
		try { return desktopFile(desktop, '/home/user/typed').toString() === 'ñá€@{\n'; } catch { return false; }
	});
});

test('two users at once have different desktops', async () => {
	const secret = 'Una-clave-larga-1234';
	assert.equal((await admin.call('POST', '/users', { name: 'ana', display_name: 'Ana', password: secret })).status, 201);
	assert.equal((await admin.call('POST', '/entitlements', { pool: 'demo', user: 'ana' })).status, 201);
	const ana = await openDesktop('ana', secret);
	const hers = await myDesktop('ana');
	assert.notEqual(hers.id, desktop);
	await exact(ana.page);
	await same('her browser', hers.id, () => canvas(ana.page));
	assert.ok(!desktopEntries(hers.id, '/home/user').includes('typed'));
	await ana.context.close();
});

test('the stream goes on while broker and provisioner are killed, and nothing is doubled', async () => {
	const before = (await admin.list('/desktops')).map((d) => d.id).sort();
	for (const name of ['broker', 'provisioner']) {
		process.kill(Number(readFileSync(`${DATA}/run/${name}.pid`, 'utf8')), 'SIGKILL');
		await first.page.keyboard.type('x');
	}
	assert.equal(await first.page.evaluate(() => window.puesto.state), 'live');
	await same('the browser, without a broker,', desktop, () => canvas(first.page));
	execFileSync(`${process.env.PUESTO_SOURCE}/deploy/up`, ['--data', DATA, '--no-install', '--no-build'], { stdio: 'ignore' });
	await until('the API is back', async () => (await request('GET', '/api/v1/openapi.json')).status === 200);
	assert.equal(await first.page.evaluate(() => window.puesto.state), 'live');
	const again = (await admin.list('/desktops')).map((d) => d.id).sort();
	assert.deepEqual(again.filter((id) => before.includes(id)), before);
	assert.equal((await myDesktop('demo')).id, desktop);
});

test('the browser comes back to the same desktop', async () => {
	await first.context.close();
	first = await openDesktop('demo');
	assert.equal((await myDesktop('demo')).id, desktop);
	assert.ok(desktopEntries(desktop, '/home/user').includes('typed'));
	await first.context.close();
});

async function display(number) {
	const child = spawn('Xvfb', [`:${number}`, '-screen', '0', '1600x1200x24', '-nolisten', 'tcp'], { stdio: 'ignore' });
	running.push(child);
	await until('an X server for the client', () => {
		try { execFileSync('xdpyinfo', ['-display', `:${number}`], { stdio: 'ignore' }); return true; } catch { return false; }
	});
	return `:${number}`;
}

/** The client's window by name; its lower level holds the picture. */
function windowOf(at, name) {
	try {
		const ids = execFileSync('xdotool', ['search', '--onlyvisible', '--name', name], { env: { ...process.env, DISPLAY: at }, stdio: ['ignore', 'pipe', 'ignore'] });
		return ids.toString().trim().split('\n')[0];
	} catch { return ''; }
}

async function clientShows(what, at, name) {
	const id = await until(`${what} has a window`, () => windowOf(at, name));
	await same(what, desktop, () => grab(at, id));
}

test('TigerVNC shows the same picture, by TLS and password', async () => {
	const at = await display(97);
	const child = spawn('vncviewer', ['-SecurityTypes', 'X509Plain', '-X509CA', `${DATA}/pki/ca.pem`, `localhost::${PORTS.vnc}`],
		{ env: { ...process.env, DISPLAY: at, VNC_USERNAME: 'demo', VNC_PASSWORD: password('demo') }, stdio: 'ignore' });
	running.push(child);
	await clientShows('the VNC viewer', at, 'TigerVNC');
	child.kill();
});

test('xfreerdp shows the same picture, by TLS and password', async () => {
	const at = await display(98);
	const child = spawn('xfreerdp3', [`/v:localhost:${PORTS.rdp}`, '/u:demo', '/from-stdin:force', '/cert:ignore', '/gfx', '/size:1024x700', '/log-level:OFF'],
		{ env: { ...process.env, DISPLAY: at }, stdio: ['pipe', 'ignore', 'ignore'] });
	running.push(child);
	child.stdin.write(`${password('demo')}\n`);
	await clientShows('the RDP client', at, 'FreeRDP');
	child.kill();
});

test('log-off gives a new disk, and nothing of the first user is left', async () => {
	const demo = await Caller.login('demo');
	assert.equal((await demo.call('POST', `/me/desktops/${desktop}/logoff`)).status, 202);
	await until('the desktop is new and free', async () => {
		const d = (await admin.list('/desktops')).find((one) => one.id === desktop);
		try { return !d || (!d.user && !desktopEntries(desktop, '/home/user').includes('typed')); } catch { return false; }
	}, 40);
});

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
		seen.add((await request('POST', '/api/v1/sessions', { body: { user: i % 2 ? 'nobody' : 'ana', password: 'wrong' } })).status);
	assert.ok(seen.has(401) && seen.has(429), [...seen].join());
});
