// SPDX-License-Identifier: GPL-3.0-or-later
/** The page of one desktop: joins session, display, keyboard, pointer, clipboard and menu. */

import './words.js';
import { t, translate, language } from '../shared/i18n.js';
import { applyTheme } from '../shared/theme.js';
import { Clipboard } from './clipboard.js';
import { Keyboard } from './keyboard.js';
import { openLink } from './link.js';
import { Menu } from './menu.js';
import { Pointer } from './pointer.js';
import { Session } from './session.js';
import { cursorOf } from './shape.js';
import { Statistics } from './statistics.js';

const RESIZE_WAIT_MS = 250;
const TOAST_MS = 6000;
const LOCKED_KEYS = ['Escape', 'Tab', 'AltLeft', 'AltRight', 'MetaLeft', 'MetaRight', 'ControlLeft', 'ControlRight', 'KeyW', 'KeyT', 'KeyN', 'F11'];

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);

applyTheme();
translate(document.documentElement);

const parameters = new URLSearchParams(location.search || location.hash.slice(1));
const pool = parameters.get('pool') ?? '';
const fixedScale = Number(parameters.get('scale')) || 0;
const canvas = /** @type {HTMLCanvasElement} */ ($('screen'));
const surface = { width: 0, height: 0 };
let resizeTimer = 0;
let toastTimer = 0;
/** @type {any} */
let lastCursor = null;

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

function ratio() {
	return fixedScale || window.devicePixelRatio || 1;
}

/** The size that fills the window, in the screen's own pixels. */
function wishedScreen() {
	const width = Math.max(2, Math.round(window.innerWidth * ratio()) & ~1);
	const height = Math.max(2, Math.round(window.innerHeight * ratio()) & ~1);
	return { width, height, scale: Math.round(ratio() * 100) };
}

/** Places the picture: pixel for pixel where it fits, else smaller. */
function layout() {
	if (!surface.width)
		return;
	const width = surface.width / ratio();
	const height = surface.height / ratio();
	const fit = Math.min(1, window.innerWidth / width, window.innerHeight / height);
	const isNear = Math.abs(width - window.innerWidth) < 2 && Math.abs(height - window.innerHeight) < 2;
	canvas.style.width = `${width * (isNear ? 1 : fit)}px`;
	canvas.style.height = `${height * (isNear ? 1 : fit)}px`;
}

function focusDesktop() {
	if (session.state === 'live')
		$('keys').focus({ preventScroll: true });
}

const link = openLink(canvas, onDisplay, parameters.has('noworker'));

const session = new Session(pool, {
	post: (command) => link.post(command),
	screen: wishedScreen,
	named: (name) => {
		document.title = `${name} – Puesto`;
		$('menu-name').textContent = name;
	},
	show: (state, title, text) => {
		const isOver = session.hadPicture && state !== 'ended';
		$('veil').hidden = state === 'live';
		$('veil').classList.toggle('is-over-picture', isOver);
		$('veil').classList.toggle('is-still', state === 'ended');
		$('stage').classList.toggle('is-dim', isOver && state !== 'live');
		$('veil-title').textContent = title;
		$('veil-text').textContent = text;
		$('veil-again').hidden = state !== 'ended' || !pool;
		$('veil-back').hidden = state === 'live' || isOver;
		if (state === 'live')
			focusDesktop();
		if (state === 'ended') {
			statistics.toggle(false);
			menu.close(false);
			$('veil-again').focus();
		}
		$('menu').hidden = state !== 'live';
	},
}, { forceNoVideo: parameters.has('novideo') });

const clipboard = new Clipboard({
	send: (text) => link.post({ type: 'clipboard', text }),
	say: (key) => toast(t(key)),
});

const keyboard = new Keyboard($('keys'), {
	key: (isDown, keysym, keycode) => {
		link.post({ type: 'key', isDown, keysym, keycode });
		if (isDown)
			clipboard.write();
	},
	text: (text) => link.post({ type: 'text', text }),
	release: () => link.post({ type: 'release' }),
	paste: (text) => clipboard.give(text),
	menu: () => menu.open(),
});

new Pointer(canvas, () => surface, {
	pointer: (x, y, buttons) => {
		link.post({ type: 'pointer', x, y, buttons });
		if (!$('dot').hidden)
			showDot(x, y);
		if (buttons)
			clipboard.write();
	},
	wheel: (dx, dy) => link.post({ type: 'wheel', dx, dy }),
	touched: () => {
		$('dot').hidden = false;
	},
});

const menu = new Menu($('menu'), focusDesktop);

const statistics = new Statistics($('statistics'), async () => {
	const { stats } = await ask('stats');
	return { ...stats, ...surface };
});

/** @param {number} x @param {number} y on the desktop's screen */
function showDot(x, y) {
	const box = canvas.getBoundingClientRect();
	$('dot').style.left = `${box.left + x * box.width / (surface.width || 1)}px`;
	$('dot').style.top = `${box.top + y * box.height / (surface.height || 1)}px`;
}

/** @param {any} event */
function onDisplay(event) {
	switch (event.type) {
	case 'hello':
		clipboard.allow(event.clipboardIn, event.clipboardOut);
		break;
	case 'surface':
		surface.width = event.width;
		surface.height = event.height;
		layout();
		break;
	case 'cursor':
		lastCursor = event;
		canvas.style.cursor = cursorOf(event, ratio());
		break;
	case 'pointer':
		if (!$('dot').hidden)
			showDot(event.x, event.y);
		break;
	case 'clipboard':
		clipboard.take(event.text);
		break;
	case 'stats':
	case 'pixels':
		questions.get(event.id)?.(event);
		questions.delete(event.id);
		break;
	}
	session.onDisplay(event);
}

function resized() {
	layout();
	clearTimeout(resizeTimer);
	resizeTimer = /** @type {any} */ (setTimeout(() => {
		if (session.state === 'live')
			link.post({ type: 'resize', ...wishedScreen() });
		if (lastCursor)
			canvas.style.cursor = cursorOf(lastCursor, ratio());
	}, RESIZE_WAIT_MS));
}

async function toggleFullscreen() {
	if (document.fullscreenElement) {
		await document.exitFullscreen();
		return;
	}
	try {
		await document.documentElement.requestFullscreen({ navigationUI: 'hide' });
		// Where the browser can, keys such as Alt+Tab and Ctrl+W go to the desktop as well.
		await /** @type {any} */ (navigator).keyboard?.lock?.(LOCKED_KEYS);
	} catch (reason) {
		toast(/** @type {Error} */ (reason).message);
	}
}

/** @param {string} id @param {() => void | Promise<void>} action @param {boolean} [staysOpen] */
function onMenu(id, action, staysOpen = false) {
	$(id).addEventListener('click', async () => {
		if (!staysOpen)
			menu.close(true);
		await action();
	});
}

onMenu('do-fullscreen', toggleFullscreen);
onMenu('do-keyboard', focusDesktop);
onMenu('do-statistics', () => {
	statistics.toggle(!statistics.isOn);
	link.post({ type: 'watch', on: statistics.isOn });
	$('do-statistics').setAttribute('aria-pressed', String(statistics.isOn));
});
onMenu('do-cad', () => keyboard.chord([[0xffe3, 29], [0xffe9, 56], [0xffff, 111]]));
onMenu('do-clipboard', () => {
	$('clipboard-text').value = clipboard.fromDesktop;
	$('clipboard').showModal();
	$('clipboard-text').select();
});
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
$('clipboard').addEventListener('close', focusDesktop);
$('clipboard-give').addEventListener('click', () => {
	clipboard.give($('clipboard-text').value);
	if (clipboard.isInAllowed)
		toast(t('clipboard.given'));
});
$('clipboard-copy').addEventListener('click', () => {
	$('clipboard-text').value = clipboard.fromDesktop;
	$('clipboard-text').select();
	if (document.execCommand('copy'))
		toast(t('clipboard.copied'));
});
$('veil-again').addEventListener('click', () => session.start());

canvas.addEventListener('pointerdown', (e) => {
	menu.close(false);
	// On a touch screen the keyboard comes up from the menu only.
	if (e.pointerType !== 'touch')
		focusDesktop();
});
window.addEventListener('resize', resized);
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
document.addEventListener('languagechange-puesto', () => session.repeat());
window.addEventListener('beforeunload', () => link.post({ type: 'release' }));
$('do-keyboard').hidden = !window.matchMedia('(any-pointer: coarse)').matches;

/** For tests and the curious: what this page knows, read only. */
Object.defineProperty(window, 'puesto', { value: Object.freeze({
	get state() {
		return session.state;
	},
	get surface() {
		return { ...surface };
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
		const { width, height, data, isExact } = await ask('pixels');
		return { width, height, data, isExact };
	},
	/** SHA-256 of the canvas's R G B A bytes, in hexadecimal. */
	frameHash: async () => {
		const { data } = await ask('pixels');
		const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
		return [...digest].map((b) => b.toString(16).padStart(2, '0')).join('');
	},
}) });

if (pool)
	session.start();
else
	$('veil').classList.add('is-still'), $('veil-title').textContent = t('noPool'), $('veil-back').hidden = false;
