// SPDX-License-Identifier: GPL-3.0-or-later
/** The portal: log in, see the desktops, open one. */

import './words.js';
import { api, ApiError, me, setCsrf } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { language, t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { Keyed } from '../shared/keyed.js';
import { askAgain, LoginForm } from '../shared/login.js';
import { applyTheme } from '../shared/theme.js';
import { toast } from '../shared/toast.js';
import { followLocale, showTopbar } from '../shared/topbar.js';
import { Pools } from './pools.js';
import { canOpen, clientAddress, tile } from './tile.js';

const AUTO_OPEN = 'puesto.autoOpen';

applyTheme();

const bar = /** @type {HTMLElement} */ (document.getElementById('topbar'));
const content = /** @type {HTMLElement} */ (document.getElementById('content'));

/** @type {any} */
let user = null;
/** Just logged in: a single tile may open by itself, once. */
let isFresh = false;
/** @type {{error: ApiError, at: number} | null} */
let trouble = null;
let countdown = 0;

const banner = h('div', { class: 'banner', role: 'status', hidden: true });
const list = h('ul', { class: 'tiles', on: { menuclosed: () => pools.items && showTiles(pools.items) } });
const empty = h('section', { class: 'notice card', hidden: true });
const stranger = h('p', { class: 'banner', role: 'status', hidden: true });
const auto = h('label', { class: 'auto-open', hidden: true });
const heading = h('h1');
const lead = h('p');
const view = h('section', { class: 'desk' }, h('header', {}, h('div', {}, heading, lead)), banner, stranger, list, empty, auto);

const pools = new Pools(showPools, () => askAgain(user?.name ?? '', (answer) => {
	user = { ...user, ...answer.user };
	pools.start();
}));
const tiles = new Keyed(list, { key: (/** @type {any} */ p) => p.id, create: (p) => tile(p, pools) });
/** What each tile shows, so that one that says the same is left alone. @type {Map<string, {text: string, item: any}>} */
const shown = new Map();

/** A path of this site that a log-in shall lead to: `?next=/console/…`. */
function nextPlace() {
	const next = new URLSearchParams(location.search).get('next') ?? '';
	return /^\/(console|client)\//.test(next) ? next : '';
}

/** Direct links: `#pool=ID` opens that pool's desktop. */
function directPool() {
	return new URLSearchParams(location.hash.slice(1)).get('pool');
}

async function logout() {
	try {
		await api('DELETE', '/sessions/current');
	} catch (reason) {
		if (/** @type {ApiError} */ (reason).status !== 401) {
			toast(/** @type {ApiError} */ (reason).message, 'bad');
			return;
		}
	}
	setCsrf(null);
	user = null;
	pools.stop();
	pools.items = null;
	showLogin();
	toast(t('portal.loggedOut'));
}

function showBar() {
	showTopbar(bar, { user, place: 'portal', onLogout: () => void logout() });
}

function showLogin() {
	document.title = t('portal.loginTitle');
	showBar();
	const form = new LoginForm({ onDone: (answer) => {
		isFresh = true;
		entered(answer.user);
	} });
	fill(content, h('div', { class: 'login-page' }, form.element));
	form.focus();
}

/** @param {any} who */
function entered(who) {
	user = who;
	followLocale(user);
	const place = nextPlace();
	if (place) {
		location.replace(place);
		return;
	}
	showDesk();
	pools.start();
}

function showDesk() {
	document.title = t('portal.title');
	showBar();
	heading.textContent = t('portal.hello', { name: user.display_name || user.name });
	tiles.forget();
	shown.clear();
	if (!pools.items) {
		empty.hidden = auto.hidden = true;
		lead.textContent = t('portal.loading');
	}
	if (view.parentElement !== content)
		fill(content, view);
	if (pools.items)
		showPools(pools.items, trouble);
}

/** @param {any[]} items */
function showTiles(items) {
	tiles.show(items.map((item) => {
		const text = JSON.stringify(item);
		const old = shown.get(item.id);
		if (old?.text === text)
			return old.item;
		shown.set(item.id, { text, item });
		return item;
	}));
	lead.textContent = items.length ? t('portal.lead') : '';
	empty.hidden = items.length > 0;
	if (!items.length)
		fill(empty, icon('desktops'), h('h2', {}, t('portal.emptyTitle')), h('p', {}, t('portal.empty', { name: user.name })));
	showAuto(items);
}

/** @param {any[]} items */
function showAuto(items) {
	auto.hidden = items.length !== 1;
	if (auto.hidden || auto.dataset.language === language())
		return;
	auto.dataset.language = language();
	fill(auto, h('input', { type: 'checkbox', checked: localStorage.getItem(AUTO_OPEN) === 'yes', on: { change: (/** @type {any} */ e) => {
		localStorage.setItem(AUTO_OPEN, e.target.checked ? 'yes' : 'no');
	} } }), t('portal.auto'));
}

/** @param {any[]} items @returns {boolean} whether the page is on its way to a desktop */
function openAtOnce(items) {
	const wasFresh = isFresh;
	isFresh = false;
	const direct = directPool();
	const named = direct ? items.find((p) => p.id === direct || p.name === direct) : null;
	const only = wasFresh && items.length === 1 && localStorage.getItem(AUTO_OPEN) === 'yes' ? items[0] : null;
	const chosen = named ?? only;
	stranger.hidden = !direct || Boolean(named);
	if (!stranger.hidden)
		stranger.textContent = t('portal.stranger', { pool: direct ?? '', name: user.name });
	if (!chosen || !canOpen(chosen))
		return false;
	// A way back from the desktop shall lead to the tiles, not into it again.
	history.replaceState(null, '', '/');
	// A page that leaves before it has loaded is replaced in the history: the way back would skip the tiles.
	const leave = () => setTimeout(() => location.assign(clientAddress(chosen)));
	if (document.readyState === 'complete')
		leave();
	else
		addEventListener('load', leave, { once: true });
	return true;
}

/** @param {any[] | null} items @param {{error: ApiError, at: number} | null} problem */
function showPools(items, problem) {
	trouble = problem;
	showTrouble(items);
	if (!items)
		return;
	if (!problem)
		openAtOnce(items);
	showTiles(items);
}

/** @param {any[] | null} items */
function showTrouble(items) {
	clearInterval(countdown);
	banner.hidden = !trouble;
	view.setAttribute('aria-busy', String(!items && !trouble));
	if (!trouble)
		return;
	const words = h('span', { 'aria-live': 'off' });
	fill(banner, icon('away'), h('strong', {}, t('portal.awayTitle')), words, h('button', { type: 'button', on: { click: () => pools.hurry() } }, t('portal.retry')));
	if (!items)
		lead.textContent = '';
	const tick = () => {
		const seconds = trouble ? Math.ceil((trouble.at - Date.now()) / 1000) : 0;
		const text = seconds > 0 ? t('portal.away', { reason: trouble?.error.message ?? '', seconds }) : t('portal.awayNow');
		words.textContent = items ? `${text} ${t('portal.awayStale')}` : text;
	};
	tick();
	countdown = /** @type {any} */ (setInterval(tick, 1000));
}

document.addEventListener('languagechange-puesto', () => {
	showBar();
	document.title = t(user ? 'portal.title' : 'portal.loginTitle');
	if (user)
		showDesk();
});
window.addEventListener('hashchange', () => pools.hurry());

/** Whoever is still logged in goes straight to the tiles. */
async function begin() {
	document.documentElement.lang = language();
	showBar();
	try {
		entered(await me());
	} catch (reason) {
		const error = /** @type {ApiError} */ (reason);
		if (error.status === 401) {
			showLogin();
			return;
		}
		// The server is away: say so, and try until it is back.
		if (view.parentElement !== content)
			fill(content, view);
		heading.textContent = 'Puesto';
		const at = Date.now() + Math.max(3000, error.retryAfterMs ?? 0);
		trouble = { error, at };
		showTrouble(null);
		banner.querySelector('button')?.addEventListener('click', () => location.reload());
		setTimeout(() => void begin(), at - Date.now());
	}
}

void begin();
