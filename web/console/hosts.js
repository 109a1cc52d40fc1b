// SPDX-License-Identifier: GPL-3.0-or-later
/** The hosts of a provider that has several, and its networks: what each has, taking one out of service, and how that goes. */

import { api, problemText } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { pick, t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { chip } from '../shared/states.js';
import { act, formDialog, link, live, part } from './site.js';
import './words-hosts.js';

const LOOK_MS = 1500; // while a host is being emptied: many desktops change then

/** @param {number} mb */
const gib = (mb) => t('hosts.gib', { n: (mb / 1024).toFixed(mb < 10240 ? 1 : 0) });

/** @param {string} name of the class @param {number} percent */
function filled(name, percent) {
	const bar = h('span', { class: name });
	bar.style.width = `${Math.max(0, Math.min(100, percent)).toFixed(1)}%`;
	return bar;
}

/** How full its memory is. @param {any} host */
function memory(host) {
	const used = host.memory_mb ? 100 * (host.memory_mb - host.free_mb) / host.memory_mb : 0;
	return h('div', { class: 'fill-cell' }, h('div', { class: 'fill', 'aria-hidden': 'true' }, filled('fill-connected', used)),
		h('span', { class: 'faint' }, t('hosts.memory', { free: gib(host.free_mb), all: gib(host.memory_mb) })));
}

/** @param {any} host */
function numbers(host) {
	return [t('hosts.processors', { n: host.processors }), host.capacity ? t('hosts.machinesOf', { n: host.machines, max: host.capacity }) : t('hosts.machines', { n: host.machines }), t('hosts.desktops', { n: host.desktops })].join(' · ');
}

/** One that is still there: on its way, waiting for its turn, or why it cannot be moved. @param {any} d */
function staying(d) {
	const words = d.state === 'moving' ? t('hosts.movingTo', { host: d.to }) : d.state === 'waits' ? t('hosts.waits') : pick(d.reason);
	return h('li', { class: d.state === 'stays' ? 'is-bad' : '' }, icon(d.state === 'stays' ? 'alert' : 'move'), h('span', {}, link('desktops', d), d.user ? ` (${d.user.name})` : '', ': ', words));
}

/** @param {any} host */
function progress(host) {
	const { moved, total, by } = host.maintenance;
	const words = t('hosts.moved', { moved, total });
	return [h('div', { class: 'fill', role: 'progressbar', 'aria-label': t('hosts.progressOf', { name: host.name }), 'aria-valuemin': '0', 'aria-valuemax': String(total), 'aria-valuenow': String(moved), 'aria-valuetext': words },
		filled('fill-ready', total ? 100 * moved / total : 100)),
	h('p', { class: 'faint' }, words, by ? ` ${t('hosts.by', { user: by })}` : ''),
	host.staying?.length ? h('ul', { class: 'checks' }, host.staying.map(staying)) : null];
}

class Hosts {
	/** @param {any} provider */
	constructor(provider) {
		this.at = `/providers/${part(provider.id)}`;
		this.list = h('ul', { class: 'rows hosts' });
		this.networks = h('ul', { class: 'rows' });
		this.hostCard = h('div', { class: 'card sheet', hidden: true }, h('h2', {}, t('hosts.title')), this.list);
		this.networkCard = h('div', { class: 'card sheet', hidden: true }, h('h2', {}, t('networks.title')), h('p', { class: 'faint' }, t('networks.lead')), this.networks);
		this.turn = 0;
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		this.timer = undefined;
		this.drains = false;
		const end = live.on('desktop', () => {
			if (!this.list.isConnected)
				end();
			else if (this.drains)
				this.soon();
		});
		void this.load();
	}

	soon() {
		this.timer ??= setTimeout(() => void this.load(), LOOK_MS);
	}

	async load() {
		const turn = ++this.turn;
		clearTimeout(this.timer);
		this.timer = undefined;
		try {
			const [{ data: { items } }, { data: networks }] = await Promise.all([api('GET', `${this.at}/hosts`), api('GET', `${this.at}/networks`)]);
			const hosts = await Promise.all(items.map(async (/** @type {any} */ host) => host.maintenance ? (await api('GET', `${this.at}/hosts/${part(host.name)}`)).data : host));
			if (turn === this.turn)
				this.#show(hosts, networks.items);
		} catch (reason) {
			if (turn !== this.turn)
				return;
			this.hostCard.hidden = false;
			fill(this.list, h('li', { class: 'form-error' }, problemText(reason)));
		}
	}

	/** Who is on a button stays on it, or goes to the other one of that host. @param {any[]} hosts @param {any[]} networks */
	#show(hosts, networks) {
		const at = this.list.contains(document.activeElement) ? document.activeElement?.closest('li[data-host]')?.getAttribute('data-host') : null;
		this.drains = hosts.some((host) => host.state === 'draining');
		this.hostCard.hidden = !hosts.length;
		fill(this.list, ...hosts.map((host) => this.#row(host)));
		if (at)
			/** @type {HTMLElement | null} */ (this.list.querySelector(`li[data-host="${CSS.escape(at)}"] button`))?.focus();
		this.networkCard.hidden = !networks.length;
		fill(this.networks, ...networks.map((n) => h('li', {}, h('strong', {}, n.name), h('span', { class: 'grow' }, t(`networks.${n.kind}`, { about: n.about })), h('span', { class: 'faint' }, t(n.peers ? 'networks.peers' : 'networks.apart')))));
	}

	/** @param {any} host */
	#row(host) {
		const isOut = Boolean(host.maintenance);
		return h('li', { 'data-host': host.name },
			h('div', { class: 'host-head' }, h('strong', {}, host.name), chip(host.state, 'host'), h('span', { class: 'faint grow' }, numbers(host)),
				h('button', { type: 'button', class: 'quiet', 'aria-label': t(isOut ? 'hosts.resumeName' : 'hosts.emptyName', { name: host.name }), on: { click: () => isOut ? this.#resume(host) : this.#maintain(host) } }, icon(isOut ? 'play' : 'pause'),
					t(isOut ? 'hosts.resume' : 'hosts.empty'))),
			host.usable ? memory(host) : h('p', { class: 'task-error' }, pick(host.reason)), isOut ? progress(host) : null);
	}

	/** @param {any} host */
	#maintain(host) {
		formDialog({ title: t('hosts.emptyTitle', { name: host.name }), lead: t(host.desktops ? 'hosts.emptyText' : 'hosts.emptyTextNobody', { n: host.desktops }), submit: t('hosts.empty'), done: t('hosts.begun', { name: host.name }),
			fields: [{ name: 'at_once', label: t('hosts.atOnce'), type: 'number', min: 1, max: 16, isRequired: true, help: t('hosts.atOnceHelp') }], values: { at_once: 1 },
			run: (values) => api('POST', `${this.at}/hosts/${part(host.name)}/maintenance`, { on: true, ...values }), after: () => void this.load() });
	}

	/** @param {any} host */
	#resume(host) {
		void act({ title: t('hosts.resumeTitle', { name: host.name }), text: t('hosts.resumeText'), action: t('hosts.resume'), done: t('hosts.resumed', { name: host.name }),
			run: () => api('POST', `${this.at}/hosts/${part(host.name)}/maintenance`, { on: false }), after: () => void this.load() });
	}
}

/** Below a provider's summary; nothing is seen where it has one host and no networks. @param {any} provider @param {import('./object.js').ObjectPage} page @returns {HTMLElement[]} */
export function hostCards(provider, page) {
	const hosts = new Hosts(provider);
	let isFirst = true;
	page.onChange(() => {
		if (!isFirst)
			hosts.soon();
		isFirst = false;
	});
	return [hosts.hostCard, hosts.networkCard];
}

/** Where a desktop is, and why it was put there. @param {any} d @returns {[string, import('../shared/dom.js').Child][]} */
export function placeRows(d) {
	if (!d.placement)
		return [];
	const why = pick({ en: d.placement.en ?? '', es: d.placement.es ?? '' });
	return [[t('hosts.host'), h('span', {}, d.placement.host, why ? h('span', { class: 'faint block' }, why) : null)]];
}
