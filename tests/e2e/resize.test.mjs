// SPDX-License-Identifier: GPL-3.0-or-later
/** The desktop's screen follows the client's window: browser, VNC viewer and RDP client. */

import { test } from 'node:test';
import { canvas, exact, openDesktop } from './browser.mjs';
import { display, grab, onDisplay, shows, VIEWERS } from './clients.mjs';
import { run, same, screenSize } from './desktop.mjs';
import { Caller, desktopOf, until } from './installation.mjs';

const admin = await Caller.login('admin');
let desktop;

const becomes = (width, height) => until(`the screen is ${width} × ${height}`, () => screenSize(desktop).join() === `${width},${height}`);

test('a browser window', async () => {
	const { context, page } = await openDesktop('demo');
	desktop = await desktopOf(admin, 'demo');
	await becomes(1024, 700);
	for (const [width, height] of [[800, 600], [1300, 820], [1024, 700]]) {
		await page.setViewportSize({ width, height });
		await becomes(width, height);
		await until('the client has the new size', () => page.evaluate(([w, h]) => window.puesto.surface.width === w && window.puesto.surface.height === h, [width, height]));
		await exact(page);
		await same(`the browser at ${width} × ${height}`, desktop, () => canvas(page));
	}
	await context.close();
});

test('the scale of a dense screen reaches programs that start, and a plain one takes it back', async () => {
	for (const [deviceScaleFactor, dpi] of [[2, 192], [1, 96]]) {
		const { context } = await openDesktop('demo', { deviceScaleFactor });
		await until(`${dpi} dots an inch`, () => run(desktop, ['xrdb', '-query']).includes(`Xft.dpi:\t${dpi}\n`));
		await context.close();
	}
});

for (const [viewer, options] of [[VIEWERS.vnc, ['-RemoteResize=1']], [VIEWERS.rdp, ['/size:1024x700', '/dynamic-resolution']]]) {
	test(`${viewer.what} with a window that changes`, async () => {
		const at = await display();
		const child = viewer.open(at, 'demo', options);
		const id = await shows(viewer, at, desktop);
		for (const [width, height] of [[900, 640], [1200, 800]]) {
			onDisplay(at, ['xdotool', 'windowsize', id, String(width), String(height)]);
			await becomes(width, height);
			await same(`${viewer.what} at ${width} × ${height}`, desktop, () => grab(at, id));
		}
		child.kill();
	});
}
