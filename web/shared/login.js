// SPDX-License-Identifier: GPL-3.0-or-later
/** The log-in form: a page of its own, or, when a log-in has expired, a dialog over the place where one was. */

import { api, ApiError, setCsrf } from './api.js';
import { h } from './dom.js';
import { addSentences, t, translate } from './i18n.js';
import { icon } from './icons.js';
import { duration, exactTime } from './time.js';
import { toast } from './toast.js';

addSentences({
	'login.title': ['Log in', 'Iniciar sesión'],
	'login.lead': ['Your desktop, wherever you are.', 'Su escritorio, esté donde esté.'],
	'login.leadConsole': ['Administration of the desktops.', 'Administración de los escritorios.'],
	'login.user': ['User name', 'Usuario'],
	'login.password': ['Password', 'Contraseña'],
	'login.submit': ['Log in', 'Entrar'],
	'login.busy': ['Logging in…', 'Entrando…'],
	'login.show': ['Show the password', 'Mostrar la contraseña'],
	'login.caps': ['Caps Lock is on.', 'Bloq Mayús está activado.'],
	'login.expired': ['Your log-in has expired. Log in again to go on where you were.', 'Su inicio de sesión ha caducado. Entre de nuevo para seguir donde estaba.'],
	'login.userMissing': ['Type your user name.', 'Escriba su usuario.'],
	'login.passwordMissing': ['Type your password.', 'Escriba su contraseña.'],
	'login.wrong': ['The user name or the password is not right. Look at Caps Lock and the keyboard layout, or ask your administrator for a new password.',
		'El usuario o la contraseña no son correctos. Compruebe Bloq Mayús y la distribución del teclado, o pida una contraseña nueva a su administrador.'],
	'login.wait': ['Too many failed attempts. You can try again in {time}.', 'Demasiados intentos fallidos. Podrá intentarlo de nuevo en {time}.'],
	'login.again': ['You can try again now.', 'Ya puede intentarlo de nuevo.'],
	'login.last': ['Your last log-in: {time}.', 'Su último inicio de sesión: {time}.'],
});

export class LoginForm {
	/** @param {{isExpired?: boolean, name?: string, lead?: string, onDone: (answer: any) => void}} options */
	constructor(options) {
		this.options = options;
		this.waitUntil = 0;
		this.timer = 0;
		this.user = h('input', { id: 'login-user', name: 'username', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', required: true, maxlength: 64,
			value: options.name ?? '' });
		this.password = h('input', { id: 'login-password', name: 'password', type: 'password', autocomplete: 'current-password', required: true, maxlength: 256,
			'aria-describedby': 'login-caps' });
		this.caps = h('p', { id: 'login-caps', class: 'hint is-warn', i18n: 'login.caps', hidden: true });
		this.message = h('p', { id: 'login-message', class: 'form-error', role: 'alert', hidden: true });
		this.submit = h('button', { type: 'submit', class: 'primary wide', i18n: 'login.submit' });
		const show = h('button', { type: 'button', class: 'quiet', 'aria-pressed': 'false', 'i18n-aria-label': 'login.show', 'i18n-title': 'login.show', on: { click: () => {
			const isShown = this.password.type === 'text';
			this.password.type = isShown ? 'password' : 'text';
			show.setAttribute('aria-pressed', String(!isShown));
		} } }, icon('eye'));
		this.element = h('form', { class: 'login card', novalidate: true, 'aria-labelledby': 'login-title', on: {
			submit: (/** @type {Event} */ e) => {
				e.preventDefault();
				void this.#send();
			},
			keyup: (/** @type {KeyboardEvent} */ e) => {
				this.caps.hidden = !e.getModifierState?.('CapsLock');
			},
		} },
			h('img', { src: '/shared/icon.svg', alt: '', width: 48, height: 48 }),
			h('h1', { id: 'login-title', i18n: 'login.title' }),
			h('p', { class: 'faint', i18n: options.isExpired ? 'login.expired' : options.lead ?? 'login.lead' }),
			h('label', { for: 'login-user', i18n: 'login.user' }), this.user,
			h('label', { for: 'login-password', i18n: 'login.password' }), h('div', { class: 'with-button' }, this.password, show),
			this.caps, this.message, this.submit);
	}

	focus() {
		(this.user.value ? this.password : this.user).focus();
	}

	/** @param {string} text */
	#say(text) {
		this.message.textContent = text;
		this.message.hidden = !text;
	}

	#isComplete() {
		const missing = !this.user.value.trim() ? this.user : !this.password.value ? this.password : null;
		for (const input of [this.user, this.password])
			input.toggleAttribute('aria-invalid', input === missing);
		if (!missing)
			return true;
		this.#say(t(missing === this.user ? 'login.userMissing' : 'login.passwordMissing'));
		missing.focus();
		return false;
	}

	async #send() {
		if (Date.now() < this.waitUntil || this.submit.disabled || !this.#isComplete())
			return;
		this.#say('');
		this.submit.disabled = true;
		this.submit.textContent = t('login.busy');
		try {
			const { data } = await api('POST', '/sessions', { user: this.user.value.trim(), password: this.password.value });
			setCsrf(data.csrf);
			this.password.value = '';
			if (data.last_login && !this.options.isExpired)
				toast(t('login.last', { time: exactTime(data.last_login) }));
			this.options.onDone(data);
		} catch (reason) {
			this.#failed(/** @type {ApiError} */ (reason));
		}
		translate(this.submit);
		this.submit.disabled = Date.now() < this.waitUntil;
	}

	/** @param {ApiError} error */
	#failed(error) {
		if (error.status === 429) {
			this.waitUntil = Date.now() + Math.max(1000, error.retryAfterMs);
			this.#countDown();
			return;
		}
		this.#say(error.status === 401 ? t('login.wrong') : error.message);
		if (error.status === 401) {
			this.password.setAttribute('aria-invalid', 'true');
			this.password.select();
		}
		this.password.focus();
	}

	/** One second after the other, so that the wait can be watched; a screen reader hears its begin and its end. */
	#countDown() {
		const left = Math.ceil((this.waitUntil - Date.now()) / 1000);
		this.message.setAttribute('aria-live', this.timer ? 'off' : 'assertive');
		clearTimeout(this.timer);
		if (left <= 0) {
			this.timer = 0;
			this.message.setAttribute('aria-live', 'assertive');
			this.#say(t('login.again'));
			this.submit.disabled = false;
			this.password.focus();
			return;
		}
		this.#say(t('login.wait', { time: duration(left) }));
		this.timer = /** @type {any} */ (setTimeout(() => this.#countDown(), 1000));
	}
}

let isAsking = false;

/** Over the page, which stays as it is underneath. @param {string} name @param {(answer: any) => void} onDone */
export function askAgain(name, onDone) {
	if (isAsking)
		return;
	isAsking = true;
	const form = new LoginForm({ isExpired: true, name, onDone: (answer) => {
		isAsking = false;
		dialog.close();
		dialog.remove();
		onDone(answer);
	} });
	const dialog = h('dialog', { class: 'login-dialog', 'aria-labelledby': 'login-title', on: { cancel: (/** @type {Event} */ e) => e.preventDefault() } }, form.element);
	document.body.append(dialog);
	dialog.showModal();
	form.focus();
}
