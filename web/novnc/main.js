// SPDX-License-Identifier: GPL-3.0-or-later
/** The page of one desktop in noVNC: the client's session, menu and clipboard around noVNC's display. */

import '../client/words.js';
import './words.js';
import { Clipboard } from '../client/clipboard.js';
import { listenToClipboardBox, openClipboardBox } from '../client/clipboardbox.js';
import { toggleFullscreen } from '../client/fullscreen.js';
import { Menu } from '../client/menu.js';
import { Session } from '../client/session.js';
import { listenToVeil, showVeil, showVeilOnly } from '../client/veil.js';
import { t, translate } from '../shared/i18n.js';
import { askAgain } from '../shared/login.js';
import { NOVNC } from '../shared/novnc.js';
import { applyTheme } from '../shared/theme.js';
import { toast } from '../shared/toast.js';
import { Display } from './display.js';

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);

/** @param {string} key */
const say = (key) => toast(t(key));

/** @param {string} pool @param {any} RFB */
function open(pool, RFB) {
	const display = new Display($('stage'), RFB, onDisplay);
	const focusDesktop = () => session.state === 'live' && display.focus();
	const menu = new Menu($('menu'), focusDesktop);
	const clipboard = new Clipboard({ send: (text) => display.paste(text), say });
	// The pool's rules are kept by the server; RFB has no word for them.
	clipboard.allow(true, true);

	const session = new Session(pool, {
		post: (command) => display.post(command),
		screen: () => ({ width: innerWidth, height: innerHeight, scale: 1 }),
		named: (name) => {
			document.title = `${name} – Puesto`;
			$('menu-name').textContent = name;
		},
		loginNeeded: () => askAgain(session.user, () => void session.start()),
		show: (state, title, text, countdown) => {
			showVeil(session, title, text, countdown);
			if (state === 'live')
				focusDesktop();
			else
				menu.close(false);
		},
	}, { protocol: 'novnc' });

	/** @param {any} event */
	function onDisplay(event) {
		if (event.type === 'clipboard')
			void clipboard.take(event.text);
		else if (event.type === 'bell')
			say('novnc.bell');
		session.onDisplay(event);
	}

	/** @param {string} id @param {() => void | Promise<void>} action */
	const onMenu = (id, action) => $(id).addEventListener('click', async () => {
		menu.close(true);
		await action();
	});
	onMenu('do-fullscreen', () => toggleFullscreen(say));
	onMenu('do-clipboard', () => openClipboardBox(clipboard));
	onMenu('do-keys', () => display.sendCtrlAltDel());
	onMenu('do-disconnect', () => session.disconnect());
	listenToClipboardBox(clipboard, say, focusDesktop);
	listenToVeil(session);
	listenToPage({ session, display, menu, clipboard, focusDesktop });
	void session.start();
}

/** @param {{session: Session, display: Display, menu: Menu, clipboard: Clipboard, focusDesktop: () => void}} parts */
function listenToPage({ session, display, menu, clipboard, focusDesktop }) {
	// Before noVNC, which keeps every key to itself.
	window.addEventListener('keydown', (e) => {
		void clipboard.write(true);
		const isChord = e.ctrlKey && e.altKey && e.shiftKey && ['Control', 'Alt', 'Shift'].includes(e.key);
		if (!isChord || !$('stage').contains(document.activeElement))
			return;
		e.stopImmediatePropagation();
		display.releaseKeys();
		menu.open();
	}, true);
	$('stage').addEventListener('pointerdown', () => {
		menu.close(false);
		void clipboard.write(true);
	}, true);
	window.addEventListener('focus', () => {
		if (document.activeElement === document.body)
			focusDesktop();
		void clipboard.read();
	});
	window.addEventListener('online', () => session.hurry());
	document.addEventListener('fullscreenchange', () => {
		$('do-fullscreen').setAttribute('aria-pressed', String(Boolean(document.fullscreenElement)));
		focusDesktop();
	});
	/** For tests and the curious, read only. */
	Object.defineProperty(window, 'puesto', { value: Object.freeze({
		get state() {
			return session.state;
		},
	}) });
}

async function begin() {
	applyTheme();
	translate(document.documentElement);
	document.title = t('novnc.title');
	const pool = new URLSearchParams(location.search || location.hash.slice(1)).get('pool');
	if (!pool) {
		showVeilOnly(t('noPool'));
		return;
	}
	/** @type {any} */
	let novnc;
	try {
		novnc = await import(`${NOVNC}/core/rfb.js`);
	} catch {
		showVeilOnly(t('novnc.missing'), t('novnc.missingText'));
		return;
	}
	open(pool, novnc.default);
}

void begin();
