// SPDX-License-Identifier: GPL-3.0-or-later
/** Every page, dialog and menu under the accessibility rules of axe-core, light and dark: nothing serious, nothing critical. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, test } from 'node:test';
import { chromium } from 'playwright-core';
import { FakeApi } from './fake-api.mjs';

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const browser = await chromium.launch({ executablePath: process.env.PUESTO_CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
after(() => browser.close());

/** A page, perhaps something that is opened on it. @type {[string, string, string, ((page: any) => Promise<unknown>)?][]} who, place, what shall be there */
const PLACES = [
	['', '/', '.login'],
	['', '/', '#login-message:not([hidden])', async (page) => {
		await page.fill('#login-user', 'ana');
		await page.click('.login button[type=submit]');
	}],
	['ana', '/', '.tile'],
	['ana', '/', '[role=menuitem]', (page) => page.click('.tile .menu > button >> nth=1')],
	['ana', '/', 'dialog[open] [role=tab]', async (page) => {
		await page.click('.tile .menu > button >> nth=1');
		await page.click('[role=menuitem] >> nth=1');
	}],
	['ana', '/', 'dialog[open] .primary.danger', async (page) => {
		await page.click('.tile .menu > button >> nth=1');
		await page.click('[role=menuitem] >> nth=3');
	}],
	['ana', '/console/', '.login'],
	['ana', '/client/', '#veil-back:not([hidden])'],
	['ana', '/client/', '#menu-items', async (page) => {
		await page.waitForSelector('#veil-back:not([hidden])');
		await page.evaluate(() => {
			document.getElementById('veil').hidden = true;
			document.getElementById('menu').hidden = false;
			document.getElementById('menu-open').click();
		});
	}],
	['ana', '/client/', '#clipboard[open]', async (page) => {
		await page.waitForSelector('#veil-back:not([hidden])');
		await page.evaluate(() => document.getElementById('clipboard').showModal());
	}],
	['ana', '/', '#other-panel p', async (page) => {
		await page.click('.tile .menu > button >> nth=1');
		await page.click('[role=menuitem] >> nth=1');
		await page.click('#tab-novnc');
	}],
	['ana', '/novnc/', '#veil-back:not([hidden])'],
	['ana', '/novnc/', '#menu-items:not([hidden])', async (page) => {
		await page.waitForSelector('#veil-back:not([hidden])');
		await page.evaluate(() => {
			document.getElementById('veil').hidden = true;
			document.getElementById('menu').hidden = false;
			document.getElementById('menu-items').hidden = false;
		});
	}],
	['ana', '/novnc/', '#clipboard[open]', async (page) => {
		await page.waitForSelector('#veil-back:not([hidden])');
		await page.evaluate(() => document.getElementById('clipboard').showModal());
	}],
	...['dashboard', 'sessions?state=', 'desktops', 'pools', 'images', 'datastores', 'backups', 'recycled', 'providers', 'users', 'groups', 'entitlements', 'events', 'pools/new', 'nowhere']
		.map((place) => /** @type {any} */ (['admin', `/console/#/${place}`, { dashboard: '.problem', events: '.event', 'pools/new': '.pool-form form', nowhere: '#content h1' }[place] ?? '.list tbody tr'])),
	...['desktops', 'pools', 'images', 'datastores', 'providers', 'users', 'groups', 'sessions'].map((noun) => /** @type {any} */ (['admin', `/console/#/${noun}/ID`, '.facts'])),
	...['timeline', 'why', 'raw'].map((tab) => /** @type {any} */ (['admin', `/console/#/desktops/ID/${tab}`, '.object-panel > *'])),
	['admin', '/console/#/pools/ID/why', '.explain'],
	['ana', '/', 'dialog[open] .rows strong', async (page, api) => {
		api.world.pools.find((p) => p.name === 'demo').user_snapshots = 3;
		await page.reload();
		await page.locator('.tile', { hasText: 'Demo' }).locator('.menu > button').click();
		await page.click('role=menuitem[name="Snapshots…"]');
	}],
	['admin', '/console/#/providers', '.hosts [role=progressbar]', (page) => page.click('.row-link:has-text("cluster")')],
	['admin', '/console/#/desktops/ID', '[role=menuitem]', (page) => page.click('.page-actions .menu > button')],
	['admin', '/console/#/users', 'dialog[open] form', (page) => page.click('.page-actions button')],
	['admin', '/console/#/desktops', '[role=menuitem]', (page) => page.click('.row-actions button >> nth=1')],
];

/** What is wrong, as text. @param {any} page @param {any} rules */
async function audit(page, rules) {
	await page.evaluate(AXE);
	const found = await page.evaluate((runOnly) => window.axe.run(document, { runOnly, resultTypes: ['violations'] }), rules);
	return found.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
		.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} (${n.failureSummary.split('\n')[1]?.trim()})`).join('; ')}`);
}

/** What colours cannot change is looked at once. */
for (const [colorScheme, rules] of /** @type {[any, any][]} */ ([['light', TAGS], ['dark', { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }]])) {
	test(`nothing serious is wrong for anybody, ${colorScheme}`, async () => {
		const api = await new FakeApi('busy').start();
		const context = await browser.newContext({ viewport: { width: 1280, height: 820 }, locale: 'en-GB', colorScheme, reducedMotion: 'reduce' });
		const page = await context.newPage();
		page.setDefaultTimeout(15000);
		const wrong = [];
		for (const [who, place, wanted, act] of PLACES) {
			const noun = /#\/(\w+)\/ID/.exec(place)?.[1] ?? '';
			const address = api.origin + place.replace('ID', api.world[noun]?.[0].id);
			// The console goes from page to page by itself; all else is loaded anew.
			if (who !== 'admin' || api.user?.name !== who || act) {
				api.user = null;
				if (who)
					api.login({ body: { user: who, password: 'secret' } });
				await page.goto('about:blank');
			}
			await page.goto(address);
			if (who === 'admin')
				await page.waitForFunction((hash) => location.hash === hash && !document.querySelector('#content [aria-busy]'), new URL(address).hash);
			if (act)
				await act(page, api);
			await page.waitForSelector(wanted, { timeout: 10000 }).catch(() => wrong.push(`${place} never had ${wanted}`));
			wrong.push(...(await audit(page, rules)).map((text) => `${place} ${wanted}: ${text}`));
		}
		api.close();
		assert.deepEqual(wrong, []);
	});
}
