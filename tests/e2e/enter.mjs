// SPDX-License-Identifier: GPL-3.0-or-later
/** The log-in of a page, by the API. */

import { ORIGIN, password } from './installation.mjs';

/** Logs in by the API, as the portal does, and returns the user's first pool. @returns {Promise<string>} */
export async function enter(page, user, secret = password(user), origin = ORIGIN) {
	await page.goto(`${origin}/shared/icon.svg`);
	return page.evaluate(async ([name, word]) => {
		await fetch('/api/v1/sessions', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user: name, password: word }) });
		return (await (await fetch('/api/v1/me/pools')).json()).items[0].id;
	}, [user, secret]);
}
