// SPDX-License-Identifier: GPL-3.0-or-later
/** Versions of an image on their way to the pools: how far, why not further, and what to do about it. */

import { api } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { pick, t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { chip } from '../shared/states.js';
import { exactTime, when } from '../shared/time.js';
import { copyButtons, jobButtons, removeButton } from './image-files.js';
import { facts } from './object.js';
import { act, formDialog, nameOf, part } from './site.js';
import './words-rollouts.js';

/** @param {any} image */
const at = (image) => `/images/${part(image.id)}`;

const STEPS = ['verify', 'canary', 'rolling', 'done'];

/** "2026-12-01 18:30" on this machine's clock; null: no time. @param {string} text @returns {string | null | undefined} */
function timeOf(text) {
	if (!text)
		return undefined;
	const time = new Date(text.trim().replace(' ', 'T'));
	return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/** @param {any} image @param {any} version */
export function publish(image, version) {
	const number = (/** @type {string} */ name, /** @type {number} */ min, /** @type {number} */ max, more = {}) =>
		({ name, label: t(`rollout.${name}`), help: t(`rollout.${name}Help`), type: /** @type {const} */ ('number'), min, max, ...more });
	formDialog({ title: t('images.publishTitle', { name: nameOf(image), version: version.version }), lead: t('rollout.lead'), submit: t('images.publish'), done: t('rollout.begun'), isWide: true,
		values: { canary: 0, canary_s: 0, unavailable: 1, max_failures: 3, samples: 10, slower_percent: 200, kept_disks: false },
		fields: [number('canary', 0, 100), { name: 'canary_s', label: t('rollout.canary_s'), help: t('rollout.canary_sHelp'), type: 'duration', min: 0, max: 31536000 }, number('unavailable', 1, 10000),
			{ name: 'force_at', label: t('rollout.force_at'), help: t('rollout.force_atHelp'), maxLength: 24 }, { name: 'kept_disks', label: t('rollout.kept_disks'), help: t('rollout.kept_disksHelp'), type: 'check' },
			number('max_failures', 1, 10000, { section: t('rollout.trouble') }), number('slower_percent', 0, 10000), number('samples', 1, 32)],
		check: (values) => timeOf(values.force_at ?? '') === null ? { field: 'force_at', text: t('rollout.timeWrong') } : null,
		run: ({ force_at, ...values }) => api('POST', `${at(image)}/publish`, { ...values, version: version.version, ...(force_at ? { force_at: timeOf(force_at) } : {}) }) });
}

/** @param {any} image @param {'pause' | 'continue' | 'rollback'} what */
const go = (image, what) => api('POST', `${at(image)}/rollout/${what}`, {});

/** @param {any} image @param {any} version */
function retire(image, version) {
	void act({ title: t('rollout.retireTitle', { version: version.version }), text: t('rollout.retireText'), action: t('rollout.retire'), done: t('rollout.retireDone'),
		run: () => api('POST', `${at(image)}/versions/${part(version.version)}/retire`, {}) });
}

/** What can be done with a version. @param {any} image @param {any} v @returns {HTMLElement[]} */
export function versionButtons(image, v) {
	const button = (/** @type {string} */ label, /** @type {() => void} */ run) => h('button', { type: 'button', 'aria-label': `${label}: ${v.version}`, on: { click: run } }, label);
	const isBusy = Boolean(image.rollout?.live);
	const isCurrent = v.version === image.published;
	/** @type {HTMLElement[]} */
	const buttons = [];
	if (!isCurrent && !isBusy && (v.state === 'ready' || v.state === 'failed'))
		buttons.push(button(t(v.state === 'failed' ? 'rollout.again' : 'images.publish'), () => publish(image, v)));
	if (!isCurrent && v.state === 'ready' && !(isBusy && image.rollout.version === v.version))
		buttons.push(button(t('rollout.retire'), () => retire(image, v)));
	buttons.push(...copyButtons(image, v));
	if (!isCurrent && !v.desktops && (v.state === 'retired' || (!isBusy && (v.state === 'failed' || v.files))))
		buttons.push(removeButton(image, v));
	return jobButtons(image, v) ?? buttons;
}

/** @param {any} image @returns {HTMLElement[]} */
function buttons(image) {
	const ro = image.rollout;
	const button = (/** @type {string} */ key, /** @type {import('../shared/icons.js').IconName} */ name, /** @type {() => void} */ run, kind = '') => h('button', { type: 'button', class: kind, on: { click: run } }, icon(name), t(key));
	/** @type {HTMLElement[]} */
	const shown = [];
	if (ro.live && !ro.paused)
		shown.push(button('rollout.pause', 'pause', () => void act({ title: t('rollout.pauseTitle', { version: ro.version }), text: t('rollout.pauseText'), action: t('rollout.pause'), done: t('rollout.paused'), run: () => go(image, 'pause') })));
	if (ro.live && (ro.paused || ro.phase === 'canary'))
		shown.push(button(ro.paused ? 'rollout.continue' : 'rollout.everywhere', 'play', () => void act({ title: t('rollout.continueTitle', { version: ro.version }), text: t(ro.paused ? 'rollout.continueText' : 'rollout.everywhereText'),
			action: t(ro.paused ? 'rollout.continue' : 'rollout.everywhere'), done: t('rollout.continued'), run: () => go(image, 'continue') }), 'primary'));
	if (ro.live || (ro.phase === 'done' && ro.previous))
		shown.push(button('rollout.rollback', 'undo', () => void act({ title: t('rollout.rollbackTitle', { version: ro.version }), text: ro.previous ? t('rollout.rollbackText', { previous: ro.previous }) : t('rollout.rollbackFirst'),
			action: t('rollout.rollback'), done: t('rollout.takenBack'), isDanger: true, run: () => go(image, 'rollback') }), 'danger'));
	return shown;
}

/** @param {any} ro */
function steps(ro) {
	const now = STEPS.indexOf(ro.phase);
	const wanted = STEPS.filter((step) => step !== 'canary' || ro.plan.canary > 0);
	if (now < 0)
		return null;
	return h('ol', { class: 'steps', 'aria-label': t('rollout.steps') }, wanted.map((step) => {
		const is = STEPS.indexOf(step) < now || ro.phase === 'done' ? 'past' : step === ro.phase ? 'now' : 'later';
		return h('li', { class: `is-${is}`, ...(step === ro.phase ? { 'aria-current': 'step' } : {}) }, t(`rollout.step.${step}`));
	}));
}

/** @param {any} ro */
function bar(ro) {
	const { total, updated } = ro.progress;
	return total > 0 && h('progress', { max: total, value: updated, 'aria-label': t('rollout.have', { n: updated, total }) });
}

/** @param {any} ro @returns {[string, import('../shared/dom.js').Child][]} */
function rows(ro) {
	const { total, updated, in_use, free, left_alone } = ro.progress;
	const seconds = (/** @type {number} */ ms) => t('rollout.seconds', { n: (ms / 1000).toFixed(1) });
	const times = (/** @type {{previous: number | null, version: number | null}} */ ms) => ms.version === null ? '' :
		ms.previous === null ? seconds(ms.version) : t('rollout.before', { is: seconds(ms.version), was: seconds(ms.previous) });
	/** @type {[string, import('../shared/dom.js').Child][]} */
	const all = [[t('rollout.desktops'), [t('rollout.have', { n: updated, total }), in_use && t('rollout.inUse', { n: in_use }), free && t('rollout.free', { n: free }), left_alone && t('rollout.left', { n: left_alone })].filter(Boolean).join('; ')]];
	if (ro.plan.force_at)
		all.push([t('rollout.force_at'), exactTime(ro.plan.force_at)]);
	if (ro.failures || ro.logons_failed)
		all.push([t('rollout.trouble'), t('rollout.troubleText', { failures: ro.failures, logons: ro.logons_failed, all: ro.logons })]);
	for (const name of ['create', 'refresh', 'logon'])
		if (ro[`${name}_ms`].version !== null)
			all.push([t(`rollout.${name}`), times(ro[`${name}_ms`])]);
	return [...all, [t('rollout.by'), ro.by || t('rollout.nobody')], [t('rollout.since'), when(ro.since)]];
}

/** Nothing where no version was ever on its way. @param {any} image @param {import('./object.js').ObjectPage} page */
export function rolloutCard(image, page) {
	const acts = h('div', { class: 'page-actions' });
	const head = h('div', { class: 'rollout-head' });
	const body = h('div');
	const card = h('div', { class: 'card sheet rollout', role: 'group', 'aria-live': 'polite' }, h('header', { class: 'sheet-head' }, head, acts), body);
	page.onChange((now) => {
		const ro = now.rollout;
		card.hidden = !ro;
		if (!ro)
			return;
		const name = document.activeElement?.textContent;
		const hadFocus = acts.contains(document.activeElement);
		card.setAttribute('aria-label', t('rollout.title', { version: ro.version }));
		fill(head, h('h2', {}, t('rollout.title', { version: ro.version })), chip(ro.paused ? 'paused' : ro.phase, 'rollout'));
		fill(acts, ...buttons(now));
		fill(body, steps(ro), h('p', { class: 'sheet-reason' }, pick(ro.reason)), bar(ro), facts(rows(ro)));
		if (hadFocus)
			([...acts.querySelectorAll('button')].find((b) => b.textContent === name) ?? acts.querySelector('button'))?.focus();
	});
	return card;
}
