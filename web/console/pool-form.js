// SPDX-License-Identifier: GPL-3.0-or-later
/** Making and changing a pool; the rules are told in words while one types. */

import { api, problemText } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { Form } from '../shared/form.js';
import { t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { duration } from '../shared/time.js';
import { toast } from '../shared/toast.js';
import { go, href } from './router.js';
import { all, choices, nameOf, part } from './site.js';
import './words-backups.js';

const DEFAULTS = { kind: 'floating', image_version: 'latest', min: 1, max: 4, spare: 1, spare_suspended: 0, on_logoff: 'refresh', idle_disconnect_s: 0, logoff_after_disconnect_s: 7200, clipboard_in: true, clipboard_out: true, user_snapshots: 0, recycle_days: -1, backup_every_h: 0, backup_full_every_d: 7, backup_keep_d: 30, backup_chain: 14, personal_disk_mb: 0, personal_datastore: '', watching: 'off', enabled: true,
	spec: { memory_mb: 2048, disk_mb: 0, cpus: 2, pids: 1024, network: 'host', max_width: 3840, max_height: 2160, locale: '', layout: '', display: 'image' } };

/** What a pool of these settings does. @param {any} p @returns {string[]} */
export function poolRules(p) {
	const rules = [t(p.kind === 'dedicated' ? 'rule.dedicated' : 'rule.floating'), t('rule.size', { min: p.min ?? 0, max: p.max ?? 0 }), t(p.spare ? 'rule.spare' : 'rule.noSpare', { n: p.spare ?? 0 }),
		t(`rule.${p.on_logoff}`)];
	if (p.spare_suspended)
		rules.splice(3, 0, t('rule.suspended', { n: p.spare_suspended }));
	if (p.idle_disconnect_s)
		rules.push(t('rule.idle', { time: duration(p.idle_disconnect_s) }));
	rules.push(p.logoff_after_disconnect_s ? t('rule.logoff', { time: duration(p.logoff_after_disconnect_s) }) : t('rule.noLogoff'));
	if (p.user_snapshots)
		rules.push(t(p.user_snapshots === 1 ? 'rule.snapshot' : 'rule.snapshots', { n: p.user_snapshots }));
	if (p.personal_disk_mb)
		rules.push(t('rule.personal', { size: `${p.personal_disk_mb} MB` }));
	if ((p.min ?? 0) > (p.max ?? 0))
		rules.push(t('rule.minOverMax'));
	if (p.enabled === false)
		rules.push(t('rule.disabled'));
	return rules;
}

/** What a provider's desktops may be on; `now` stays to be seen where it is not known any more. @param {any[]} known @param {string} now @returns {[string, string][]} */
function networkOptions(known, now) {
	const names = ['host', 'none', ...known.map((n) => n.name)];
	return [...names, ...(now && !names.includes(now) ? [now] : [])].map((name) => [name, name === 'host' || name === 'none' ? t(`spec.network.${name}`) : name]);
}

/** @param {[string, string][]} providers @param {[string, string][]} images @param {[string, string][]} versions @param {[string, string][]} networks @param {boolean} isNew @returns {import('../shared/form.js').Field[]} */
function fields(providers, images, versions, networks, isNew) {
	const whole = (/** @type {string} */ name, /** @type {string} */ label, /** @type {number} */ max, /** @type {string} */ help = '', /** @type {number} */ min = 0) =>
		({ name, label, type: /** @type {const} */ ('number'), min, max, help, isRequired: true });
	return [
		{ name: 'name', label: t('field.name'), isRequired: true, maxLength: 64, pattern: '^[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}$', help: t('pool.nameHelp'), section: t('pool.sectionName') },
		{ name: 'display_name', label: t('field.displayName'), maxLength: 64, help: t('pool.displayHelp') },
		{ name: 'description', label: t('field.description'), type: 'textarea', maxLength: 1000 },
		{ name: 'kind', label: t('field.kind'), type: 'select', options: [['floating', t('pool.floatingLong')], ['dedicated', t('pool.dedicatedLong')]] },
		{ name: 'provider', label: t('kind.provider'), type: 'select', options: providers, isRequired: true, section: t('pool.sectionMachines') },
		{ name: 'image', label: t('kind.image'), type: 'select', options: images, isRequired: true },
		{ name: 'image_version', label: t('field.version'), type: 'select', options: versions, help: t('pool.versionHelp') },
		{ ...whole('min', t('pool.min'), 10000, t('pool.minHelp')), section: t('pool.sectionSize') }, whole('max', t('pool.max'), 10000, t('pool.maxHelp')), whole('spare', t('pool.spare'), 10000, t('pool.spareHelp')),
		whole('spare_suspended', t('pool.spareSuspended'), 10000, t('pool.spareSuspendedHelp')),
		{ name: 'on_logoff', label: t('pool.onLogoff'), type: 'select', options: ['refresh', 'delete', 'keep'].map((v) => [v, t(`pool.onLogoff.${v}`)]), section: t('pool.sectionSessions') },
		{ name: 'idle_disconnect_s', label: t('pool.idle'), type: 'duration', help: t('pool.zeroNever') },
		{ name: 'logoff_after_disconnect_s', label: t('pool.logoffAfter'), type: 'duration', help: t('pool.zeroNever') },
		{ name: 'clipboard_in', label: t('pool.clipboardIn'), type: 'check' }, { name: 'clipboard_out', label: t('pool.clipboardOut'), type: 'check' },
		{ name: 'watching', label: t('pool.watching'), type: 'select', options: ['off', 'announced'].map((v) => [v, t(`pool.watching.${v}`)]) },
		whole('user_snapshots', t('pool.userSnapshots'), 32, t('pool.userSnapshotsHelp')),
		whole('recycle_days', t('pool.recycleDays'), 30, t('pool.recycleDaysHelp'), -1),
		whole('personal_disk_mb', t('pool.personalMb'), 67108864, t('pool.personalMbHelp')),
		{ name: 'personal_datastore', label: t('pool.personalStore'), maxLength: 63, help: t('pool.personalStoreHelp') },
		{ ...whole('backup_every_h', t('pool.backupEvery'), 720, t('pool.backupEveryHelp')), section: t('pool.sectionBackups') }, whole('backup_full_every_d', t('pool.backupFull'), 365, '', 1),
		whole('backup_keep_d', t('pool.backupKeep'), 3650, t('pool.backupKeepHelp'), 1), whole('backup_chain', t('pool.backupChain'), 100, '', 1),
		{ ...whole('spec.memory_mb', t('spec.memoryMb'), 16777216, t('pool.zeroNoLimit')), section: t('pool.sectionSpec') }, whole('spec.cpus', t('spec.cpus'), 1024, t('pool.zeroNoLimit')),
		whole('spec.disk_mb', t('spec.diskMb'), 67108864, t('spec.diskHelp')),
		whole('spec.pids', t('spec.pids'), 4194304, t('pool.zeroNoLimit')),
		{ name: 'spec.network', label: t('spec.network'), type: 'select', options: networks },
		whole('spec.max_width', t('spec.maxWidth'), 8192, '', 320), whole('spec.max_height', t('spec.maxHeight'), 8192, '', 200),
		{ name: 'spec.locale', label: t('spec.locale'), maxLength: 32, help: t('spec.localeHelp') }, { name: 'spec.layout', label: t('spec.layout'), maxLength: 32, help: t('spec.layoutHelp') },
		{ name: 'spec.display', label: t('spec.display'), type: 'select', options: ['image', 'rdp'].map((v) => [v, t(`spec.display.${v}`)]), help: t('spec.displayHelp') },
		{ name: 'enabled', label: t('pool.enabledLong'), type: 'check', section: isNew ? t('pool.sectionStart') : t('pool.sectionState') },
	];
}

export class PoolForm {
	/** @param {import('./router.js').Route} place `new`, or an id to edit */
	constructor(place) {
		this.id = place.id === 'new' ? '' : place.id;
		this.title = t(this.id ? 'pools.edit' : 'pools.create');
		this.body = h('div', { class: 'pool-form' }, h('p', { class: 'faint' }, t('list.loading')));
		this.heading = h('h1', {}, this.title);
		this.element = h('section', { class: 'page' }, h('a', { class: 'back', href: href('pools', this.id) }, icon('back'), t('nav.pools')), h('header', { class: 'page-head' }, this.heading), this.body);
		void this.#load();
	}

	close() {}

	async #load() {
		try {
			const [providers, images, pool] = await Promise.all([choices('providers'), all('/images', 400), this.id ? api('GET', `/pools/${part(this.id)}`).then((a) => a.data) : DEFAULTS]);
			if (!providers.length || !images.length) {
				fill(this.body, h('p', { class: 'banner' }, icon('alert'), t('pools.needs')), h('p', {}, h('a', { href: href(providers.length ? 'images' : 'providers') }, t(providers.length ? 'nav.images' : 'nav.providers'))));
				return;
			}
			this.#show(providers, images, pool);
		} catch (reason) {
			fill(this.body, h('p', { class: 'form-error', role: 'alert' }, problemText(reason)));
		}
	}

	/** The networks of the provider that is chosen. @param {Form} form @param {string} now */
	#offerNetworks(form, now) {
		const provider = /** @type {HTMLSelectElement | null} */ (form.element.querySelector('select[name="provider"]'));
		const network = /** @type {HTMLSelectElement | null} */ (form.element.querySelector('select[name="spec.network"]'));
		let turn = 0;
		const offer = async () => {
			const mine = ++turn;
			const { data } = await api('GET', `/providers/${part(provider?.value ?? '')}/networks`);
			if (mine !== turn || !network)
				return;
			const chosen = network.value || now;
			network.replaceChildren(...networkOptions(data.items, chosen).map(([value, text]) => h('option', { value }, text)));
			network.value = chosen;
		};
		const quietly = () => void offer().catch(() => {}); // what is offered already stays
		provider?.addEventListener('change', quietly);
		quietly();
	}

	/** @param {[string, string][]} providers @param {any[]} images @param {any} pool */
	#show(providers, images, pool) {
		if (this.id)
			this.heading.textContent = t('pools.editName', { name: nameOf(pool) });
		const values = { ...pool, provider: pool.provider?.name, image: pool.image?.name };
		const versionsOf = (/** @type {string} */ name) => /** @type {[string, string][]} */ ([['latest', t('pool.latest')],
			...(images.find((i) => i.name === name)?.versions ?? []).map((/** @type {any} */ v) => [v.version, v.version])]);
		const form = new Form({
			fields: fields(providers, images.map((i) => [i.name, nameOf(i)]), versionsOf(values.image ?? images[0].name), networkOptions([], values.spec.network), !this.id), values, submit: t(this.id ? 'act.save' : 'pools.create'),
			check: ({ min, max }) => min > max ? { field: 'min', text: t('rule.minOverMax') } : null,
			run: (typed) => this.id ? api('PATCH', `/pools/${part(this.id)}`, typed, { headers: { 'if-match': `"${pool.rev}"` } }) : api('POST', '/pools', typed),
			onDone: ({ data }) => {
				toast(t(this.id ? 'act.saved' : 'pools.created', { name: nameOf(data) }), 'good');
				go(href('pools', data.id));
			},
			onCancel: () => go(href('pools', this.id)),
		});
		const image = form.element.querySelector('select[name="image"]');
		const version = /** @type {HTMLSelectElement | null} */ (form.element.querySelector('select[name="image_version"]'));
		image?.addEventListener('change', () => version?.replaceChildren(...versionsOf(form.values().image).map(([value, text]) => h('option', { value }, text))));
		this.#offerNetworks(form, values.spec.network);
		const rules = h('ul', { class: 'rules', 'aria-live': 'polite' });
		const tell = () => fill(rules, ...poolRules(form.values()).map((text) => h('li', {}, text)));
		form.element.addEventListener('input', tell);
		tell();
		form.element.classList.add('card', 'sheet');
		fill(this.body, form.element, h('aside', { class: 'card sheet' }, h('h2', {}, t('pool.means')), rules));
		form.focus();
	}
}
