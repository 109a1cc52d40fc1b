// SPDX-License-Identifier: GPL-3.0-or-later
/** The console on a running installation: an administrator's work, and lists that follow without a reload. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { enter, newPage } from './browser.mjs';
import { Caller, ORIGIN, password, until } from './installation.mjs';

const api = await Caller.login('admin');
const { context, page } = await newPage({ locale: 'en-GB', viewport: { width: 1280, height: 900 } });
await page.goto(`${ORIGIN}/console/`);
await page.fill('#login-user', 'admin');
await page.fill('#login-password', password('admin'));
await page.click('.login button[type=submit]');
await page.waitForSelector('#nav');
after(async () => {
	await context.close();
	for (const [noun, name] of [['users', 'berta'], ['groups', 'tarde'], ['pools', 'aula']])
		for (const { id } of (await api.list(`/${noun}`)).filter((one) => one.name === name))
			await api.call('DELETE', `/${noun}/${id}`);
});

const place = (to) => page.goto(`${ORIGIN}/console/#/${to}`);
const row = (name) => page.locator('tbody tr', { hasText: name });
const confirm = () => page.locator('dialog button.primary, dialog button.danger').first().click();

test('a pool is made, and its desktops come up while one looks', async () => {
	await place('pools/new');
	await page.fill('[name=name]', 'aula');
	await page.fill('[name=display_name]', 'Aula 7');
	await page.selectOption('[name=provider]', 'local');
	await page.selectOption('[name=image]', 'demo');
	await page.fill('[name=min]', '1');
	await page.fill('[name=max]', '2');
	await page.fill('[name=spare]', '1');
	await page.click('.pool-form button[type=submit]');
	await page.waitForSelector('h1:has-text("Aula 7")');
	await place('desktops?pool=aula');
	await row('aula').locator('text=Ready').first().waitFor({ timeout: 60000 });
	assert.ok((await api.list('/desktops?pool=aula')).some((d) => d.state === 'ready'));
});

test('the pool is edited, drained and taken back', async () => {
	const [pool] = (await api.list('/pools')).filter((p) => p.name === 'aula');
	await place(`pools/${pool.id}/edit`);
	await page.fill('[name=description]', 'Clase de la tarde');
	await page.click('.pool-form button[type=submit]');
	await page.waitForSelector('.facts >> text=Clase de la tarde');
	for (const [label, is] of [['Drain', true], ['Take users again', false]]) {
		await page.locator('.page-actions').getByRole('button', { name: label, exact: true }).click();
		await confirm();
		await until(`the pool has drain = ${is}`, async () => (await api.call('GET', `/pools/${pool.id}`)).data.drain === is);
		await page.waitForSelector('dialog', { state: 'detached' });
	}
});

test('users, groups and access: somebody new may open the pool', async () => {
	await place('users');
	await page.getByRole('button', { name: 'Add a user', exact: true }).click();
	await page.fill('dialog [name=name]', 'berta');
	await page.fill('dialog [name=display_name]', 'Berta Ruiz');
	await page.fill('dialog [name=password]', 'Otra-clave-larga-77');
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('h1:has-text("berta"), h1:has-text("Berta")');
	await place('groups');
	await page.getByRole('button', { name: 'Add a user group', exact: true }).click();
	await page.fill('dialog [name=name]', 'tarde');
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('h1:has-text("tarde")');
	await page.click('text=Add a member');
	await page.fill('dialog [name=user]', 'berta');
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('.rows >> text=berta');
	await page.click('text=Give access');
	await page.selectOption('dialog [name=pool]', 'aula');
	await page.click('dialog button[type=submit]');
	await page.waitForSelector('.rows >> text=/aula/i');
	const hers = await newPage({ locale: 'en-GB' });
	await enter(hers.page, 'berta', 'Otra-clave-larga-77');
	await hers.page.goto(`${ORIGIN}/`);
	await hers.page.waitForSelector('.tile >> text=Aula 7');
	await hers.context.close();
});

test('every list is live: what another caller changes appears by itself', async () => {
	const made = async (path, body) => {
		const { status, data } = await api.call('POST', path, body);
		assert.ok(status < 300, `${path}: ${status} ${JSON.stringify(data)}`);
		return data.id;
	};
	const image = await api.list('/images').then((all) => all[0].name);
	const lists = [['users', { name: 'viva', display_name: 'Viva', password: 'Una-clave-larga-1234' }, 'viva'], ['groups', { name: 'vivos' }, 'vivos'],
		['pools', { name: 'viva-pool', provider: 'local', image, min: 0, max: 1, spare: 0 }, 'viva-pool']];
	for (const [noun, body, name] of lists) {
		await place(noun);
		await page.waitForSelector('.list tbody tr');
		const id = await made(`/${noun}`, body);
		await row(name).waitFor({ timeout: 8000 });
		await api.call('DELETE', `/${noun}/${id}`);
		await row(name).waitFor({ state: 'detached', timeout: 15000 });
	}
	await place('entitlements');
	const entitlement = await made('/entitlements', { pool: 'aula', user: 'demo' });
	await row('demo').filter({ hasText: /aula/i }).waitFor({ timeout: 8000 });
	await api.call('DELETE', `/entitlements/${entitlement}`);
	await row('demo').filter({ hasText: /aula/i }).waitFor({ state: 'detached', timeout: 8000 });
	await place('events');
	await page.waitForSelector('.event');
	await Caller.login('demo');
	await page.waitForSelector('.event >> nth=0 >> text=/demo/', { timeout: 8000 });
});

test('the pool is deleted and its desktops go while one looks', async () => {
	const [pool] = (await api.list('/pools')).filter((p) => p.name === 'aula');
	await place('pools');
	await row('Aula 7').waitFor();
	await place(`pools/${pool.id}`);
	await page.locator('.page-actions button', { hasText: 'Delete' }).click();
	await confirm();
	await place('pools');
	await row('Aula 7').waitFor({ state: 'detached', timeout: 60000 });
	assert.deepEqual((await api.list('/desktops')).filter((d) => d.name.startsWith('aula') && d.state !== 'deleting'), []);
});
