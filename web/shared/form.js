// SPDX-License-Identifier: GPL-3.0-or-later
/** Forms from a table of fields. What the API says about a field stands beside it, and what was typed stays. */

import { ApiError, problemText } from './api.js';
import { h } from './dom.js';
import { addSentences, language, t } from './i18n.js';

addSentences({
	'form.cancel': ['Cancel', 'Cancelar'],
	'form.needed': ['This is needed.', 'Este dato es necesario.'],
	'form.number': ['A whole number from {min} to {max}.', 'Un número entero de {min} a {max}.'],
	'form.short': ['At least {n} characters.', 'Al menos {n} caracteres.'],
	'form.pattern': ['Letters, digits, dot, dash and underscore, beginning with a letter or a digit.', 'Letras, cifras, punto, guion y guion bajo, empezando por letra o cifra.'],
	'form.seconds': ['seconds', 'segundos'],
	'form.minutes': ['minutes', 'minutos'],
	'form.hours': ['hours', 'horas'],
	'form.days': ['days', 'días'],
	'form.unit': ['Unit of {label}', 'Unidad de {label}'],
	'form.taken': ['The server does not accept this: {detail}', 'El servidor no lo acepta: {detail}'],
	'form.required': ['needed', 'necesario'],
});

/**
 * @typedef {object} Field
 * @property {string} name a dot leads into an object: `spec.cpus`
 * @property {string} label
 * @property {'text' | 'password' | 'number' | 'textarea' | 'select' | 'check' | 'duration' | 'lookup'} [type]
 * @property {string} [help]
 * @property {boolean} [isRequired]
 * @property {[string, string][]} [options] value and text
 * @property {(typed: string) => Promise<[string, string][]>} [look] what a lookup offers
 * @property {number} [min]
 * @property {number} [max]
 * @property {number} [minLength]
 * @property {number} [maxLength]
 * @property {string} [pattern]
 * @property {string} [autocomplete]
 * @property {boolean} [isReadOnly]
 * @property {string} [section] begins a section with this heading
 */

/** @type {[number, string][]} */
const UNITS = [[1, 'form.seconds'], [60, 'form.minutes'], [3600, 'form.hours'], [86400, 'form.days']];

const LOOK_WAIT_MS = 200;

let nextForm = 1;

/** @param {any} object @param {string} path */
function read(object, path) {
	return path.split('.').reduce((at, name) => at?.[name], object);
}

/** @param {any} object @param {string} path @param {any} value */
function write(object, path, value) {
	const names = path.split('.');
	const last = /** @type {string} */ (names.pop());
	let at = object;
	for (const name of names)
		at = at[name] ??= {};
	at[last] = value;
}

/** One field: its elements, its value, its message. */
class FieldView {
	/** @param {Field} field @param {any} value @param {string} id */
	constructor(field, value, id) {
		this.field = field;
		this.id = id;
		this.error = h('p', { id: `${id}-error`, class: 'field-error', hidden: true });
		/** @type {HTMLSelectElement | null} */
		this.unit = null;
		this.input = /** @type {HTMLInputElement} */ (this.#make(value));
		const described = [field.help ? `${id}-help` : '', `${id}-error`].filter(Boolean).join(' ');
		this.input.setAttribute('aria-describedby', described);
		const label = h('label', { for: id }, field.label, field.isRequired && h('span', { class: 'required', title: t('form.required'), 'aria-hidden': 'true' }, ' *'));
		const help = field.help && h('p', { id: `${id}-help`, class: 'hint' }, field.help);
		this.element = field.type === 'check'
			? h('div', { class: 'field is-check' }, h('div', { class: 'check-row' }, this.input, label), help, this.error)
			: h('div', { class: 'field' }, label, this.unit ? h('div', { class: 'with-unit' }, this.input, this.unit) : this.input, help, this.error);
		if (field.type === 'lookup')
			this.#offer();
		this.input.addEventListener('input', () => this.say(''));
	}

	/** @param {any} value @returns {HTMLElement} */
	#make(value) {
		const { field, id } = this;
		const common = { id, name: field.name, 'aria-required': field.isRequired ? 'true' : null, readOnly: field.isReadOnly ? true : null };
		switch (field.type) {
		case 'check':
			return h('input', { ...common, type: 'checkbox', checked: Boolean(value) });
		case 'select':
			return h('select', { ...common, value: value ?? field.options?.[0]?.[0] ?? '' }, (field.options ?? []).map(([v, text]) => h('option', { value: v }, text)));
		case 'textarea':
			return h('textarea', { ...common, rows: 3, maxlength: field.maxLength, value: value ?? '' });
		case 'duration':
			return this.#duration(common, Number(value ?? 0));
		case 'number':
			return h('input', { ...common, type: 'number', inputmode: 'numeric', min: field.min, max: field.max, step: 1, value: value ?? '' });
		default:
			return h('input', { ...common, type: field.type === 'password' ? 'password' : 'text', maxlength: field.maxLength, autocomplete: field.autocomplete ?? 'off', spellcheck: 'false',
				value: value ?? '' });
		}
	}

	/** @param {Record<string, any>} common @param {number} seconds */
	#duration(common, seconds) {
		const fits = UNITS.filter(([size]) => seconds === 0 ? size === 60 : seconds % size === 0).at(-1) ?? UNITS[0];
		this.unit = h('select', { 'aria-label': t('form.unit', { label: this.field.label }), value: String(fits[0]) }, UNITS.map(([size, key]) => h('option', { value: String(size) }, t(key))));
		return h('input', { ...common, type: 'number', inputmode: 'numeric', min: 0, step: 1, value: String(seconds / fits[0]) });
	}

	/** A lookup offers what fits while one types. */
	#offer() {
		const list = h('datalist', { id: `${this.id}-list` });
		this.input.setAttribute('list', list.id);
		this.element.append(list);
		let timer = 0;
		const look = async () => {
			const found = await this.field.look?.(this.input.value.trim()).catch(() => []) ?? [];
			list.replaceChildren(...found.map(([value, text]) => h('option', { value }, text)));
		};
		this.input.addEventListener('input', () => {
			clearTimeout(timer);
			timer = /** @type {any} */ (setTimeout(look, LOOK_WAIT_MS));
		});
		this.input.addEventListener('focus', () => void look(), { once: true });
	}

	/** @param {string} text */
	say(text) {
		this.error.textContent = text;
		this.error.hidden = !text;
		if (text)
			this.input.setAttribute('aria-invalid', 'true');
		else
			this.input.removeAttribute('aria-invalid');
	}

	value() {
		const { field, input } = this;
		if (field.type === 'check')
			return input.checked;
		if (field.type === 'duration')
			return Math.round(Number(input.value || 0) * Number(this.unit?.value ?? 1));
		if (field.type === 'number')
			return input.value === '' ? null : Number(input.value);
		return field.type === 'password' || field.type === 'textarea' ? input.value : input.value.trim();
	}

	/** @returns {string} what is wrong, in words */
	#wrong() {
		const { field } = this;
		const value = this.value();
		if (field.isRequired && (value === '' || value === null))
			return t('form.needed');
		if (typeof value === 'number' && field.type === 'number' && (!Number.isInteger(value) || value < (field.min ?? 0) || value > (field.max ?? Infinity)))
			return t('form.number', { min: field.min ?? 0, max: field.max ?? '…' });
		if (field.minLength && value && String(value).length < field.minLength)
			return t('form.short', { n: field.minLength });
		if (field.pattern && value && !new RegExp(field.pattern).test(String(value)))
			return t('form.pattern');
		return '';
	}

	check() {
		const wrong = this.#wrong();
		this.say(wrong);
		return !wrong;
	}
}

export class Form {
	/**
	 * @param {{fields: Field[], values?: any, submit: string, isDanger?: boolean,
	 *   check?: (values: any) => {field: string, text: string} | null,
	 *   run: (values: any) => Promise<any>, onDone: (answer: any) => void, onCancel?: () => void}} options
	 */
	constructor(options) {
		this.options = options;
		const id = `form-${nextForm++}`;
		this.views = options.fields.map((field) => new FieldView(field, read(options.values, field.name), `${id}-${field.name.replace('.', '-')}`));
		this.alert = h('p', { class: 'form-error', role: 'alert', hidden: true });
		this.submit = h('button', { type: 'submit', class: 'primary' }, options.submit);
		this.element = h('form', { class: 'form', novalidate: true, on: { submit: (/** @type {Event} */ e) => {
			e.preventDefault();
			void this.#send();
		} } }, this.views.map((view) => [view.field.section ? h('h3', {}, view.field.section) : null, view.element]).flat(), this.alert,
			h('div', { class: 'dialog-row' }, options.onCancel && h('button', { type: 'button', on: { click: options.onCancel } }, t('form.cancel')), this.submit));
	}

	focus() {
		this.views.find((view) => !view.field.isReadOnly)?.input.focus();
	}

	values() {
		/** @type {any} */
		const values = {};
		for (const view of this.views) {
			const value = view.value();
			if (value !== null && !view.field.isReadOnly)
				write(values, view.field.name, value);
		}
		return values;
	}

	/** @param {string} name the API may say `cpus` or `spec.cpus` @param {string} text */
	#sayAt(name, text) {
		const view = this.views.find((v) => v.field.name === name || v.field.name.endsWith(`.${name}`) || name.endsWith(`.${v.field.name}`));
		view?.say(text);
		view?.input.focus();
		return Boolean(view);
	}

	/** @param {unknown} reason */
	#failed(reason) {
		const problem = reason instanceof ApiError ? /** @type {any} */ (reason.problem) : {};
		const name = problem.field ?? (problem.code === 'exists' ? 'name' : '');
		const detail = String((language() === 'es' ? problem.detail_es : '') || problem.detail || '').replace(/^[\w.]+: /, '');
		const text = problem.code === 'invalid_field' && detail ? t('form.taken', { detail }) : problemText(reason);
		if (name && this.#sayAt(name, text))
			return;
		this.alert.textContent = problemText(reason);
		this.alert.hidden = false;
	}

	#isGood() {
		const bad = this.views.filter((view) => !view.check());
		bad[0]?.input.focus();
		if (bad.length)
			return false;
		const wrong = this.options.check?.(this.values());
		if (wrong)
			this.#sayAt(wrong.field, wrong.text);
		return !wrong;
	}

	async #send() {
		if (this.submit.disabled || !this.#isGood())
			return;
		this.alert.hidden = true;
		this.submit.disabled = true;
		try {
			this.options.onDone(await this.options.run(this.values()));
		} catch (reason) {
			this.#failed(reason);
		}
		this.submit.disabled = false;
	}
}
