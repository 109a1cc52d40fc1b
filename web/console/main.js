// SPDX-License-Identifier: GPL-3.0-or-later
/** The console: who may, the frame with the navigation, and the page that the address names. */

import './words.js';
import { api, me, setCsrf } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { language, t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { askAgain, LoginForm } from '../shared/login.js';
import { applyTheme } from '../shared/theme.js';
import { keepTimesFresh } from '../shared/time.js';
import { toast } from '../shared/toast.js';
import { followLocale, showTopbar } from '../shared/topbar.js';
import { backupList } from './backups.js';
import { Dashboard } from './dashboard.js';
import { datastoreList, datastorePage } from './datastores.js';
import { desktopList, desktopPage } from './desktops.js';
import { EventsPage } from './event-log.js';
import { eventFamilies } from './event-words.js';
import { accessList, groupList, groupPage } from './groups.js';
import { imageList, imagePage } from './images.js';
import { ListPage } from './list.js';
import { ObjectPage } from './object.js';
import { PoolForm } from './pool-form.js';
import { poolList, poolPage } from './pools.js';
import { providerList, providerPage } from './providers.js';
import { recycledList } from './recycled.js';
import { href, remember, route } from './router.js';
import { sessionList, sessionPage } from './sessions.js';
import { live } from './site.js';
import { userList, userPage } from './users.js';

applyTheme();

const bar = /** @type {HTMLElement} */ (document.getElementById('topbar'));
const nav = /** @type {HTMLElement} */ (document.getElementById('nav'));
const content = /** @type {HTMLElement} */ (document.getElementById('content'));
const banner = h('p', { class: 'banner stream-banner', role: 'status', hidden: true });

/** @typedef {{title: string, element: HTMLElement, close: () => void}} Page */

/** In the order of the navigation. @type {[string, import('../shared/icons.js').IconName][]} */
const NAV = [['dashboard', 'dashboard'], ['sessions', 'sessions'], ['desktops', 'desktops'], ['pools', 'pools'], ['images', 'images'], ['datastores', 'datastores'], ['backups', 'shield'], ['recycled', 'trash'], ['providers', 'providers'], ['users', 'users'], ['groups', 'groups'],
	['entitlements', 'entitlements'], ['events', 'events']];

/** @type {Record<string, {list: () => import('./list.js').ListKind, page?: () => import('./object.js').ObjectKind}>} */
const KINDS = {
	sessions: { list: sessionList, page: sessionPage },
	desktops: { list: desktopList, page: desktopPage },
	pools: { list: poolList, page: poolPage },
	images: { list: imageList, page: imagePage },
	datastores: { list: datastoreList, page: datastorePage },
	backups: { list: backupList },
	recycled: { list: recycledList },
	providers: { list: providerList, page: providerPage },
	users: { list: userList, page: userPage },
	groups: { list: groupList, page: groupPage },
	entitlements: { list: accessList },
};

/** @type {any} */
let user = null;
/** @type {Page | null} */
let page = null;
let lastNoun = '';

/** @param {import('./router.js').Route} place @returns {Page | null} */
function open(place) {
	const { noun, id, tab } = place;
	if (noun === 'dashboard')
		return new Dashboard();
	if (noun === 'events')
		return new EventsPage(place, (wanted) => remember(href('events', '', '', wanted)), eventFamilies());
	if (noun === 'pools' && (id === 'new' || tab === 'edit'))
		return new PoolForm(place);
	const kind = Object.hasOwn(KINDS, noun) ? KINDS[noun] : null;
	if (kind && !id)
		return new ListPage(kind.list(), place);
	return kind?.page ? new ObjectPage(kind.page(), place) : null;
}

function nowhere() {
	return h('section', { class: 'page' }, h('h1', {}, t('nowhere.title')), h('p', { class: 'faint' }, t('nowhere.text')), h('p', {}, h('a', { href: href('dashboard') }, t('nav.dashboard'))));
}

function showPage() {
	if (!user)
		return;
	page?.close();
	const place = route();
	page = open(place);
	document.title = `${page?.title ?? t('nowhere.title')} – Puesto`;
	fill(content, banner, page?.element ?? nowhere());
	for (const link of nav.querySelectorAll('a'))
		link.toggleAttribute('aria-current', link.dataset.noun === place.noun);
	nav.querySelector('[aria-current]')?.setAttribute('aria-current', 'page');
	setNav(false);
	if (lastNoun) {
		window.scrollTo(0, 0);
		if (!content.contains(document.activeElement))
			content.focus({ preventScroll: true });
	}
	lastNoun = place.noun;
}

/** On a narrow screen the navigation is behind a button. @param {boolean} isOpen */
function setNav(isOpen) {
	nav.classList.toggle('is-open', isOpen);
	bar.querySelector('.nav-button')?.setAttribute('aria-expanded', String(isOpen));
}

function navButton() {
	return h('button', { type: 'button', class: 'quiet nav-button', 'aria-label': t('nav'), 'aria-controls': 'nav', 'aria-expanded': 'false', on: { click: () => {
		const isOpen = !nav.classList.contains('is-open');
		setNav(isOpen);
		if (isOpen)
			nav.querySelector('a')?.focus();
	} } }, icon('menu'));
}

function showFrame() {
	showTopbar(bar, { user, place: 'console', onLogout: () => void logout(), lead: user ? navButton() : null });
	nav.hidden = !user;
	nav.setAttribute('aria-label', t('nav'));
	fill(nav, ...NAV.map(([noun, name]) => h('a', { href: href(noun), 'data-noun': noun, title: t(`nav.${noun}`) }, icon(name), h('span', {}, t(`nav.${noun}`)))));
}

nav.addEventListener('keydown', (e) => {
	const links = [...nav.querySelectorAll('a')];
	const now = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
	const step = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
	if (e.key === 'Escape') {
		setNav(false);
		/** @type {HTMLElement | null} */ (bar.querySelector('.nav-button'))?.focus();
	}
	if (!step || now < 0)
		return;
	e.preventDefault();
	links[(now + step + links.length) % links.length].focus();
});

async function logout() {
	try {
		await api('DELETE', '/sessions/current');
	} catch (reason) {
		if (/** @type {any} */ (reason).status !== 401) {
			toast(/** @type {Error} */ (reason).message, 'bad');
			return;
		}
	}
	setCsrf(null);
	user = null;
	live.stop();
	page?.close();
	page = null;
	showLogin();
}

/** @param {Element} box */
function showNotice(box) {
	showFrame();
	fill(content, h('div', { class: 'login-page' }, box));
}

function showLogin() {
	document.title = t('console.title');
	const form = new LoginForm({ lead: 'login.leadConsole', onDone: (answer) => entered(answer.user) });
	showNotice(form.element);
	form.focus();
}

/** @param {any} who */
function entered(who) {
	user = who;
	followLocale(user);
	if (!user.roles.includes('admin')) {
		const name = user.name;
		document.title = t('console.title');
		showFrame();
		nav.hidden = true;
		fill(content, h('div', { class: 'login-page' }, h('section', { class: 'login card' }, h('h1', {}, t('denied.title')), h('p', { class: 'faint' }, t('denied.text', { name })),
			h('a', { class: 'button primary', href: '/' }, t('top.portal')), h('button', { type: 'button', on: { click: () => void logout() } }, t('denied.other')))));
		return;
	}
	showFrame();
	live.start();
	showPage();
}

let bannerTimer = 0;

live.on('state', (/** @type {string} */ state) => {
	clearTimeout(bannerTimer);
	if (state !== 'lost') {
		banner.hidden = true;
		return;
	}
	// A short gap, as at a restart of the broker, needs no words.
	bannerTimer = /** @type {any} */ (setTimeout(() => {
		fill(banner, icon('away'), h('span', {}, t('stream.lost')));
		banner.hidden = false;
	}, 1500));
});

document.addEventListener('puesto-login-needed', () => {
	live.stop();
	askAgain(user?.name ?? '', (answer) => {
		const isSame = answer.user.id === user?.id;
		user = answer.user;
		setCsrf(answer.csrf);
		if (!isSame) {
			entered(user);
			return;
		}
		live.state = 'lost';
		live.start();
	});
});
document.addEventListener('languagechange-puesto', () => {
	if (!user) {
		showFrame();
		return;
	}
	if (!user.roles.includes('admin')) {
		entered(user);
		return;
	}
	showFrame();
	showPage();
});
window.addEventListener('hashchange', showPage);
document.addEventListener('pointerdown', (e) => {
	const target = /** @type {Node} */ (e.target);
	if (nav.classList.contains('is-open') && !nav.contains(target) && !bar.contains(target))
		setNav(false);
});

async function begin() {
	document.documentElement.lang = language();
	showFrame();
	try {
		entered(await me());
	} catch (reason) {
		const error = /** @type {any} */ (reason);
		if (error.status === 401) {
			showLogin();
			return;
		}
		showNotice(h('p', { class: 'banner', role: 'alert' }, icon('away'), error.message));
		setTimeout(() => void begin(), Math.max(3000, error.retryAfterMs ?? 0));
	}
}

keepTimesFresh();
void begin();
