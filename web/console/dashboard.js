// SPDX-License-Identifier: GPL-3.0-or-later
/** The dashboard: what failed, who waits and why, how full the pools are, the providers, what just happened. */

import { api, problemText } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { number, pick, t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { chip } from '../shared/states.js';
import { duration } from '../shared/time.js';
import { EventLog } from './event-log.js';
import { href } from './router.js';
import { act, all, live, link, nameOf, NOUNS, sharesOf } from './site.js';

/** Changes come in crowds: at most one look in this time. */
const PACE_MS = 1500;
const LATEST = 8;
/** Nothing tells of the gateways' coming and going, or of a queue that grows. */
const BEAT_MS = 15000;

const FILL = /** @type {const} */ (['connected', 'assigned', 'ready', 'suspended', 'starting', 'failed', 'deleting']);

/** @param {any} problem */
function problemRow(problem) {
	const noun = NOUNS[problem.kind];
	const name = noun && problem.id ? h('a', { href: href(noun, problem.id) }, problem.name) : h('strong', {}, problem.name);
	const isPaused = problem.state === 'paused';
	return h('li', { class: `problem is-${problem.severity === 'error' ? 'bad' : 'warn'}` }, icon('alert'),
		h('div', {}, h('p', { class: 'problem-name' }, h('span', { class: 'faint' }, t(`kind.${problem.kind}`)), name, chip(problem.state, problem.kind === 'datastore' ? 'datastore' : '')), h('p', {}, pick(problem.reason))),
		isPaused && h('button', { type: 'button', on: { click: () => void act({ title: t('reap.title'), text: t('reap.text'), action: t('reap.do'), done: t('reap.done'), isDanger: true,
			run: () => api('POST', '/reap', {}) }) } }, t('reap.do')));
}

/** @param {any} pool */
export function fillBar(pool) {
	const counts = sharesOf(pool);
	const size = Math.max(pool.max, counts.total, 1);
	const words = FILL.filter((name) => counts[name]).map((name) => `${t(`count.${name}`)}: ${counts[name]}`).join(', ');
	const bar = h('div', { class: 'fill', role: 'img', 'aria-label': words || t('count.none'), title: words || t('count.none') });
	for (const name of FILL) {
		if (!counts[name])
			continue;
		const piece = h('span', { class: `fill-${name}` });
		piece.style.width = `${counts[name] / size * 100}%`;
		bar.append(piece);
	}
	return bar;
}

/** @param {any} pool */
function poolRow(pool) {
	return h('li', { class: 'pool-fill' }, h('div', { class: 'pool-fill-head' }, h('a', { href: href('pools', pool.id) }, nameOf(pool)), chip(pool.state),
		h('span', { class: 'faint' }, t('dash.used', { used: sharesOf(pool).used, max: pool.max }))), fillBar(pool), h('p', { class: 'faint' }, pick(pool.reason)));
}

/** @param {string} title @param {import('../shared/dom.js').Child[]} body @param {string} [className] */
function card(title, body, className = '') {
	return h('section', { class: `card sheet ${className}` }, h('h2', {}, title), ...body);
}

export class Dashboard {
	constructor() {
		this.title = t('nav.dashboard');
		this.alert = h('p', { class: 'form-error', role: 'alert', hidden: true });
		this.head = h('div', { class: 'dash-state' });
		this.tiles = h('div', { class: 'numbers' });
		this.problems = h('div');
		this.waiting = h('div');
		this.pools = h('ul', { class: 'rows' });
		this.providers = h('ul', { class: 'rows' });
		this.gates = h('ul', { class: 'rows' });
		this.log = new EventLog({}, false, { limit: LATEST });
		this.element = h('section', { class: 'page' }, h('header', { class: 'page-head' }, h('h1', {}, this.title), this.head), this.alert, this.problems, this.waiting, this.tiles,
			h('div', { class: 'dash-grid' },
				h('div', {}, card(t('dash.fill'), [this.legend(), this.pools]), card(t('dash.providers'), [this.providers]), card(t('dash.gateways'), [this.gates])),
				h('section', { class: 'dash-events' }, h('h2', {}, t('dash.events')), this.log.element, h('p', {}, h('a', { href: href('events') }, t('dash.allEvents'))))));
		this.last = 0;
		this.timer = 0;
		this.isClosed = false;
		const soon = () => this.#soon();
		this.ends = [...['pool', 'desktop', 'session', 'provider', 'datastore', 'reset'].map((kind) => live.on(kind, soon))];
		this.beat = setInterval(() => !document.hidden && soon(), BEAT_MS);
		void this.load();
	}

	close() {
		this.isClosed = true;
		clearTimeout(this.timer);
		clearInterval(this.beat);
		this.log.close();
		for (const end of this.ends)
			end();
	}

	legend() {
		return h('p', { class: 'legend', 'aria-hidden': 'true' }, FILL.slice(0, 6).map((name) => h('span', {}, h('i', { class: `fill-${name}` }), t(`count.${name}`))));
	}

	#soon() {
		if (this.timer || this.isClosed)
			return;
		this.timer = /** @type {any} */ (setTimeout(() => {
			this.timer = 0;
			void this.load();
		}, Math.max(100, PACE_MS - (Date.now() - this.last))));
	}

	async load() {
		this.last = Date.now();
		try {
			const [{ data: status }, pools, providers] = await Promise.all([api('GET', '/status'), all('/pools', 400), all('/providers', 400)]);
			if (this.isClosed)
				return;
			this.alert.hidden = true;
			this.#show(status, pools, providers);
		} catch (reason) {
			this.alert.textContent = problemText(reason);
			this.alert.hidden = this.isClosed;
		}
	}

	/** @param {any} status @param {any[]} pools @param {any[]} providers */
	#show(status, pools, providers) {
		fill(this.head, chip(status.state), h('span', { class: 'faint' }, t('dash.version', { version: status.version, time: duration(status.uptime_s) })));
		this.#showProblems(status.problems);
		const waiting = pools.filter((p) => p.waiting > 0);
		fill(this.waiting, waiting.length > 0 && card(t('dash.waiting'), [h('ul', { class: 'rows' }, waiting.map((p) => h('li', {},
			h('strong', {}, t(p.waiting === 1 ? 'dash.waitsOne' : 'dash.waits', { n: p.waiting })), link('pools', { id: p.id, name: nameOf(p) }), h('span', { class: 'faint grow' }, pick(p.reason)))))]));
		this.#showNumbers(status.counts);
		fill(this.pools, ...(pools.length ? [...pools].sort((a, b) => fullness(b) - fullness(a)).map(poolRow) : [h('li', { class: 'faint' }, t('pools.empty'))]));
		fill(this.providers, ...providers.map((p) => h('li', {}, link('providers', p), chip(p.state), h('span', { class: 'faint grow' }, pick(p.reason)))));
		fill(this.gates, ...status.gateways.map((/** @type {any} */ g) => h('li', {}, h('strong', {}, g.name), chip(g.connected ? 'ready' : 'unreachable'),
			h('span', { class: 'faint grow' }, t(g.sessions === 1 ? 'dash.gateSession' : 'dash.gateSessions', { n: g.sessions })))), h('li', {}, h('strong', {}, t('kind.provisioner')),
			chip(status.provisioner.connected ? 'ready' : 'unreachable')));
	}

	/** @param {any[]} problems */
	#showProblems(problems) {
		if (!problems.length) {
			fill(this.problems, h('p', { class: 'banner is-good' }, icon('check'), t('dash.fine')));
			return;
		}
		fill(this.problems, card(t('dash.problems'), [h('ul', { class: 'problems' }, problems.map(problemRow))]));
	}

	/** @param {any} counts */
	#showNumbers(counts) {
		/** @type {[string, string, Record<string, string>][]} */
		const shown = [['connected', 'desktops', { state: 'connected' }], ['assigned', 'desktops', { state: 'disconnected' }], ['ready', 'desktops', { state: 'ready' }], ['starting', 'desktops', { state: 'starting' }],
			['failed', 'desktops', { state: 'failed' }], ['waiting', 'pools', {}], ['sessions', 'sessions', {}], ['users', 'users', {}]];
		fill(this.tiles, ...shown.map(([name, noun, query]) => h('a', { class: `card number${counts[name] && (name === 'failed' || name === 'waiting') ? ' is-bad' : ''}`, href: href(noun, '', '', query) },
			h('b', {}, number(counts[name])), h('span', {}, t(`count.${name}`)))));
	}
}

/** @param {any} pool */
function fullness(pool) {
	return (pool.state === 'failed' ? 2 : 0) + pool.waiting / 1000 + sharesOf(pool).used / Math.max(1, pool.max);
}
