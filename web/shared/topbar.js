// SPDX-License-Identifier: GPL-3.0-or-later
/** The bar at the top of portal and console: name, language, colours, and who is logged in. */

import { api } from './api.js';
import { h } from './dom.js';
import { addSentences, language, setLanguage, t } from './i18n.js';
import { icon } from './icons.js';
import { menuButton } from './menu.js';
import { openPassword } from './password.js';
import { setTheme, theme } from './theme.js';
import { toast } from './toast.js';

addSentences({
	'skip': ['Skip to the content', 'Saltar al contenido'],
	'top.language': ['EN: the language is English. Change to Spanish', 'ES: el idioma es español. Cambiar a inglés'],
	'top.theme': ['Colours', 'Colores'],
	'theme.auto': ['As the system', 'Como el sistema'],
	'theme.light': ['Light', 'Claro'],
	'theme.dark': ['Dark', 'Oscuro'],
	'top.account': ['Account of {name}', 'Cuenta de {name}'],
	'top.password': ['Change my password', 'Cambiar mi contraseña'],
	'top.console': ['Administration', 'Administración'],
	'top.portal': ['My desktops', 'Mis escritorios'],
	'top.logout': ['Log out', 'Salir'],
});

/** The language of the account, where the account has one. @param {any} user */
export function followLocale(user) {
	if ((user.locale === 'es' || user.locale === 'en') && user.locale !== language())
		setLanguage(user.locale);
}

function languageButton(/** @type {boolean} */ isRemembered) {
	const button = h('button', { type: 'button', class: 'quiet top-language', 'aria-label': t('top.language'), title: t('top.language'), on: { click: () => {
		setLanguage(language() === 'es' ? 'en' : 'es');
		if (isRemembered)
			api('PATCH', '/me', { locale: language() }).catch((reason) => toast(reason.message, 'bad'));
	} } }, icon('language'), h('span', { 'aria-hidden': 'true' }, language().toUpperCase()));
	return button;
}

function themeMenu() {
	return menuButton([icon('theme')], t('top.theme'), () => /** @type {const} */ (['auto', 'light', 'dark']).map((name) => ({
		label: t(`theme.${name}`), icon: theme() === name ? 'check' : 'theme', run: () => setTheme(name),
	})), 'quiet');
}

/** @param {{user: any, place: 'portal' | 'console', onLogout: () => void}} options */
function accountMenu({ user, place, onLogout }) {
	const name = user.display_name || user.name;
	return menuButton([icon('users'), h('span', { class: 'top-name' }, name)], t('top.account', { name }), () => [
		...(place === 'console' ? [{ label: t('top.portal'), icon: /** @type {const} */ ('desktops'), href: '/' }] : []),
		...(place === 'portal' && user.roles?.includes('admin') ? [{ label: t('top.console'), icon: /** @type {const} */ ('dashboard'), href: '/console/' }] : []),
		{ label: t('top.password'), icon: 'key', run: openPassword },
		{ label: t('top.logout'), icon: 'logout', run: onLogout },
	], 'quiet');
}

/**
 * Fills the bar; call it again when the language or the user changes.
 * @param {HTMLElement} bar @param {{user: any | null, place: 'portal' | 'console', onLogout: () => void, lead?: Node | null}} options
 */
export function showTopbar(bar, options) {
	const isFocused = bar.contains(document.activeElement) && document.activeElement?.classList.contains('top-language');
	const { user, place } = options;
	bar.replaceChildren(
		h('a', { class: 'skip', href: '#content', on: { click: (/** @type {Event} */ e) => {
			e.preventDefault();
			document.getElementById('content')?.focus();
		} } }, t('skip')),
		...(options.lead ? [options.lead] : []),
		h('a', { class: 'brand', href: place === 'console' ? '/console/' : '/' }, h('img', { src: '/shared/icon.svg', alt: '', width: 26, height: 26 }), h('span', {}, 'Puesto')),
		h('span', { class: 'top-gap' }),
		languageButton(Boolean(user)), themeMenu(),
		...(user ? [accountMenu({ user, place, onLogout: options.onLogout })] : []));
	if (isFocused)
		/** @type {HTMLElement} */ (bar.querySelector('.top-language')).focus();
}
