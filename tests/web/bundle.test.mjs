// SPDX-License-Identifier: GPL-3.0-or-later
/** Pages as they are installed: their modules in one file each, by web/bundle.py. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { Harness, startServer } from './server.mjs';

const SOURCE = fileURLToPath(new URL('../../web', import.meta.url));
const PAGES = ['client', 'console', 'novnc', 'portal'];
const root = `${mkdtempSync(join(tmpdir(), 'puesto-bundle-'))}/`;
const bundle = (folder) => spawnSync('python3', [join(SOURCE, 'bundle.py'), folder], { encoding: 'utf8' });
cpSync(SOURCE, root, { recursive: true });
after(() => rmSync(root, { recursive: true, force: true }));

const bundlesOf = (page) => readdirSync(join(root, page)).filter((name) => name.startsWith('bundle-')).sort();

test('each page names its bundles and nothing else', () => {
	const { status, stderr } = bundle(root);
	assert.equal(status, 0, stderr);
	for (const page of PAGES) {
		const html = readFileSync(join(root, page, 'index.html'), 'utf8');
		const named = [...html.matchAll(/(?:src|href)="([^"]+\.(?:js|css)[^"]*)"/g)].map(([, name]) => name.split('/').pop()).sort();
		assert.deepEqual(named, bundlesOf(page), page);
		for (const name of bundlesOf(page).filter((n) => n.endsWith('.js.gz'))) {
			const plain = join(root, `${name}.mjs`);
			writeFileSync(plain, gunzipSync(readFileSync(join(root, page, name))));
			execFileSync(process.execPath, ['--check', plain]);
		}
	}
});

test('what is not understood is an error, and leaves the page as it was', () => {
	for (const [text, words] of [['export default 1;\n', /not understood: export default 1/], ["import './zz.js';\n", /circle/]]) {
		const copy = mkdtempSync(join(tmpdir(), 'puesto-bundle-'));
		cpSync(SOURCE, copy, { recursive: true });
		writeFileSync(join(copy, 'client/zz.js'), text);
		const before = readFileSync(join(copy, 'client/main.js'), 'utf8');
		writeFileSync(join(copy, 'client/main.js'), `import './zz.js';\n${before}`);
		const { status, stderr } = bundle(copy);
		assert.notEqual(status, 0);
		assert.match(stderr, words);
		assert.match(readFileSync(join(copy, 'client/index.html'), 'utf8'), /src="main.js"/);
		rmSync(copy, { recursive: true });
	}
});

test('the client works from its bundles, and asks for little', async () => {
	const harness = new Harness();
	await harness.event((e) => e.listening);
	const server = await startServer(harness, { root });
	const browser = await chromium.launch({ executablePath: process.env.PUESTO_CHROMIUM ?? '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu'] });
	try {
		for (const query of ['pool=p1', 'pool=p1&noworker=1']) {
			const page = await (await browser.newContext()).newPage();
			const problems = [];
			page.on('pageerror', (e) => problems.push(e.stack));
			server.files.length = server.asked = 0;
			await page.goto(`${server.origin}/client/?${query}`);
			await page.waitForFunction(() => window.puesto?.state === 'live');
			assert.equal(await page.evaluate(() => window.puesto.isWorker), !query.includes('noworker'));
			assert.deepEqual(problems, []);
			assert.equal(server.asked, 1, 'who the user is is asked while the modules load, and not again');
			if (!query.includes('noworker'))
				assert.ok(server.files.length <= 6, server.files.join(' '));
			await page.context().close();
		}
	} finally {
		await browser.close();
		server.close();
		harness.close();
	}
});
