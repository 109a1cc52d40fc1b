// SPDX-License-Identifier: GPL-3.0-or-later
/** The page of one desktop: joins session, display, keyboard, pointer, clipboard and menu. */

import './words.js';
import { h } from '../shared/dom.js';
import { t, translate, language } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { askAgain } from '../shared/login.js';
import { menuButton } from '../shared/menu.js';
import { applyTheme } from '../shared/theme.js';
import { Clipboard } from './clipboard.js';
import { listenToClipboardBox, openClipboardBox } from './clipboardbox.js';
import { ConsoleBar } from './consolebar.js';
import { toggleFullscreen } from './fullscreen.js';
import { Keyboard } from './keyboard.js';
import { openLink } from './link.js';
import { Menu } from './menu.js';
import { Pointer } from './pointer.js';
import { Screen, ZOOMS } from './screen.js';
import { Session } from './session.js';
import { cursorOf } from './shape.js';
import { specialKeys } from './specialkeys.js';
import { Statistics } from './statistics.js';
import { listenToVeil, showVeil, showVeilOnly } from './veil.js';

const RESIZE_WAIT_MS = 250;
const TOAST_MS = 6000;
const BELL_MS = 900;
const HINTED = 'puesto.hinted';

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);

applyTheme();
translate(document.documentElement);

const parameters = new URLSearchParams(location.search || location.hash.slice(1));
const pool = parameters.get('pool') ?? '';
/** The session that an administrator watches. */
const watch = parameters.get('watch') ?? '';
/** The desktop whose machine's own screen he sees. */
const machine = parameters.get('console') ?? '';
const fixedScale = Number(parameters.get('scale')) || 0;
const canvas = /** @type {HTMLCanvasElement} */ ($('screen'));
let resizeTimer = 0;
let toastTimer = 0;
let bellTimer = 0;
/** @type {any} */
let lastCursor = null;
/** Who watches this session. */
let watchers = '';
let isViewOnly = false;
/** The size that the desktop was last asked to have. */
let asked = { width: 0, height: 0, scale: 0 };

/** @type {Map<number, (answer: any) => void>} */
const questions = new Map();
let nextQuestion = 1;

/** Asks the display and waits for its answer. @param {string} type @returns {Promise<any>} */
function ask(type) {
	return new Promise((resolve) => {
		const id = nextQuestion++;
		questions.set(id, resolve);
		link.post({ type, id });
	});
}

/** @param {string} text */
function toast(text) {
	clearTimeout(toastTimer);
	$('toast').textContent = text;
	$('toast').hidden = false;
	toastTimer = /** @type {any} */ (setTimeout(() => {
		$('toast').hidden = true;
	}, TOAST_MS));
}

/** @param {string} key */
const say = (key) => toast(t(key));

/** A bell that is seen; nothing flashes. */
function ring() {
	clearTimeout(bellTimer);
	$('bell').textContent = t('bell');
	bellTimer = /** @type {any} */ (setTimeout(() => {
		$('bell').textContent = '';
	}, BELL_MS));
}

/** Once for each browser: where the menu is. */
function hint() {
	if (localStorage.getItem(HINTED) || window.matchMedia('(pointer: coarse)').matches)
		return;
	localStorage.setItem(HINTED, 'yes');
	toast(t('hint.menu'));
}

function focusDesktop() {
	if (session.state === 'live')
		$('keys').focus({ preventScroll: true });
}

const link = openLink(canvas, onDisplay, parameters.has('noworker'));
const screen = new Screen($('stage'), canvas, fixedScale, resized);

const session = new Session(pool, {
	post: (command) => link.post(command),
	screen: () => (asked = screen.wish()),
	named: (name) => {
		document.title = machine ? t('console.title', { name }) : `${name} – Puesto`;
		$('menu-name').textContent = name;
	},
	sees: (sight) => bar?.setSight(sight),
	loginNeeded: () => askAgain(session.user, () => void session.start()),
	show: (state, title, text, countdown) => {
		showVeil(session, title, text, countdown);
		if (state === 'live') {
			focusDesktop();
			hint();
			askForSize();
		}
		if (state === 'ended') {
			statistics.toggle(false);
			menu.close(false);
		}
	},
}, { forceNoVideo: parameters.has('novideo'), forceHalfColour: parameters.has('halfcolour'), view: parameters.has('view'), watch, console: machine, look: parameters.has('look') });

const clipboard = new Clipboard({
	send: (text) => link.post({ type: 'clipboard', text }),
	say,
});

/** What the user does, for a desktop that takes it. @param {{type: string, [key: string]: any}} command */
function act(command) {
	if (!isViewOnly)
		link.post(command);
}

const keyboard = new Keyboard($('keys'), {
	key: (isDown, keysym, keycode) => {
		act({ type: 'key', isDown, keysym, keycode });
		if (isDown)
			clipboard.write(true);
	},
	text: (text) => act({ type: 'text', text }),
	release: () => act({ type: 'release' }),
	paste: (text) => clipboard.give(text),
	menu: () => menu.open(),
});

new Pointer(canvas, () => screen.surface, {
	pointer: (x, y, buttons) => {
		act({ type: 'pointer', x, y, buttons });
		if (!$('dot').hidden)
			showDot(x, y);
		if (buttons)
			clipboard.write(true);
	},
	wheel: (dx, dy) => act({ type: 'wheel', dx, dy }),
	touched: () => {
		$('dot').hidden = false;
	},
});

const menu = new Menu($('menu'), focusDesktop);

const bar = machine ? new ConsoleBar(machine, {
	show: (sight, id) => session.see(sight, id),
	sendKeys: () => keyboard.chord(specialKeys(language())[0].chord),
	toast,
	focus: focusDesktop,
}) : null;
/** Buttons that are never of use on this page. @type {Set<string>} */
const useless = new Set(machine ? ['do-clipboard', 'do-logoff'] : []);

const statistics = new Statistics($('statistics'), async () => {
	const { stats } = await ask('stats');
	return { ...stats, ...screen.surface };
});

/** @param {number} x @param {number} y on the desktop's screen */
function showDot(x, y) {
	const box = canvas.getBoundingClientRect();
	$('dot').style.left = `${box.left + x * box.width / (screen.surface.width || 1)}px`;
	$('dot').style.top = `${box.top + y * box.height / (screen.surface.height || 1)}px`;
}

/** A quiet line for as long as it lasts. */
function showWatched() {
	$('watched').textContent = isViewOnly ? t('watching') : watchers && t('watched', { names: watchers });
}

/** Only the buttons that do something. */
function setViewOnly() {
	for (const id of ['do-keyboard', 'do-clipboard', 'do-keys', 'do-logoff'])
		$(id).hidden = isViewOnly || useless.has(id);
	bar?.setViewOnly(isViewOnly);
	showWatched();
}

/** @param {any} event */
function onDisplay(event) {
	switch (event.type) {
	case 'hello':
		clipboard.allow(event.clipboardIn, event.clipboardOut);
		isViewOnly = event.isViewOnly;
		setViewOnly();
		break;
	case 'watched':
		watchers = event.names;
		showWatched();
		break;
	case 'closed':
		watchers = '';
		showWatched();
		break;
	case 'surface':
		screen.show(event);
		break;
	case 'cursor':
		lastCursor = event;
		canvas.style.cursor = cursorOf(event, screen.ratio * 100 / screen.zoom);
		break;
	case 'pointer':
		if (!$('dot').hidden)
			showDot(event.x, event.y);
		break;
	case 'clipboard':
		clipboard.take(event.text);
		break;
	case 'bell':
		ring();
		break;
	case 'stats':
	case 'pixels':
		questions.get(event.id)?.(event);
		questions.delete(event.id);
		break;
	}
	session.onDisplay(event);
}

/** Where the desktop was asked for another size than the window has now: it may have changed while the desktop was awaited. */
function askForSize() {
	const wish = screen.wish();
	if (session.state !== 'live' || session.isGuest || (wish.width === asked.width && wish.height === asked.height && wish.scale === asked.scale))
		return;
	asked = wish;
	link.post({ type: 'resize', ...wish });
}

function resized() {
	clearTimeout(resizeTimer);
	resizeTimer = /** @type {any} */ (setTimeout(() => {
		askForSize();
		if (lastCursor)
			canvas.style.cursor = cursorOf(lastCursor, screen.ratio * 100 / screen.zoom);
	}, RESIZE_WAIT_MS));
}

/** @param {string} id @param {() => void | Promise<void>} action */
function onMenu(id, action) {
	$(id).addEventListener('click', async () => {
		menu.close(true);
		await action();
	});
}

/** A touch screen's own keyboard comes when it is asked for, and not with each touch of the desktop. @param {boolean} isWanted */
function setTouchKeyboard(isWanted) {
	$('do-keyboard').setAttribute('aria-pressed', String(isWanted));
	$('keys').inputMode = isWanted ? 'text' : 'none';
	if (document.activeElement === $('keys'))
		$('keys').blur();
	focusDesktop();
}

/** The two menus in the menu: keys that no page can catch, and the size of things. */
function fillMenus() {
	const then = (/** @type {() => void} */ run) => () => {
		menu.close(true);
		run();
	};
	const face = (/** @type {import('../shared/icons.js').IconName} */ name, /** @type {string} */ key) => [icon(name), h('span', {}, t(key))];
	$('do-keys').replaceChildren(menuButton(face('keycap', 'menu.keys'), t('menu.keys'), () => specialKeys(language())
		.map(({ label, chord }) => ({ label, icon: 'keycap', run: then(() => keyboard.chord(chord)) }))));
	$('do-size').replaceChildren(menuButton(face('search', 'menu.size'), t('menu.size'), () => ZOOMS
		.map((zoom) => ({ label: t(zoom === 100 ? 'menu.sizeNative' : 'menu.sizeOf', { zoom }), icon: screen.zoom === zoom ? 'check' : 'search', run: then(() => screen.setZoom(zoom)) }))));
}

onMenu('do-fullscreen', () => toggleFullscreen(say));
onMenu('do-keyboard', () => setTouchKeyboard($('keys').inputMode === 'none'));
onMenu('do-statistics', () => {
	statistics.toggle(!statistics.isOn);
	link.post({ type: 'watch', on: statistics.isOn });
	$('do-statistics').setAttribute('aria-pressed', String(statistics.isOn));
});
onMenu('do-clipboard', () => openClipboardBox(clipboard));
onMenu('do-disconnect', () => session.disconnect());
onMenu('do-logoff', () => $('confirm').showModal());

$('confirm').addEventListener('close', async () => {
	if ($('confirm').returnValue !== 'yes') {
		focusDesktop();
		return;
	}
	const problem = await session.logoff();
	if (problem)
		toast(problem);
});
listenToClipboardBox(clipboard, say, focusDesktop);
listenToVeil(session);

canvas.addEventListener('pointerdown', (e) => {
	menu.close(false);
	// On a touch screen the keyboard comes up from the menu only.
	if (e.pointerType !== 'touch')
		focusDesktop();
});
window.addEventListener('focus', () => {
	if (document.activeElement === document.body)
		focusDesktop();
	clipboard.read();
});
window.addEventListener('blur', () => keyboard.releaseAll());
window.addEventListener('online', () => session.hurry());
document.addEventListener('visibilitychange', () => {
	if (document.hidden)
		keyboard.releaseAll();
	else
		session.hurry();
});
document.addEventListener('fullscreenchange', () => {
	$('do-fullscreen').setAttribute('aria-pressed', String(Boolean(document.fullscreenElement)));
	focusDesktop();
});
document.addEventListener('languagechange-puesto', () => {
	session.repeat();
	fillMenus();
	showWatched();
	bar?.repeat();
});
window.addEventListener('beforeunload', () => link.post({ type: 'release' }));
if (window.matchMedia('(any-pointer: coarse)').matches)
	setTouchKeyboard(false);
else
	useless.add('do-keyboard');
setViewOnly();
fillMenus();

/** For tests and the curious: what this page knows, read only. */
Object.defineProperty(window, 'puesto', { value: Object.freeze({
	get state() {
		return session.state;
	},
	get surface() {
		return { ...screen.surface };
	},
	get isWorker() {
		return link.isWorker;
	},
	get language() {
		return language();
	},
	get desktop() {
		return { ...session.desktop };
	},
	stats: async () => (await ask('stats')).stats,
	pixels: async () => {
		const { width, height, data, sequence, isExact } = await ask('pixels');
		return { width, height, data, sequence, isExact };
	},
	/** SHA-256 of the canvas's R G B A bytes, in hexadecimal. */
	frameHash: async () => {
		const { data } = await ask('pixels');
		const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
		return [...digest].map((b) => b.toString(16).padStart(2, '0')).join('');
	},
}) });

bar?.start();
if (pool || watch || machine)
	session.start();
else
	showVeilOnly(t('noPool'));
