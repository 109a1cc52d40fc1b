// SPDX-License-Identifier: GPL-3.0-or-later
/** Elements from data. Text always goes in as text nodes, so what came from the server cannot become markup. */

import { t } from './i18n.js';

/** @typedef {Node | string | number | null | undefined | false} Child */

const PROPERTIES = new Set(['value', 'checked', 'disabled', 'hidden', 'open', 'readOnly', 'selected', 'indeterminate']);

/**
 * @param {HTMLElement} element
 * @param {Record<string, any>} props `class`, attributes, some properties; `i18n` and `i18n-LABEL` name sentences; `on` holds listeners
 */
function apply(element, props) {
	for (const [name, value] of Object.entries(props)) {
		if (value === null || value === undefined)
			continue;
		if (name === 'on') {
			for (const [type, listener] of Object.entries(value))
				element.addEventListener(type, /** @type {EventListener} */ (listener));
		} else if (name === 'i18n') {
			element.setAttribute('data-i18n', value);
			element.textContent = t(value);
		} else if (name.startsWith('i18n-')) {
			element.setAttribute(`data-${name}`, value);
			element.setAttribute(name.slice(5), t(value));
		} else if (PROPERTIES.has(name)) {
			/** @type {any} */ (element)[name] = value;
		} else if (value !== false) {
			element.setAttribute(name, value === true ? '' : String(value));
		}
	}
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, any>} [props] @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
	const element = document.createElement(tag);
	const { value, ...others } = props;
	apply(element, others);
	put(element, ...children);
	if (value !== undefined)
		apply(element, { value });
	return element;
}

/** Adds children; nothing for null, undefined and false. @param {Node} parent @param {...(Child | Child[])} children */
export function put(parent, ...children) {
	for (const child of children.flat()) {
		if (child === null || child === undefined || child === false)
			continue;
		parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
	}
	return parent;
}

/** @param {Element} element @param {...(Child | Child[])} children */
export function fill(element, ...children) {
	element.replaceChildren();
	put(element, ...children);
}

/** @param {HTMLElement} element @param {string} text written only where it differs, so that selections and readers are left alone */
export function setText(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}
