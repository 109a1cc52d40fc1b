// SPDX-License-Identifier: GPL-3.0-or-later
/** noVNC's page and the way to it, against a stand-in for noVNC: what a user sees, reads and sends. tests/e2e has the real one. */

import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { chromium } from 'playwright-core';
import { FakeApi } from './fake-api.mjs';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Has the shape of noVNC's class, and remembers what it is told. */
const RFB = `export default class extends EventTarget {
	constructor(place, socket) {
		super();
		this.canvas = place.appendChild(document.createElement('canvas'));
		this.canvas.tabIndex = -1;
		this.socket = socket;
		this.told = [];
		window.rfb = this;
		window.released = 0;
		window.addEventListener('blur', () => window.released++);
		socket.addEventListener('open', () => this.dispatchEvent(new CustomEvent('connect')));
	}
	focus() { this.canvas.focus(); }
	disconnect() { this.canvas.remove(); this.socket.close(); }
	clipboardPasteFrom(text) { this.told.push('paste ' + text); }
	sendCtrlAltDel() { this.told.push('Ctrl+Alt+Del'); }
}`;

const browser = await chromium.launch({ executablePath: process.env.PUESTO_CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
/** @type {FakeApi[]} */
const servers = [];
const problems = [];
after(async () => {
	await browser.close();
	assert.deepEqual(problems, []);
});
afterEach(async () => {
	await Promise.all(browser.contexts().map((context) => context.close()));
	servers.splice(0).forEach((server) => server.close());
});

/** A page over a world of its own; `sockets` are the displays that it has opened. */
async function open(path, { as = 'ana', hasNovnc = true, connects = [], ...options } = {}) {
	const api = await new FakeApi().start();
	servers.push(api);
	api.connects = connects;
	if (as)
		api.login({ body: { user: as, password: 'secret' } });
	const context = await browser.newContext({ viewport: { width: 900, height: 600 }, locale: 'en-GB', ...options });
	const page = await context.newPage();
	page.on('pageerror', (e) => problems.push(e.stack));
	const sockets = [];
	await page.routeWebSocket('**/display*', (ws) => sockets.push(ws));
	if (hasNovnc) {
		await page.route('**/novnc/upstream/core/rfb.js', (route) => route.fulfill({ contentType: 'text/javascript', body: RFB }));
		await page.route('**/novnc/upstream/package.json', (route) => route.fulfill({ json: { version: '1.7.0' } }));
	}
	await page.goto(api.origin + path);
	return { api, page, sockets };
}

const live = (page) => page.waitForFunction(() => window.puesto?.state === 'live');
const openMenu = (page) => page.click('#menu-open');

async function openOther(page) {
	await page.locator('.tile', { hasText: 'Demo' }).locator('.menu > button').click();
	await page.click('text=Use another program');
	await page.click('role=tab[name="noVNC"]');
}

test('the portal has a way to noVNC that is one click', async () => {
	const { page } = await open('/');
	await openOther(page);
	await page.waitForSelector('text=noVNC 1.7.0');
	await page.click('text=Open in noVNC');
	await page.waitForURL(/\/novnc\/#pool=[0-9a-f-]{36}$/);
	await live(page);
});

test('the portal says who can add noVNC where it is not', async () => {
	const { page } = await open('/', { hasNovnc: false });
	await openOther(page);
	await page.waitForSelector('#other-panel >> text=/Your administrator can add it/');
	assert.equal(await page.locator('#other-panel a').count(), 0);
});

test('the page says so too, and leads back', async () => {
	const { page } = await open('/novnc/?pool=demo', { hasNovnc: false, locale: 'es-ES' });
	await page.waitForSelector('h1:has-text("noVNC no está en este servidor")');
	assert.match(await page.textContent('#veil-text'), /deploy\/novnc/);
	await page.click('text=Volver al portal');
	await page.waitForSelector('.tile');
});

test('an address without a pool leads back to the portal', async () => {
	const { page } = await open('/novnc/');
	await page.waitForSelector('h1:has-text("names no desktop")');
	assert.equal(await page.isVisible('#veil-back'), true);
});

test('it waits in words, then opens the display with its ticket', async () => {
	const stage = (name, en) => ({ status: 202, body: { stage: name, reason: { en, es: '' }, position: 3, retry_after_ms: 250 } });
	const { api, page, sockets } = await open('/novnc/?pool=demo', { connects: [stage('queue', 'All 2 are in use.'), stage('start', 'demo-01 starts.')] });
	await page.waitForSelector('h1:has-text("you are number 3") + p:has-text("All 2 are in use.")');
	await page.waitForSelector('h1:has-text("is starting") + p:has-text("demo-01 starts.")');
	await live(page);
	assert.deepEqual(api.calls.find((c) => c.path === '/me/pools/demo/connect').body, { protocol: 'novnc' });
	assert.match(sockets[0].url(), /\/display\?ticket=t1$/);
	assert.match(await page.title(), /^demo-01/);
	assert.deepEqual(await page.evaluate(() => [window.rfb.scaleViewport, window.rfb.resizeSession, document.activeElement === window.rfb.canvas]), [true, true, true]);
});

test('whoever is not logged in is asked, and then it goes on', async () => {
	const { page } = await open('/novnc/?pool=demo', { as: '' });
	await page.fill('#login-user', 'ana');
	await page.fill('#login-password', 'secret');
	await page.keyboard.press('Enter');
	await live(page);
});

test('a refusal is told in words', async () => {
	const { page } = await open('/novnc/?pool=demo', { connects: [{ status: 403, body: { title: 'You may not open this pool.', code: 'denied' } }] });
	await page.waitForSelector('h1:has-text("cannot be opened") + p:has-text("You may not open this pool.")');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'veil-again');
});

test('the end is told as the gateway words it; a button connects again', async () => {
	const { page, sockets } = await open('/novnc/?pool=demo');
	await live(page);
	await sockets[0].close({ code: 4410, reason: 'You are logged off.' });
	await page.waitForSelector('h1:has-text("has ended") + p:has-text("You are logged off.")');
	assert.equal(await page.locator('#stage canvas').count(), 0);
	await page.click('#veil-again');
	await live(page);
	assert.match(sockets[1].url(), /ticket=t2$/);
});

test('after a drop it comes back by itself', async () => {
	const { page, sockets } = await open('/novnc/?pool=demo');
	await live(page);
	await page.evaluate(() => {
		window.seen = '';
		const veil = document.getElementById('veil');
		new MutationObserver(() => { window.seen += `${veil.innerText}\n`; }).observe(veil, { subtree: true, childList: true, characterData: true, attributes: true });
	});
	await sockets[0].close({ code: 1011, reason: 'The display process has failed.' });
	await page.waitForFunction(() => /dropped/.test(window.seen) && window.puesto.state === 'live');
	assert.match(await page.evaluate(() => window.seen), /The display process has failed\./);
	assert.equal(sockets.length, 2);
	assert.equal(await page.locator('#stage canvas').count(), 1);
});

test('the menu: by keyboard, without keys that stay down, and Ctrl+Alt+Del', async () => {
	const { page } = await open('/novnc/?pool=demo');
	await live(page);
	await page.keyboard.press('Control+Alt+Shift');
	await page.waitForSelector('#menu-items:not([hidden])');
	assert.ok(await page.evaluate(() => window.released) > 0);
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('ArrowRight');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'do-keys');
	await page.keyboard.press('Enter');
	assert.deepEqual(await page.evaluate(() => window.rfb.told), ['Ctrl+Alt+Del']);
	assert.equal(await page.evaluate(() => document.activeElement === window.rfb.canvas), true);
});

test('disconnect leaves the desktop running and says so', async () => {
	const { page, sockets } = await open('/novnc/?pool=demo');
	await live(page);
	const closed = new Promise((resolve) => sockets[0].onClose(resolve));
	await openMenu(page);
	await page.click('#do-disconnect');
	await page.waitForSelector('text=Your desktop keeps running');
	await closed;
	assert.equal(await page.locator('#stage canvas').count(), 0);
});

test('text goes both ways by the clipboard box', async () => {
	const { page } = await open('/novnc/?pool=demo');
	await live(page);
	await openMenu(page);
	await page.click('#do-clipboard');
	await page.fill('#clipboard-text', 'ida – ñ €');
	await page.click('#clipboard-give');
	assert.deepEqual(await page.evaluate(() => window.rfb.told), ['paste ida – ñ €']);
	await page.keyboard.press('Escape');
	await page.evaluate(() => window.rfb.dispatchEvent(new CustomEvent('clipboard', { detail: { text: 'y vuelta' } })));
	await openMenu(page);
	await page.click('#do-clipboard');
	assert.equal(await page.inputValue('#clipboard-text'), 'y vuelta');
});

test('where the browser allows it, its clipboard needs no box', async () => {
	const { page } = await open('/novnc/?pool=demo', { permissions: ['clipboard-read', 'clipboard-write'] });
	await live(page);
	await page.evaluate(() => navigator.clipboard.writeText('del navegador'));
	await page.evaluate(() => window.dispatchEvent(new Event('focus')));
	await page.waitForFunction(() => window.rfb.told.includes('paste del navegador'));
	await page.evaluate(() => window.rfb.dispatchEvent(new CustomEvent('clipboard', { detail: { text: 'del escritorio' } })));
	await page.waitForFunction(async () => await navigator.clipboard.readText() === 'del escritorio');
});
