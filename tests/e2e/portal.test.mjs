// SPDX-License-Identifier: GPL-3.0-or-later
/** The portal on a running installation: from the log-in to the desktop and out of it, by mouse and by keyboard alone. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canvas, live, newPage } from './browser.mjs';
import { desktopPid, same } from './desktop.mjs';
import { Caller, desktopOf, ORIGIN, password, until } from './installation.mjs';

const admin = await Caller.login('admin');
const hasDesktop = async (user) => (await admin.list('/desktops')).find((d) => (d.user?.name ?? d.user) === user);

/** The whole day by keys: log-in, tile, desktop, the desktop's menu, log-off. */
test('by keyboard alone: log-in, tile, desktop, log-off', async () => {
	const { context, page } = await newPage({ locale: 'en-GB' });
	await page.goto(`${ORIGIN}/`);
	await page.waitForSelector('#login-user:focus');
	await page.keyboard.type('demo');
	await page.keyboard.press('Tab');
	await page.keyboard.type(password('demo'));
	await page.keyboard.press('Enter');
	await page.waitForSelector('.tile >> text=Demo desktop');
	const isOnTile = () => page.evaluate(() => document.activeElement?.matches('.tile a.primary') ?? false);
	await until('Tab reaches the tile', async () => {
		await page.keyboard.press('Tab');
		return isOnTile();
	});
	await page.keyboard.press('Enter');
	await page.waitForURL(/\/client\//);
	await live(page);
	const desktop = await desktopOf(admin, 'demo');
	await same('the browser', desktop, () => canvas(page));
	await page.keyboard.press('Control+Alt+Shift');
	await page.waitForSelector('#menu-items:not([hidden])');
	await until('the arrow reaches log-off', async () => {
		await page.keyboard.press('ArrowRight');
		return page.evaluate(() => document.activeElement?.id === 'do-logoff');
	});
	await page.keyboard.press('Enter');
	await page.waitForSelector('#confirm[open]');
	await until('the question has the focus', () => page.evaluate(() => document.activeElement?.matches('#confirm button') ?? false));
	await page.keyboard.press('Enter');
	await page.waitForFunction(() => window.puesto.state === 'ended');
	await until('the desktop is nobody\'s', async () => !await hasDesktop('demo'), 40);
	await until('Tab reaches the way back', async () => {
		await page.keyboard.press('Tab');
		return page.evaluate(() => document.activeElement?.id === 'veil-back');
	});
	await page.keyboard.press('Enter');
	await page.waitForSelector('.tile a.primary:has-text("Open")');
	await context.close();
});

test('one click opens the desktop; the tile tells its state and restarts it', async () => {
	const { context, page } = await newPage({ locale: 'en-GB' });
	await page.goto(`${ORIGIN}/`);
	await page.fill('#login-user', 'demo');
	await page.fill('#login-password', password('demo'));
	await page.click('.login button[type=submit]');
	const tile = page.locator('.tile');
	await tile.locator('a.primary').click();
	await live(page);
	const desktop = await desktopOf(admin, 'demo');
	await page.goBack();
	await page.waitForSelector('.tile a.primary:has-text("Continue")');
	const name = (await hasDesktop('demo')).name;
	assert.match(await tile.textContent(), new RegExp(name));

	const before = desktopPid(desktop);
	await tile.locator('.menu > button').click();
	await page.getByRole('menuitem', { name: 'Restart my desktop' }).click();
	await page.locator('dialog button.primary').click();
	await page.waitForSelector('.toast, [role=status] >> text=/restarting/');
	await until('the desktop has another first process', () => { try { return desktopPid(desktop) !== before; } catch { return false; } }, 40);
	await until('the desktop is still his', async () => (await hasDesktop('demo'))?.id === desktop);
	await tile.locator('a.primary').click();
	await live(page, 60);
	await same('the browser, after the restart,', desktop, () => canvas(page), 40);

	// With the desktop in sight nobody has to ask for it again.
	assert.equal((await admin.call('POST', `/desktops/${desktop}/restart`)).status, 202);
	await page.waitForFunction(() => /is restarting/.test(document.getElementById('veil-title').textContent));
	await live(page, 60);
	await same('the browser, by itself,', desktop, () => canvas(page), 40);
	await page.goBack();

	await tile.locator('.menu > button').click();
	await page.getByRole('menuitem', { name: 'Log off from the desktop' }).click();
	await page.locator('dialog button.primary').click();
	await page.waitForSelector('.tile a.primary:has-text("Open")', { timeout: 40000 });
	assert.ok(!await hasDesktop('demo'));
	await context.close();
});
