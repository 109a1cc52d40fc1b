// SPDX-License-Identifier: GPL-3.0-or-later
/** The words over the page while there is no picture, or none that moves, and the buttons under them. */

import { setText } from '../shared/dom.js';

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);

/** @param {import('./session.js').Session} session @param {string} title @param {string} text @param {string} countdown */
export function showVeil(session, title, text, countdown) {
	const { state } = session;
	const isOver = session.hadPicture && state !== 'ended';
	$('veil').hidden = state === 'live';
	$('veil').classList.toggle('is-over-picture', isOver);
	$('veil').classList.toggle('is-still', state === 'ended' || Boolean(countdown));
	$('stage').classList.toggle('is-dim', isOver && state !== 'live');
	setText($('veil-title'), title);
	setText($('veil-text'), text);
	$('veil-count').textContent = countdown;
	$('veil-hurry').hidden = !countdown;
	$('veil-again').hidden = state !== 'ended' || !(session.pool || session.options.watch || session.options.console);
	$('veil-back').hidden = state === 'live';
	if (state === 'ended')
		$('veil-again').focus();
	$('menu').hidden = state !== 'live';
}

/** No session can be: only the way back is left. @param {string} title @param {string} [text] */
export function showVeilOnly(title, text = '') {
	$('veil').classList.add('is-still');
	setText($('veil-title'), title);
	setText($('veil-text'), text);
	$('veil-back').hidden = false;
	$('menu').hidden = true;
}

/** @param {import('./session.js').Session} session */
export function listenToVeil(session) {
	$('veil-again').addEventListener('click', () => session.start());
	$('veil-hurry').addEventListener('click', () => session.hurry());
	$('veil-back').addEventListener('click', async (/** @type {Event} */ e) => {
		e.preventDefault();
		await session.giveUp();
		location.assign($('veil-back').href);
	});
}
