// SPDX-License-Identifier: GPL-3.0-or-later
/** Portal and console in Chromium against a stand-in for the API: what a user and an admin do, see and read. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, test } from 'node:test';
import { chromium } from 'playwright-core';
import { FakeApi } from './fake-api.mjs';
import { rolloutOf } from './fake-world.mjs';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

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

/** A page over a world of its own; nobody is logged in. */
async function open(path, { world = 'busy', as = '', ...options } = {}) {
	const api = await new FakeApi(world).start();
	servers.push(api);
	if (as)
		api.login({ body: { user: as, password: 'secret' } });
	const context = await browser.newContext({ viewport: { width: 1280, height: 820 }, locale: 'en-GB', acceptDownloads: true, ...options });
	const page = await context.newPage();
	page.on('pageerror', (e) => problems.push(e.stack));
	page.on('console', (m) => m.type() === 'error' && !/Failed to load resource|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION/.test(m.text()) && problems.push(m.text()));
	page.on('request', (r) => !r.url().startsWith(api.origin) && !r.url().startsWith('blob:') && problems.push(`a request to ${r.url()}`));
	await page.goto(api.origin + path);
	return { api, page };
}

async function logIn(page, user, password = 'secret') {
	await page.fill('#login-user', user);
	await page.fill('#login-password', password);
	await page.click('.login button[type=submit]');
}

/** The words of a list of choices, once it is there: what it offers may have to be asked for first. */
async function choices(page, options) {
	await page.locator(options).first().waitFor({ state: 'attached' });
	return page.locator(options).allTextContents();
}

const calls = (api, method, path) => api.calls.filter((c) => c.method === method && (typeof path === 'string' ? c.path === path : path.test(c.path)));

test('a wrong password is told in words that help, and the name stays', async () => {
	const { page } = await open('/');
	await logIn(page, 'ana', 'wrong');
	await page.waitForSelector('#login-message:not([hidden])');
	assert.match(await page.textContent('#login-message'), /Caps Lock/);
	assert.equal(await page.inputValue('#login-user'), 'ana');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'login-password');
});

test('an empty password is asked for without a call', async () => {
	const { api, page } = await open('/');
	await page.fill('#login-user', 'ana');
	await page.click('.login button[type=submit]');
	assert.match(await page.textContent('#login-message'), /password/);
	assert.equal(calls(api, 'POST', '/sessions').length, 0);
});

test('after too many attempts the wait is counted down, then log-in works', async () => {
	const { api, page } = await open('/');
	api.failures = 3;
	await logIn(page, 'ana');
	await page.waitForSelector('text=/try again in 2 sec/');
	assert.equal(await page.isDisabled('.login button[type=submit]'), true);
	await page.waitForSelector('text=You can try again now.');
	api.failures = 0;
	await page.click('.login button[type=submit]');
	await page.waitForSelector('.tile');
});

test('tiles tell state, reason and desktop, and lead to the client', async () => {
	const { page } = await open('/', { as: 'ana' });
	const demo = page.locator('.tile', { hasText: 'A Debian desktop for everybody' });
	await demo.waitFor();
	assert.match(await demo.textContent(), /Ready.*Your desktop is waiting for you.*demo-01.*Connected/);
	assert.match(await demo.locator('a.primary').getAttribute('href'), /^\/client\/#pool=[0-9a-f-]{36}$/);
	assert.match(await page.locator('.tile', { hasText: 'Aula 1' }).textContent(), /3 users wait.*Join the queue/);
	assert.equal(await page.locator('.tile', { hasText: 'Finance' }).locator('a.primary').count(), 0);
});

test('another program: exact values, a command that a shell takes, and an .rdp file', async () => {
	const { page } = await open('/', { as: 'ana' });
	await page.locator('.tile', { hasText: 'Demo' }).locator('.menu > button').click();
	await page.click('text=Use another program');
	assert.match(await page.textContent('.reach'), /desktops\.example\.org.*3389.*ana#demo/);
	assert.match(await page.textContent('.command code'), /\/u:'ana#demo'/);
	const [file] = await Promise.all([page.waitForEvent('download'), page.click('text=Download the .rdp file')]);
	assert.equal(file.suggestedFilename(), 'demo.rdp');
	const lines = readFileSync(await file.path(), 'utf8').split('\r\n');
	assert.ok(lines.includes('full address:s:desktops.example.org:3389') && lines.includes('username:s:ana#demo') && lines.includes('enablecredsspsupport:i:0'));
	await page.keyboard.press('Escape');
	await page.waitForSelector('dialog', { state: 'detached' });
});

test('log-off asks first, by keyboard alone, and shows what follows', async () => {
	const { api, page } = await open('/', { as: 'ana' });
	await page.locator('.tile', { hasText: 'Demo' }).locator('.menu > button').focus();
	await page.keyboard.press('Enter');
	await page.keyboard.press('End');
	await page.keyboard.press('Enter');
	await page.waitForSelector('dialog:has-text("Log off from demo-01?")');
	await page.keyboard.press('Escape');
	assert.equal(calls(api, 'POST', /logoff$/).length, 0);
	await page.keyboard.press('Enter');
	await page.keyboard.press('ArrowUp');
	await page.keyboard.press('Enter');
	await page.click('dialog button.primary');
	await page.waitForSelector('.tile >> text=Logging off');
	assert.equal(calls(api, 'POST', /^\/me\/desktops\/[^/]+\/logoff$/).length, 1);
});

test('snapshots of the own desktop, where the pool lets its users keep some, by keyboard alone', async () => {
	const { api, page } = await open('/', { as: 'ana' });
	const demo = page.locator('.tile', { hasText: 'Demo' });
	await demo.locator('.menu > button').click();
	assert.equal(await page.getByRole('menuitem', { name: 'Snapshots' }).count(), 0, 'not where the pool allows none');
	await page.keyboard.press('Escape');
	api.world.pools.find((p) => p.name === 'demo').user_snapshots = 3;
	await page.reload();
	await demo.locator('.menu > button').focus();
	await page.keyboard.press('Enter');
	for (let i = 0; i < 3; i++)
		await page.keyboard.press('ArrowDown');
	await page.keyboard.press('Enter');
	await page.waitForSelector('dialog >> text=You may keep 3');
	await page.waitForSelector('dialog .rows >> text=before-update');
	const [{ id }] = api.world.desktops;
	await page.locator('dialog .dialog-row button').focus();
	await page.keyboard.press('Enter');
	await page.keyboard.type('exam');
	await page.keyboard.press('Enter');
	await page.waitForSelector('dialog [role=status]:has-text("is being taken")');
	api.settle(id, 'the disk is full');
	await page.waitForSelector('dialog [role=status]:has-text("could not be done: the disk is full")');
	await page.keyboard.press('Enter');
	await page.keyboard.type('exam');
	await page.keyboard.press('Enter');
	await page.waitForSelector('dialog [role=status]:has-text("is being taken")');
	api.settle(id);
	await page.waitForSelector('dialog .rows >> text=exam');
	assert.equal(await page.isDisabled('dialog .dialog-row button'), true, 'no more than the pool allows');
	assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Go back to before-update', 'the focus stays in the dialog');
	await page.focus('[aria-label="Remove the snapshot exam"]');
	await page.keyboard.press('Enter');
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await page.waitForSelector('dialog [role=status]:has-text("is being removed")');
	api.settle(id);
	await page.waitForSelector('dialog .rows >> text=exam', { state: 'detached' });
	await page.click('[aria-label="Go back to before-update"]');
	await page.waitForSelector('dialog:has-text("You are disconnected")');
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await page.waitForSelector('dialog', { state: 'detached' });
	assert.equal(calls(api, 'POST', `/me/desktops/${id}/snapshots/before-update/revert`).length, 1);
});

test('nobody without a pool is left alone: the page says whom to ask, and notices access', async () => {
	const { api, page } = await open('/', { as: 'ana', world: 'empty' });
	await page.waitForSelector('text=There is no desktop for you yet');
	assert.match(await page.textContent('.notice'), /Ask your administrator.*user name/);
	api.myPools = [{ id: 'p1', name: 'lab', display_name: 'Lab', description: '', kind: 'floating', state: 'ready', reason: { en: 'Free.', es: 'Libre.' }, desktop: null, protocols: { web: true } }];
	await page.waitForSelector('.tile >> text=Lab', { timeout: 9000 });
	assert.equal(await page.isVisible('.auto-open'), true);
});

test('a broker that is away is told, and the tiles stay', async () => {
	const { api, page } = await open('/', { as: 'ana' });
	await page.waitForSelector('.tile');
	api.isAway = true;
	await page.waitForSelector('.banner >> text=/Next try in/', { timeout: 9000 });
	assert.equal(await page.locator('.tile').count(), 5);
	api.isAway = false;
	await page.click('text=Try now');
	await page.waitForSelector('.banner', { state: 'hidden' });
});

test('an expired log-in is asked for over the page', async () => {
	const { api, page } = await open('/', { as: 'ana' });
	await page.waitForSelector('.tile');
	api.user = null;
	await page.waitForSelector('.login-dialog', { timeout: 9000 });
	assert.equal(await page.inputValue('#login-user'), 'ana');
	await page.fill('#login-password', 'secret');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.login-dialog', { state: 'detached' });
	assert.equal(await page.locator('.tile').count(), 5);
});

test('a direct link opens its desktop, and the way back leads to the tiles', async () => {
	const { api, page } = await open('/', { as: 'ana' });
	/* From elsewhere, as a link in a message does: the page loads once, with the pool in its address. */
	await page.goto('about:blank');
	await page.goto(`${api.origin}/#pool=demo`);
	await page.waitForURL(/\/client\/#pool=/);
	await page.goBack();
	await page.waitForSelector('.tile');
	assert.equal(new URL(page.url()).pathname + new URL(page.url()).hash, '/');
});

test('a direct link to a pool that is not one\'s own says so, also after the log-in', async () => {
	const { page } = await open('/#pool=secret-lab');
	await logIn(page, 'ana');
	await page.waitForSelector('.banner:has-text("secret-lab")');
	assert.equal(await page.locator('.tile').count(), 5);
	assert.match(page.url(), /#pool=secret-lab$/);
});

test('the language changes in place and is remembered by the account', async () => {
	const { api, page } = await open('/', { as: 'ana' });
	await page.waitForSelector('.tile');
	await page.click('.top-language');
	await page.waitForSelector('h1:has-text("Hola, Ana Núñez")');
	assert.match(await page.textContent('.tile >> nth=0'), /esperan 3 usuarios/);
	assert.equal(await page.getAttribute('html', 'lang'), 'es');
	assert.deepEqual(calls(api, 'PATCH', '/me')[0].body, { locale: 'es' });
});

test('names from the server are text, never markup', async () => {
	const { api, page } = await open('/', { as: 'ana' });
	api.myPools = [{ id: 'x', name: 'x', display_name: '<img src=x onerror=alert(1)>', description: '<b>', kind: 'floating', state: 'ready', reason: { en: '<i>', es: '' }, desktop: null, protocols: {} }];
	await page.reload();
	await page.waitForSelector('.tile h2');
	assert.equal(await page.textContent('.tile h2'), '<img src=x onerror=alert(1)>');
	assert.equal(await page.locator('.tile img, .tile b, .tile i').count(), 0);
});

test('the console is for admins', async () => {
	const { page } = await open('/console/', { as: 'ana' });
	await page.waitForSelector('text=This is for administrators');
	assert.equal(await page.isHidden('#nav'), true);
});

test('the dashboard has failures first, then who waits', async () => {
	const { page } = await open('/console/', { as: 'admin' });
	await page.waitForSelector('.problem');
	const tones = await page.$$eval('.problem', (all) => all.map((e) => e.classList.contains('is-bad')));
	assert.deepEqual(tones, [...tones].sort((a, b) => b - a));
	assert.match(await page.textContent('.problem >> nth=0'), /lab-host.*has not answered for 10 minutes/);
	assert.match(await page.textContent('.page'), /Who waits.*3 users/);
});

test('a pool says how many are in use, those with a viewer once', async () => {
	const { page } = await open('/console/#/pools', { as: 'admin' });
	const row = page.locator('tr', { hasText: 'Aula 1' });
	assert.match(await row.textContent(), /2 of 2 in use/);
	assert.equal(await row.locator('.fill').getAttribute('aria-label'), 'Connected: 1, Disconnected: 1');
});

test('a quiet site says that all is well', async () => {
	const { page } = await open('/console/', { as: 'admin', world: 'empty' });
	await page.waitForSelector('text=Nothing has failed and nobody waits.');
});

test('lists come in pages, are searched to their end, and keep filters in the address', async () => {
	const { api, page } = await open('/console/#/desktops', { as: 'admin' });
	await page.waitForSelector('text=50 shown, there are more');
	await page.click('text=Show more');
	await page.waitForSelector('text=67 shown');
	await page.fill('input[type=search]', 'development-62');
	await page.waitForSelector('.list-count:has-text("1 shown")');
	assert.match(page.url(), /q=development-62/);
	await page.fill('input[type=search]', '');
	await page.waitForSelector('text=50 shown, there are more');
	await page.selectOption('.filters select >> nth=0', 'failed');
	await page.waitForSelector('.list-count:has-text("1 shown")');
	assert.ok(calls(api, 'GET', '/desktops').at(-1).query.includes('state=failed'));
	await page.reload();
	await page.waitForSelector('.list-count:has-text("1 shown")');
});

test('a list follows the stream, and the row with the focus keeps it', async () => {
	const { api, page } = await open('/console/#/desktops?pool=demo', { as: 'admin' });
	await page.waitForSelector('tr:has-text("demo-02") >> text=Ready');
	await page.waitForFunction(() => document.querySelectorAll('.list tbody tr').length === 2);
	await page.focus('.row-link >> nth=0');
	await page.keyboard.press('ArrowDown');
	const demo2 = api.world.desktops.find((d) => d.name === 'demo-02');
	api.change('desktops', demo2.id, { state: 'failed', reason: { code: 'x', en: 'Power cut.', es: 'Corte de luz.' } });
	await page.waitForSelector('tr:has-text("demo-02") >> text=Power cut.');
	assert.equal(await page.evaluate(() => document.activeElement.textContent), 'demo-02');
	api.remove('desktops', demo2.id);
	await page.waitForSelector('tr:has-text("demo-02")', { state: 'detached' });
});

test('a desktop has its summary, timeline, why and raw, by address and with the way back', async () => {
	const { api, page } = await open('/console/#/desktops', { as: 'admin' });
	await page.click('.row-link:has-text("demo-01")');
	await page.waitForSelector('.facts >> text=ana');
	await page.click('role=tab[name="Timeline"]');
	await page.waitForSelector('.event >> text=Desktop assigned');
	await page.click('role=tab[name="Why"]');
	await page.waitForSelector('.axes >> text=Used: nobody else gets it as it is.');
	await page.click('role=tab[name="Raw"]');
	await page.waitForSelector('.raw:has-text("hygiene")');
	await page.goBack();
	await page.waitForSelector('.axes');
	const id = api.world.desktops[0].id;
	assert.ok(page.url().endsWith(`#/desktops/${id}/why`));
});

test('an action asks in words and its result arrives by the stream', async () => {
	const { api, page } = await open('/console/#/desktops', { as: 'admin' });
	await page.click('.row-link:has-text("demo-01")');
	await page.click('.page-actions >> text=Make new');
	assert.match(await page.textContent('dialog'), /"ana" loses what is not saved/);
	await page.click('dialog button.primary');
	await page.waitForSelector('.chip:has-text("Being made new")');
	assert.equal(calls(api, 'POST', /refresh$/).length, 1);
});

test('what the API says about a field stands beside it, and nothing typed is lost', async () => {
	const { api, page } = await open('/console/#/pools/new', { as: 'admin' });
	await page.waitForSelector('.pool-form form');
	await page.fill('[name=name]', 'demo');
	await page.fill('[name=display_name]', 'Práctica');
	await page.fill('[name=max]', '9');
	await page.fill('[name=min]', '12');
	await page.click('.pool-form button[type=submit]');
	await page.waitForSelector('.field:has([name=min]) .field-error:not([hidden])');
	await page.fill('[name=min]', '2');
	await page.click('.pool-form button[type=submit]');
	await page.waitForSelector('.field:has([name=name]) .field-error:has-text("with this name already")');
	assert.equal(await page.inputValue('[name=display_name]'), 'Práctica');
	assert.equal(await page.getAttribute('[name=name]', 'aria-invalid'), 'true');
	await page.fill('[name=name]', 'practica');
	await page.fill('[name=user_snapshots]', '3');
	await page.fill('[name="spec.disk_mb"]', '40960');
	assert.match(await page.textContent('.rules'), /always at least 2, never more than 9.*up to 3 snapshots/);
	await page.click('.pool-form button[type=submit]');
	await page.waitForSelector('h1:has-text("Práctica")');
	const { body } = calls(api, 'POST', '/pools').at(-1);
	assert.deepEqual([body.provider, body.image, body.logoff_after_disconnect_s, body.spec.memory_mb, body.spec.disk_mb, body.user_snapshots], ['local', 'demo', 7200, 2048, 40960, 3]);
});

test('disks of a user\'s own: where they are, more room, and their end, in both languages', async () => {
	const { api, page } = await open('/', { as: 'admin' });
	const [pool, other] = api.world.pools, user = api.world.users[1], desktop = api.world.desktops[0];
	const disk = (/** @type {any} */ p, /** @type {any} */ more) => ({ id: `${user.id}/${p.id}`, user: { id: user.id, name: user.name }, pool: { id: p.id, name: p.name }, provider: null, size_mb: 2048, state: 'free',
		reason: { code: 'free', en: 'It waits for its user.', es: 'Espera a su usuario.' }, desktop: null, clean: true, keep_days: 0, created: '2026-11-01T08:00:00.000Z', used: '2026-11-29T08:00:00.000Z', ...more });
	api.personal = [disk(pool, { state: 'attached', reason: { code: 'attached', en: 'It is with its user\'s desktop.', es: 'Está en el escritorio de su usuario.' }, desktop: { id: desktop.id, name: desktop.name } }), disk(other, { size_mb: 500 })];
	await page.goto(`${api.origin}/console/#/users/${user.id}`);
	const card = page.locator('.card', { has: page.getByRole('heading', { name: 'Personal disks' }) });
	await card.locator('li').nth(1).waitFor();
	assert.match(await card.textContent(), /2 GiB.*It is with its user's desktop.*In use.*500 MiB.*It waits for its user/s);
	await card.getByRole('button', { name: `Enlarge the disk of ${pool.name}` }).click();
	await page.fill('dialog [name=size_mb]', '4096');
	await page.click('dialog button[type=submit]');
	await card.locator('text=4 GiB').waitFor();
	assert.deepEqual(calls(api, 'PATCH', /^\/personal\//).at(-1).body, { size_mb: 4096 });
	if (process.env.PUESTO_SHOTS)
		await page.screenshot({ path: `${process.env.PUESTO_SHOTS}/personal.png`, fullPage: true });
	await card.getByRole('button', { name: `Remove the disk of ${pool.name}` }).click();
	await page.waitForSelector('dialog [name=keep_days]');
	await page.click('dialog button[type=submit]');
	await card.locator('text=Being removed').waitFor();
	assert.match(calls(api, 'DELETE', /^\/personal\//).at(-1).url ?? calls(api, 'DELETE', /^\/personal\//).at(-1).path, /personal/);
	await page.goto(`${api.origin}/console/#/pools/new`);
	await page.fill('[name=personal_disk_mb]', '5120');
	assert.match(await page.textContent('.rules'), /on a disk of 5120 MB of his own/);
	if (process.env.PUESTO_SHOTS)
		await page.screenshot({ path: `${process.env.PUESTO_SHOTS}/personal-pool.png`, fullPage: true });
});

test('a desktop is stopped and started where its provider can, with what goes on and how it ended', async () => {
	const { api, page } = await open('/console/#/desktops', { as: 'admin' });
	const [{ id }] = api.world.desktops;
	await page.click('.row-link:has-text("demo-01")');
	await page.click('.page-actions >> text=Stop');
	assert.match(await page.textContent('dialog'), /"ana" is connected and is sent away.*"ana" loses what is not saved/);
	await page.click('dialog button.primary');
	await page.waitForSelector('.facts:has-text("under way")');
	await page.waitForSelector('.chip:has-text("Busy")');
	assert.equal(await page.locator('.page-actions >> text=Stop').count(), 0, 'nothing more while it goes on');
	api.settle(id);
	await page.waitForSelector('.chip:has-text("Stopped")');
	await page.waitForSelector('.task-end:has-text("Done")');
	assert.equal(await page.locator('.facts:has-text("under way")').count(), 0);
	await page.getByRole('button', { name: 'Start', exact: true }).click();
	await page.click('dialog button.primary');
	await page.waitForSelector('.facts:has-text("under way")');
	api.settle(id, 'the host has no memory left');
	await page.waitForSelector('.task-end:has-text("Failed") >> text=the host has no memory left');
	assert.deepEqual(calls(api, 'POST', /power$/).map((c) => c.body.power), ['stop', 'start']);
	await page.goto(`${api.origin}/console/#/desktops/${api.world.desktops.find((d) => d.provider.name === 'lab-host').id}`);
	await page.waitForSelector('h1:has-text("render-01")');
	assert.equal(await page.locator('.page-actions >> text=Stop').count() + await page.locator('text=Take a snapshot').count(), 0, 'not where the provider cannot');
});

test('size and host are asked for in the menu of a desktop, by keyboard alone', async () => {
	const { api, page } = await open('/console/#/desktops', { as: 'admin' });
	const [{ id }] = api.world.desktops;
	await page.click('.row-link:has-text("demo-01")');
	await page.locator('.page-actions .menu > button').focus();
	await page.keyboard.press('ArrowUp');
	await page.keyboard.press('Enter');
	await page.waitForSelector('dialog:has-text("Move demo-01")');
	await page.keyboard.type('lab-2');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.facts:has-text("Move to"):has-text("lab-2")');
	api.settle(id);
	await page.waitForSelector('.task-end:has-text("Done")');
	await page.locator('.page-actions .menu > button').click();
	await page.click('role=menuitem[name="Change the size"]');
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('dialog .field-error:has-text("at least one")');
	await page.fill('dialog [name=disk_mb]', '61440');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.facts:has-text("New size: disk 61440 MiB")');
	assert.deepEqual(calls(api, 'POST', /resize$/)[0].body, { disk_mb: 61440 });
});

test('snapshots of a desktop: who and when, one more, back to one, away with one', async () => {
	const { api, page } = await open('/console/#/desktops', { as: 'admin' });
	const [{ id }] = api.world.desktops;
	await page.click('.row-link:has-text("demo-01")');
	assert.match(await page.locator('.rows li', { hasText: 'before-update' }).textContent(), /by admin.*ago|by admin.*yesterday/);
	await page.click('.sheet-head >> text=Take a snapshot');
	await page.fill('dialog [name=name]', 'two words');
	await page.keyboard.press('Enter');
	await page.waitForSelector('dialog .field-error:not([hidden])');
	await page.fill('dialog [name=name]', 'exam');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.facts:has-text("under way"):has-text("exam")');
	api.settle(id);
	await page.waitForSelector('.rows li:has-text("exam")');
	await page.click('[aria-label="Remove the snapshot exam"]');
	await page.click('dialog button.primary');
	await page.waitForSelector('.facts:has-text("Removal of the snapshot")');
	api.settle(id);
	await page.waitForSelector('.rows li:has-text("exam")', { state: 'detached' });
	await page.click('[aria-label="Go back to before-update"]');
	assert.match(await page.textContent('dialog'), /changed on it since is lost. "ana" is connected and is sent away/);
	await page.click('dialog button.primary');
	await page.waitForSelector('.facts:has-text("Back to the snapshot")');
	assert.equal(calls(api, 'POST', `/desktops/${id}/snapshots/before-update/revert`).length, 1);
});

test('a host is taken out of service with its progress and what stays, and put back', async () => {
	const { api, page } = await open('/console/#/providers', { as: 'admin' });
	await page.click('.row-link:has-text("cluster")');
	const row = (name) => page.locator('.hosts > li', { has: page.locator(`strong:text-is("${name}")`) });
	await row('kvm3').waitFor();
	assert.match(await row('kvm3').textContent(), /Draining.*7 of 12 moved.*begun by admin.*demo-0007 \(ana\): on its way to kvm1.*demo-0011: waits for its turn.*render-0002 \(bruno\): The move to kvm2 failed/);
	assert.equal(await row('kvm3').locator('[role=progressbar]').getAttribute('aria-valuenow'), '7');
	assert.match(await row('kvm4').textContent(), /Away.*cannot be reached/);
	assert.match(await page.textContent('.card:has-text("Networks")'), /lab.*Open vSwitch, br0, VLAN 42.*desktops reach each other/);
	await page.click('[aria-label="Maintenance of kvm1"]');
	assert.match(await page.textContent('dialog'), /Its desktops \(19\) are moved to the other hosts while they run/);
	await page.fill('dialog [name=at_once]', '17');
	await page.keyboard.press('Enter');
	await page.waitForSelector('dialog .field-error:not([hidden])');
	await page.fill('dialog [name=at_once]', '4');
	await page.keyboard.press('Enter');
	await row('kvm1').locator('text=0 of 19 moved').waitFor();
	assert.deepEqual(calls(api, 'POST', /kvm1\/maintenance$/)[0].body, { on: true, at_once: 4 });
	Object.assign(api.world.hosts.cluster[0], { desktops: 0, state: 'empty' });
	api.world.hosts.cluster[0].maintenance.moved = 19;
	api.changed('desktops', api.world.desktops[0].id, api.world.desktops[0]);
	await row('kvm1').locator('text=Out of service').waitFor();
	await page.click('[aria-label="Put back kvm1"]');
	await page.click('dialog button.primary');
	await row('kvm1').locator('.chip:has-text("Ready")').waitFor();
	assert.deepEqual(calls(api, 'POST', /kvm1\/maintenance$/)[1].body, { on: false });
});

test('a desktop says where it is and why, and moves to the best host or one of the others', async () => {
	const { api, page } = await open('/console/#/desktops', { as: 'admin' });
	const [d] = api.world.desktops;
	Object.assign(d, { placement: { host: 'kvm2', en: 'kvm2 (71: 60 % memory free, 3 of this pool) before kvm1 (52: 30 % memory free, 9 of this pool)', es: '' } });
	api.world.hosts.local = api.world.hosts.cluster;
	await page.click('.row-link:has-text("demo-01")');
	await page.waitForSelector('.facts:has-text("kvm2 (71: 60 % memory free")');
	await page.click('.page-actions .menu > button');
	await page.click('role=menuitem[name="Move to another host"]');
	assert.deepEqual(await choices(page, 'dialog [name=host] option'), ['the best one', 'kvm1']);
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('.facts:has-text("under way")');
	assert.deepEqual(calls(api, 'POST', /migrate$/)[0].body, {});
});

test('a pool keeps desktops asleep ahead of its users, and says why when it has fewer', async () => {
	const { api, page } = await open('/console/#/pools/new', { as: 'admin' });
	await page.waitForSelector('.pool-form form');
	await page.fill('[name=name]', 'aula-8');
	await page.fill('[name=spare_suspended]', '5');
	await page.waitForSelector('.rules:has-text("are resumed when users come or the free ones run short: 5")');
	await page.click('.pool-form button[type=submit]');
	await page.waitForSelector('h1:has-text("aula-8")');
	assert.equal(calls(api, 'POST', '/pools').at(-1).body.spare_suspended, 5);
	const demo = api.world.pools.find((p) => p.name === 'demo');
	Object.assign(demo, { spare_suspended: 3, max: 6, suspended_reason: { code: 'tier_not_suspended', en: 'demo-0003 could not be suspended and stays as it is; it is tried again after a while: no space left', es: 'demo-0003 no se ha podido suspender y sigue como está' } });
	Object.assign(demo.counts, { suspended: 2, total: demo.counts.total + 2 });
	Object.assign(api.world.desktops.find((d) => d.name === 'demo-02'), { state: 'suspended', sleep: 'suspended', power: 'off', reason: { code: 'suspended', en: 'Suspended, until somebody needs it.', es: 'Suspendido hasta que alguien lo necesite.' } });
	await page.goto(`${page.url().split('#')[0]}#/pools/${demo.id}`);
	await page.waitForSelector('.facts:has-text("demo-0003 could not be suspended")');
	await page.waitForSelector('.fill-suspended');
	await page.goto(`${page.url().split('#')[0]}#/desktops`);
	await page.waitForSelector('.list tbody tr:has-text("Suspended")');
});

test('a pool is put on one of its provider\'s networks', async () => {
	const { api, page } = await open('/console/#/pools/new', { as: 'admin' });
	await page.waitForSelector('.pool-form form');
	assert.deepEqual(await choices(page, '[name="spec.network"] option'), ['the host\'s', 'none']);
	await page.selectOption('[name=provider]', 'cluster');
	await page.waitForSelector('[name="spec.network"] option[value=lab]', { state: 'attached' });
	await page.selectOption('[name="spec.network"]', 'lab');
	await page.fill('[name=name]', 'aula-9');
	await page.click('.pool-form button[type=submit]');
	await page.waitForSelector('h1:has-text("aula-9")');
	assert.equal(calls(api, 'POST', '/pools').at(-1).body.spec.network, 'lab');
});

test('a provider says in words what it carries, and a busy desktop is not a full pool', async () => {
	const { api, page } = await open('/console/#/providers', { as: 'admin' });
	await page.click('.row-link:has-text("local")');
	assert.match(await page.textContent('.carried'), /Start and stop.*Snapshots.*Move to another host/);
	await page.goto(`${api.origin}/console/#/providers/${api.world.providers[1].id}`);
	await page.waitForSelector('.facts >> text=nothing beyond');
	api.world.desktops[0].state = 'busy';
	await page.goto(`${api.origin}/console/#/desktops?state=busy`);
	await page.waitForSelector('.list .chip:has-text("Busy")');
	await page.goto(`${api.origin}/console/#/pools`);
	await page.waitForSelector('tr:has-text("Aula 1") .chip:has-text("Full")');
});

test('datastores: how full, why nothing is placed, maintenance and limits', async () => {
	const { api, page } = await open('/console/#/datastores', { as: 'admin' });
	await page.waitForSelector('tr:has-text("full") .chip:has-text("Full")');
	assert.match(await page.textContent('tr:has(.row-link:text-is("full"))'), /93 % full, 35 GB left.*nothing new is placed.*demo/);
	assert.equal(await page.getAttribute('tr:has-text("nas") .fill', 'aria-label'), '81 % full, 95 GB left');
	assert.match(await page.textContent('tr:has(.row-link:text-is("nas"))'), /volumes of the pool vdi \(logical\)/);
	await page.click('.row-link:has-text("fast")');
	await page.waitForSelector('.facts >> text=2 of 8');
	await page.click('button:has-text("Begin maintenance")');
	await page.click('dialog button:has-text("Begin maintenance")');
	await page.waitForSelector('button:has-text("End maintenance")');
	assert.deepEqual(calls(api, 'PATCH', /datastores/).map((c) => c.body), [{ maintenance: true }]);
	await page.click('button:has-text("Limits")');
	await page.fill('dialog [name=warning]', '70');
	await page.fill('dialog [name=critical]', '85');
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('.facts >> text=warning at 70 %, full at 85 %');
	await page.goto(`${api.origin}/console/`);
	await page.waitForSelector('.problem:has-text("old") .chip:has-text("Offline")');
});

test('a disk is imported with its progress in words, cancelled, and a version removed', async () => {
	const { api, page } = await open('/console/', { as: 'admin' });
	await page.goto(`${api.origin}/console/#/images/${api.world.images[0].id}`);
	await page.waitForSelector('tr:has-text("2026.13") >> text=converting: 42 %');
	assert.match(await page.textContent('tr:has-text("2026.13-rc")'), /full is full \(93 %, 35 GB left\)/);
	await page.click('button:has-text("Import a disk")');
	await page.fill('dialog [name=version]', '2027.01');
	assert.match(await page.textContent('dialog select >> nth=0'), /fast \(380 GB left\)/);
	assert.doesNotMatch(await page.textContent('dialog select >> nth=0'), /old/);
	await page.fill('dialog [name="import.file"]', 'windows.vhdx');
	await page.selectOption('dialog [name="import.format"]', 'vhdx');
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('tr:has-text("2027.01") >> text=waiting for its turn');
	assert.deepEqual(calls(api, 'POST', /versions$/)[0].body, { version: '2027.01', notes: '', import: { datastore: 'fast', file: 'windows.vhdx', format: 'vhdx' } });
	api.versionJob('demo', '2027.01', { step: 'digesting', percent: 93 });
	await page.waitForSelector('tr:has-text("2027.01") [role=progressbar][aria-valuenow="93"]');
	await page.click('tr:has-text("2027.01") button:has-text("Cancel")');
	await page.click('dialog button.danger, dialog button.primary');
	await page.waitForSelector('tr:has-text("2027.01") >> text=it was cancelled');
	await page.click('[aria-label="Remove the version 2026.10"]');
	await page.click('dialog button:has-text("Remove")');
	await page.waitForSelector('tr:has-text("2026.10") >> text=being removed');
});

test('a version is copied to a further datastore', async () => {
	const { api, page } = await open('/console/', { as: 'admin' });
	await page.goto(`${api.origin}/console/#/images/${api.world.images[0].id}`);
	await page.waitForSelector('tr:has-text("2026.11") >> text=fast, nas · 3,072 MB');
	await page.click('[aria-label="Copy the version 2026.11 to another datastore"]');
	assert.deepEqual(await choices(page, 'dialog select option'), ['full (35 GB left)']);
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('tr:has-text("2026.11") >> text=copying: 30 %');
	assert.deepEqual(calls(api, 'POST', /copies$/)[0].body, { datastore: 'full' });
});

test('the recycle bin: a desktop and a disk come back to their user, a version goes for good', async () => {
	const { api, page } = await open('/console/#/recycled', { as: 'admin' });
	assert.match(await page.textContent('tr:has-text("development-09")'), /Desktop.*ana.*development.*fast · 4,096 MB/);
	await page.click('tr:has-text("development-09") [aria-haspopup]');
	await page.click('[role=menuitem]:has-text("Restore")');
	assert.match(await page.textContent('dialog'), /comes back with its disk, for "ana"/);
	await page.click('dialog button.primary');
	await page.waitForSelector('tr:has-text("development-09")', { state: 'detached' });
	assert.match(await page.textContent('tr:has-text("Personal disk")'), /ana.*development.*vm · 1,024 MB/);
	await page.click('tr:has-text("Personal disk") [aria-haspopup]');
	await page.click('[role=menuitem]:has-text("Restore")');
	assert.match(await page.textContent('dialog'), /there again when "ana" logs on/);
	await page.click('dialog button.primary');
	await page.waitForSelector('tr:has-text("Personal disk")', { state: 'detached' });
	assert.equal(calls(api, 'POST', '/recycled/vm/kjihgfedcbaponml/restore').length, 1);
	await page.click('tr:has-text("demo 2026.09") [aria-haspopup]');
	assert.equal(await page.locator('[role=menuitem]:has-text("Restore")').count(), 0);
	await page.click('[role=menuitem]:has-text("Remove for good")');
	await page.click('dialog button.danger');
	await page.waitForSelector('.empty >> text=Nothing is in the recycle bin');
	assert.equal(calls(api, 'DELETE', '/recycled/fast/ponmlkjihgfedcba').length, 1);
});

test('back-ups: one now, back with one, away with a chain; also of a desktop that is gone', async () => {
	const { api, page } = await open('/console/', { as: 'admin' });
	const desktop = api.world.desktops[0];
	await page.goto(`${api.origin}/console/#/desktops/${desktop.id}`);
	const card = page.locator('.card:has(h2:text-is("Back-ups"))');
	assert.match(await card.locator('li').nth(0).textContent(), /incremental · 60 MB · what has changed since the one before/);
	assert.match(await card.locator('li').nth(1).textContent(), /full · 3,072 MB · the first one · asked for/);
	await card.locator('button:has-text("Back up now")').click();
	await card.locator('li:has-text("Copying the disk, 40 %")').waitFor();
	assert.equal(await card.locator('button:has-text("Back up now")').isDisabled(), true);
	await card.locator('li:has-text("Copying") button:has-text("Cancel")').click();
	await page.click('dialog button.primary');
	await card.locator('li:has-text("it was cancelled")').waitFor();
	await card.locator('li:has-text("incremental") button:has-text("Restore")').click();
	assert.match(await page.textContent('dialog'), /gets the disk that it had then/);
	await page.click('dialog button.danger');
	await card.locator('li:has-text("Being restored, 30 %")').waitFor();
	await page.goto(`${api.origin}/console/#/backups`);
	await page.waitForSelector('tr:has-text("development-09") >> text=a crash had spoilt the note');
	await page.click('tr:has-text("development-09") [aria-haspopup]');
	await page.click('[role=menuitem]:has-text("Remove")');
	assert.match(await page.textContent('dialog'), /all incremental ones that belong together go/);
	await page.click('dialog button.danger');
	await page.waitForSelector('tr:has-text("development-09")', { state: 'detached' });
	await page.goto(`${api.origin}/console/#/pools/${api.world.pools[0].id}/edit`);
	assert.equal(await page.inputValue('label:has-text("Keep for (days)") + * input, input[name="backup_keep_d"]'), '30');
});

test('a pool explains itself, also for one person', async () => {
	const { api, page } = await open('/console/', { as: 'admin' });
	const pool = api.world.pools.find((p) => p.name === 'demo');
	await page.goto(`${api.origin}/console/#/pools/${pool.id}/why`);
	await page.fill('.explain input', 'bruno');
	await page.keyboard.press('Enter');
	await page.waitForSelector('text=bruno cannot open demo.');
	assert.match(await page.textContent('.checks'), /add an entitlement/);
});

test('access is given and taken back, groups gain members, images publish', async () => {
	const { api, page } = await open('/console/#/groups', { as: 'admin' });
	await page.click('.row-link:has-text("developers")');
	await page.click('text=Add a member');
	await page.fill('dialog [name=user]', 'carla');
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('.rows >> text=carla');
	await page.click('text=Give access');
	await page.selectOption('dialog [name=pool]', 'aula-1');
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('.rows >> text=aula-1');
	await page.click('[aria-label="Take back: developers, aula-1"]');
	await page.click('dialog button.primary');
	await page.waitForSelector('.rows >> text=aula-1', { state: 'detached' });
	await page.goto(`${api.origin}/console/#/images/${api.world.images[0].id}`);
	await page.click('.sheet-head >> text=Add a version');
	await page.fill('dialog [name=version]', '2026.12');
	await page.click('dialog button[type=submit]');
	await page.click('[aria-label="Publish: 2026.12"]');
	await page.fill('dialog [name=canary]', '10');
	await page.fill('dialog [name=force_at]', 'tomorrow');
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('dialog >> text=A date and a time');
	await page.fill('dialog [name=force_at]', '2031-05-06 18:30');
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('.rollout >> text=Being tried');
	const [asked] = calls(api, 'POST', /publish$/);
	assert.equal(asked.body.canary, 10);
	assert.equal(asked.body.force_at, new Date('2031-05-06T18:30').toISOString());
});

test('a version on its way is watched, held, let go and taken back with the keyboard', async () => {
	const { api, page } = await open('/console/#/groups', { as: 'admin' });
	const image = api.world.images[0];
	api.change('images', image.id, { rollout: rolloutOf('2026.12', '2026.11', 'canary', { plan: { ...rolloutOf('', '', '').plan, canary: 10 } }) });
	await page.goto(`${api.origin}/console/#/images`);
	await page.waitForSelector('td >> text=First desktops');
	await page.goto(`${api.origin}/console/#/images/${image.id}`);
	await page.waitForSelector('.rollout [aria-current=step] >> text=A share of each pool');
	assert.match(await page.textContent('.rollout .facts'), /3 of 8 have it; 2 wait for a log-off; 2 will be replaced; 1 are left alone/);
	for (const [label, phase] of [['To all desktops', 'rolling'], ['Pause', 'rolling'], ['Go on', 'rolling'], ['Take it back', 'reverted']]) {
		await page.focus(`.rollout button:has-text("${label}")`);
		await page.keyboard.press('Enter');
		await page.waitForSelector('dialog');
		await page.keyboard.press('Tab');
		await page.focus('dialog button.primary, dialog button.danger');
		await page.keyboard.press('Enter');
		await page.waitForSelector('dialog', { state: 'detached' });
		await page.waitForFunction(([l]) => ![...document.querySelectorAll('.rollout button')].some((b) => b.textContent === l), [label]);
		assert.equal(api.world.images[0].rollout.phase, phase, label);
	}
	await page.waitForSelector('.rollout >> text=Taken back');
	// A version that did not work is told so, and may be tried again; what is retired is removed.
	api.change('images', image.id, { rollout: rolloutOf('2026.12', '2026.11', 'failed'), versions: [...image.versions, { ...image.versions[1], id: 'v3', version: '2026.12', state: 'failed', desktops: 0, verified: null }] });
	await page.waitForSelector('.rollout >> text=did not report');
	await page.waitForSelector('[aria-label="Try again: 2026.12"]');
	await page.click('[aria-label="Remove the version 2026.10"]');
	await page.click('dialog button.danger');
	await page.waitForSelector('tr:has-text("2026.10") >> text=being removed');
});

test('a token is made, shown once, and taken back', async () => {
	const { api, page } = await open('/console/#/users', { as: 'admin' });
	await page.click('.row-link:has-text("bruno")');
	await page.click('text=Make a token');
	await page.fill('dialog [name=name]', 'backup');
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('dialog:has-text("this once only")');
	assert.equal(await page.inputValue('dialog input'), 'pst_secret');
	assert.deepEqual(calls(api, 'POST', /tokens$/)[0].body, { name: 'backup', expires_s: 7776000 });
	await page.keyboard.press('Escape');
	await page.click('[aria-label="Remove the token backup"]');
	await page.click('dialog button.primary');
	await page.waitForSelector('text=No token: no program acts for this user.');
});

test('a connected desktop has a second view, and a session in the browser can be watched', async () => {
	const { page } = await open('/', { as: 'ana' });
	await page.locator('.tile', { hasText: 'Demo' }).locator('.menu > button').click();
	assert.match(await page.getByRole('menuitem', { name: 'Open a second view' }).getAttribute('href'), /#pool=[\w-]+&view=1$/);
	const { page: other } = await open('/console/#/sessions', { as: 'admin' });
	await other.click('.row-actions button');
	assert.equal(await other.getByRole('menuitem', { name: 'Watch' }).count(), 1);
});

test('a machine\'s console opens where it is carried, and who looks at it can be ended', async () => {
	const { api, page } = await open('/console/#/desktops', { as: 'admin' });
	const desktop = api.world.desktops.find((d) => d.power !== 'off' && d.lifecycle === 'live' && d.provider.name === 'local');
	await page.goto(page.url().replace(/#.*/, `#/desktops/${desktop.id}`));
	const [other] = await Promise.all([page.context().waitForEvent('page'), page.click('button:has-text("Console")')]);
	assert.match(other.url(), new RegExp(`/client/#console=${desktop.id}$`));
	api.change('desktops', desktop.id, { consoles: [{ id: 'c1', user: 'u1', name: 'Rosa', can_input: true, since: new Date().toISOString() }] });
	await page.waitForSelector('.facts >> text=Rosa, with keys and pointer');
	await page.click('button:has-text("Close this console")');
	await page.click('dialog button.primary');
	await page.waitForSelector('.facts >> text=Rosa', { state: 'detached' });
	assert.equal(calls(api, 'DELETE', /consoles\/c1$/).length, 1);
});

test('an error in a confirmation stays there and may be tried again', async () => {
	const { page } = await open('/console/#/images', { as: 'admin' });
	await page.click('.row-actions button');
	await page.click('role=menuitem[name="Delete"]');
	await page.click('dialog button.primary');
	await page.waitForSelector('dialog .form-error:has-text("Something still uses it")');
	assert.equal(await page.isEnabled('dialog button.primary'), true);
});

test('the events are live, filtered, and their chain is checked', async () => {
	const { api, page } = await open('/console/#/events', { as: 'admin' });
	await page.waitForSelector('.event');
	api.audit('session.ended', 'sessions', api.world.sessions[0].id, { text: 'revert' });
	await page.waitForSelector('.event >> text=the desktop went back to a snapshot');
	api.audit('pool.drain_on', 'pools', api.world.pools[0].id, { name: 'aula-1' });
	await page.waitForSelector('.event >> nth=0 >> text=Pool drained');
	await page.selectOption('.filters select', 'login.');
	await page.waitForFunction(() => document.querySelectorAll('.event').length === 2);
	assert.match(page.url(), /kind=login/);
	api.audit('pool.drain_off', 'pools', api.world.pools[0].id, {});
	await page.click('text=Check the chain');
	await page.waitForSelector('.banner:has-text("as they were written")');
	assert.equal(await page.locator('.event').count(), 2);
});

test('a stream that breaks is told, made again, and what was missed is read', async () => {
	const { api, page } = await open('/console/#/desktops?pool=demo', { as: 'admin' });
	await page.waitForSelector('tr:has-text("demo-02")');
	api.isAway = true;
	for (const stream of api.streams)
		stream.destroy();
	await page.waitForSelector('.stream-banner:not([hidden])', { timeout: 9000 });
	api.world.desktops = api.world.desktops.map((d) => d.name === 'demo-02' ? { ...d, reason: { code: '', en: 'Changed meanwhile.', es: '' } } : d);
	api.isAway = false;
	await page.waitForSelector('text=Changed meanwhile.', { timeout: 9000 });
	assert.equal(await page.isHidden('.stream-banner'), true);
});

test('an expired log-in in the console is asked for without losing what was typed', async () => {
	const { api, page } = await open('/console/#/pools/new', { as: 'admin' });
	await page.waitForSelector('.pool-form form');
	await page.fill('[name=name]', 'later');
	api.user = null;
	await page.click('.pool-form button[type=submit]');
	await page.waitForSelector('.login-dialog');
	await page.fill('#login-password', 'secret');
	await page.keyboard.press('Enter');
	await page.waitForSelector('.login-dialog', { state: 'detached' });
	assert.equal(await page.inputValue('[name=name]'), 'later');
});

test('many desktops at once: picked, asked for, done, and what failed is named and may be tried again', async () => {
	const { api, page } = await open('/console/#/desktops?pool=development', { as: 'admin' });
	await page.waitForSelector('.pick');
	const [first, second] = api.world.desktops.filter((d) => d.pool.name === 'development');
	second.isStubborn = true;
	for (const d of [first, second])
		await page.check(`[aria-label="Select ${d.name}"]`);
	assert.match(await page.textContent('.bulk'), /2 selected.*Restart.*Log off \(1\)/);
	await page.click('.bulk >> text=Restart');
	await page.waitForSelector('dialog:has-text("Restart: 2 objects?")');
	assert.match(await page.textContent('dialog'), /development-01, development-02/);
	await page.click('dialog button.primary');
	await page.waitForSelector('dialog .form-error:has-text("1 of 2 could not be done: development-02: The desktop is being changed")');
	second.isStubborn = false;
	api.world.desktops.find((d) => d.id === second.id).isStubborn = false;
	await page.click('dialog button.primary');
	await page.waitForSelector('dialog', { state: 'detached' });
	assert.equal(calls(api, 'POST', new RegExp(`${first.id}/restart$`)).length, 1, 'what was done is not done again');
	assert.equal(calls(api, 'POST', new RegExp(`${second.id}/restart$`)).length, 2);
	assert.equal(await page.isHidden('.bulk'), true);
});

test('a message goes to everybody picked, by keyboard alone', async () => {
	const { api, page } = await open('/console/#/desktops', { as: 'admin' });
	await page.waitForSelector('.pick');
	await page.focus('.pick-all input');
	await page.keyboard.press('Space');
	await page.focus('.bulk button:has-text("Send a message")');
	await page.keyboard.press('Enter');
	await page.keyboard.type('Down at five.');
	await page.focus('dialog button[type=submit]');
	await page.keyboard.press('Enter');
	await page.waitForSelector('dialog', { state: 'detached' });
	const sent = calls(api, 'POST', /message$/);
	assert.equal(sent.length, api.world.desktops.slice(0, 50).filter((d) => d.user).length);
	assert.ok(sent.every((c) => c.body.text === 'Down at five.'));
});

test('a thousand desktops: pages follow each other, search asks the server, a change costs little', async () => {
	const { api, page } = await open('/console/#/desktops?pool=hall', { as: 'admin', world: 'thousand' });
	await page.waitForSelector('text=50 shown, there are more');
	for (let shown = 50; shown < 1000; shown += 200) {
		await page.click('text=Show more');
		await page.waitForFunction((n) => document.querySelectorAll('.list tbody tr').length >= n, Math.min(1000, shown + 200));
	}
	assert.equal(await page.locator('.list tbody tr').count(), 1000);
	const target = api.world.desktops.find((d) => d.name === 'hall-500');
	const began = Date.now();
	api.change('desktops', target.id, { state: 'failed', reason: { code: '', en: 'Power cut.', es: 'Corte de luz.' } });
	await page.waitForSelector('text=Power cut.');
	assert.ok(Date.now() - began < 3000, `a change took ${Date.now() - began} ms`);
	assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
	await page.fill('input[type=search]', 'hall-97');
	await page.waitForFunction(() => document.querySelectorAll('.list tbody tr').length === 11);
	assert.equal(calls(api, 'GET', '/desktops').at(-1).query.includes('q=hall-97'), true);
});

test('a menu on the last row of a short list is not cut off, and news wait until it is closed', async () => {
	const { api, page } = await open('/console/#/images', { as: 'admin', viewport: { width: 1024, height: 500 } });
	await page.click('.row-actions button');
	const last = page.locator('[role=menuitem]:visible').last();
	const seen = await last.evaluate((e) => {
		const box = e.getBoundingClientRect();
		return e.contains(document.elementFromPoint(box.left + box.width / 2, box.bottom - 3));
	});
	assert.equal(seen, true);
	await page.mouse.click(500, 480);
	assert.equal(await last.isVisible(), false, 'a click elsewhere closes it');
	await page.click('.row-actions button');
	api.change('images', api.world.images[0].id, { display_name: 'Renamed' });
	await page.waitForTimeout(300);
	assert.equal(await last.isVisible(), true);
	await page.keyboard.press('Escape');
	await page.waitForSelector('.row-link:has-text("Renamed")');
});

test('every page fits 360 pixels, in both languages', async () => {
	for (const locale of ['en-GB', 'es-ES']) {
		const { api, page } = await open('/', { as: 'admin', locale, viewport: { width: 360, height: 700 } });
		await page.waitForSelector('.tile');
		const { desktops, pools, users, images, groups } = api.world;
		const places = ['/', ...['dashboard', 'sessions?state=', 'desktops', 'pools', 'images', 'datastores', 'backups', 'recycled', 'providers', 'users', 'groups', 'entitlements', 'events', 'pools/new', `datastores/${api.world.datastores[0].id}`, `desktops/${desktops[0].id}`,
			`desktops/${desktops[0].id}/why`, `desktops/${desktops[0].id}/raw`, `pools/${pools[0].id}`, `pools/${pools[0].id}/why`, `users/${users[1].id}`, `images/${images[0].id}`, `groups/${groups[0].id}`]
			.map((place) => `/console/#/${place}`)];
		for (const place of places) {
			await page.goto(api.origin + place);
			await page.waitForLoadState('networkidle', { timeout: 300 }).catch(() => {});
			assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${place} is too wide in ${locale}`);
			const outside = await page.$$eval('main button, main a, main input', (all) => all.filter((e) => e.checkVisibility() && !e.closest('.bulk') && !e.closest('.tabs') && !e.classList.contains('skip'))
				.map((e) => ({ name: e.textContent || e.getAttribute('aria-label'), box: e.getBoundingClientRect() })).filter(({ box }) => box.width && (box.right > innerWidth + 1 || box.left < -1)).map(({ name }) => name));
			assert.deepEqual(outside, [], `${place} has controls outside the window in ${locale}`);
		}
	}
});

test('text and controls have the contrast of AA, light and dark', async () => {
	for (const colorScheme of ['light', 'dark']) {
		const { page } = await open('/console/', { as: 'admin', colorScheme });
		await page.waitForSelector('.problem');
		const low = await page.evaluate(() => {
			const parse = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
			const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((n, v, i) => n + v * [0.2126, 0.7152, 0.0722][i], 0);
			const ground = (element) => {
				for (let e = element; e; e = e.parentElement) {
					const c = parse(getComputedStyle(e).backgroundColor);
					if (c.length >= 3 && c[3] !== 0)
						return c;
				}
				return [255, 255, 255];
			};
			return [...document.querySelectorAll('a, p, span, b, button, h1, h2, time, strong')].filter((e) => e.offsetParent && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())).map((e) => {
				const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
				return { text: e.textContent.trim().slice(0, 30), ratio: (a + 0.05) / (b + 0.05) };
			}).filter((x) => x.ratio < 4.5);
		});
		assert.deepEqual(low, [], colorScheme);
	}
});

test('the skip link, the landmarks and the labels are there', async () => {
	const { page } = await open('/console/#/desktops', { as: 'admin' });
	await page.waitForSelector('.row-link');
	await page.keyboard.press('Tab');
	await page.evaluate(() => /** @type {HTMLElement} */ (document.querySelector('.skip')).focus());
	await page.keyboard.press('Enter');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
	const nameless = await page.$$eval('button, input, select, a', (all) => all.filter((e) => !e.textContent.trim() && !e.getAttribute('aria-label') && !e.labels?.length).map((e) => e.outerHTML.slice(0, 80)));
	assert.deepEqual(nameless, []);
	assert.equal(await page.locator('main').count(), 1);
	assert.equal(await page.getAttribute('#nav [data-noun=desktops]', 'aria-current'), 'page');
});
