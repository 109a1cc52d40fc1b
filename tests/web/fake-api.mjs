// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Stands in for gate and broker in the tests of portal and console: the static files with the gate's security header, and the API of
 * docs/api/openapi.yaml over the objects of fake-world.mjs. Run by itself (`node fake-api.mjs [PORT]`) it serves the pages to look at.
 */

import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addEvent, makeWorld, myPools, statusOf, uuid, rolloutOf } from './fake-world.mjs';

const WEB = fileURLToPath(new URL('../../web/', import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
	"worker-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
const NOUNS = ['pools', 'desktops', 'sessions', 'images', 'datastores', 'providers', 'users', 'groups', 'entitlements'];

class Problem extends Error {
	constructor(status, code, en, es, more = {}) {
		super(en);
		this.status = status;
		this.body = { type: `urn:puesto:problem:${code}`, title: en, title_es: es, status, code, ...more };
	}
}

const notFound = () => new Problem(404, 'not_found', 'There is no such object.', 'Ese objeto no existe.');
const badField = (field, what) => new Problem(422, 'invalid_field', 'A field is not right.', 'Un campo no es correcto.', { field, detail: `${field}: ${what}` });

export class FakeApi {
	constructor(kind = 'busy') {
		this.world = makeWorld(kind);
		this.streams = new Set();
		this.calls = [];
		this.user = null;
		this.tokens = [];
		this.personal = [];
		this.failures = 0;
		/** Answers to connect before the ticket: { status, body }. */
		this.connects = [];
		this.tickets = 0;
		/** Everything answers 503, as with no broker behind the gate. */
		this.isAway = false;
		this.routes = [
			['POST', /^\/sessions$/, (c) => this.login(c)],
			['DELETE', /^\/sessions\/current$/, () => this.logout()],
			['GET', /^\/me$/, () => this.me()],
			['PATCH', /^\/me$/, (c) => Object.assign(this.user, c.body) && this.me()],
			['POST', /^\/me\/password$/, (c) => {
				if (c.body.current !== 'secret')
					throw badField('current', 'it is not the current password');
				return null;
			}],
			['GET', /^\/me\/pools$/, () => ({ items: this.myPools ?? myPools(this.world), next: null })],
			['POST', /^\/me\/pools\/([^/]+)\/connect$/, () => this.connects.shift() ??
				{ status: 200, body: { ticket: `t${++this.tickets}`, websocket: '/display', subprotocol: 'binary', desktop: { id: 'd1', name: 'demo-01' } } }],
			['POST', /^\/me\/desktops\/([^/]+)\/(logoff|restart)$/, (c) => this.act(c.params[0], c.params[1])],
			['GET', /^\/status$/, () => statusOf(this.world)],
			['GET', /^\/explain$/, (c) => this.explain(c)],
			['GET', /^\/events\/verify$/, () => ({ ok: true, events: this.world.events.length, last_seq: this.world.events.length, last_hash: 'ab', broken_seq: null,
				reason: { code: '', en: `All ${this.world.events.length} events are as they were written.`, es: `Los ${this.world.events.length} eventos están como se escribieron.` } })],
			['GET', /^\/events$/, (c) => this.events(c)],
			['POST', /^\/desktops\/([^/]+)\/power$/, (c) => this.operate(c.params[0], c.body.power, '')],
			['POST', /^\/desktops\/([^/]+)\/resize$/, (c) => this.operate(c.params[0], 'resize', `${c.body.memory_mb ?? 0},${(c.body.cpus ?? 0) * 100},${c.body.disk_mb ?? 0}`)],
			['POST', /^\/desktops\/([^/]+)\/migrate$/, (c) => this.operate(c.params[0], 'migrate', c.body.host ?? 'kvm2')],
			['GET', /^\/providers\/([^/]+)\/hosts$/, (c) => ({ items: this.hostsOf(c), next: null })],
			['GET', /^\/providers\/([^/]+)\/hosts\/([^/]+)$/, (c) => this.hostsOf(c).find((host) => host.name === c.params[1])],
			['POST', /^\/providers\/([^/]+)\/hosts\/([^/]+)\/maintenance$/, (c) => this.maintain(c)],
			['GET', /^\/providers\/([^/]+)\/networks$/, (c) => ({ items: this.world.networks[this.find('providers', c.params[0]).name] ?? [], next: null })],
			['GET', /^(?:\/me)?\/desktops\/([^/]+)\/snapshots$/, (c) => ({ items: this.world.snapshots[c.params[0]] ?? [], next: null })],
			['POST', /^(?:\/me)?\/desktops\/([^/]+)\/snapshots$/, (c) => this.operate(c.params[0], 'snapshot', c.body.name)],
			['DELETE', /^\/desktops\/([^/]+)\/consoles\/([^/]+)$/, (c) => this.change('desktops', c.params[0], { consoles: undefined }) && null],
			['DELETE', /^(?:\/me)?\/desktops\/([^/]+)\/snapshots\/([^/]+)$/, (c) => this.operate(c.params[0], 'drop', c.params[1])],
			['POST', /^(?:\/me)?\/desktops\/([^/]+)\/snapshots\/([^/]+)\/revert$/, (c) => this.operate(c.params[0], 'revert', c.params[1])],
			['POST', /^\/desktops\/([^/]+)\/(restart|logoff|refresh|drain|message)$/, (c) => this.act(c.params[0], c.params[1], c.body)],
			['POST', /^\/pools\/([^/]+)\/(drain|maintenance)$/, (c) => this.poolSwitch(c)],
			['POST', /^\/images\/([^/]+)\/versions$/, (c) => this.addVersion(c)],
			['POST', /^\/images\/([^/]+)\/publish$/, (c) => this.publish(c)],
			['POST', /^\/images\/([^/]+)\/rollout\/(pause|continue|rollback)$/, (c) => this.rollout(c)],
			['POST', /^\/images\/([^/]+)\/versions\/([^/]+)\/retire$/, (c) => this.version(c, (v) => ({ ...v, state: 'retired' }))],
			['DELETE', /^\/images\/([^/]+)\/versions\/([^/]+)$/, (c) => this.find('images', c.params[0]).versions.find((v) => v.version === c.params[1])?.files ? this.versionJob(c.params[0], c.params[1], { kind: 'remove', state: 'running', step: 'removing', percent: 0 }) : this.version(c, () => null)],
			['POST', /^\/images\/([^/]+)\/versions\/([^/]+)\/copies$/, (c) => this.versionJob(c.params[0], c.params[1], { kind: 'copy', state: 'running', step: 'copying', percent: 30, datastore: c.body.datastore, error: '' })],
			['POST', /^\/images\/([^/]+)\/versions\/([^/]+)\/cancel$/, (c) => this.versionJob(c.params[0], c.params[1], { state: 'failed', step: 'failed', error: 'it was cancelled' }, 'failed')],
			['GET', /^\/desktops\/([^/]+)\/backups$/, (c) => ({ items: this.world.backups.filter((b) => b.desktop.id === c.params[0]), next: null })],
			['POST', /^\/desktops\/([^/]+)\/backups$/, (c) => this.backUp(c.params[0])],
			['GET', /^\/backups$/, () => ({ items: this.world.backups, next: null })],
			['POST', /^\/backups\/([^/]+)\/restore$/, (c) => this.backupJob(c.params[0], { kind: 'restore', state: 'running', step: 'checking', percent: 30 })],
			['POST', /^\/backups\/([^/]+)\/cancel$/, (c) => this.backupJob(c.params[0], { state: 'failed', error: 'it was cancelled', error_es: 'se canceló' })],
			['DELETE', /^\/backups\/([^/]+)$/, (c) => void (this.world.backups = this.world.backups.filter((b) => b.id !== c.params[0])) ?? null],
			['GET', /^\/recycled$/, () => ({ items: this.world.recycled, next: null, unlisted: [] })],
			['POST', /^\/recycled\/([^/]+)\/restore$/, (c) => this.recycle((r) => r.id !== c.params[0])],
			['POST', /^\/recycled\/([^/]+)\/([^/]+)\/restore$/, (c) => this.recycle((r) => r.token !== c.params[1])],
			['DELETE', /^\/recycled\/([^/]+)\/([^/]+)$/, (c) => this.recycle((r) => r.token !== c.params[1])],
			['POST', /^\/users\/([^/]+)\/(password|revoke)$/, () => null],
			['GET', /^\/users\/([^/]+)\/personal$/, () => ({ items: this.personal, next: null })],
			['PATCH', /^\/personal\/([^/]+)\/([^/]+)$/, (c) => Object.assign(this.personal[0], c.body)],
			['DELETE', /^\/personal\/([^/]+)\/([^/]+)$/, () => Object.assign(this.personal[0], { state: 'removing' })],
			['GET', /^\/users\/([^/]+)\/tokens$/, () => ({ items: this.tokens, next: null })],
			['POST', /^\/users\/([^/]+)\/tokens$/, (c) => this.makeToken(c)],
			['DELETE', /^\/users\/([^/]+)\/tokens\/([^/]+)$/, (c) => {
				this.tokens = this.tokens.filter((token) => token.id !== c.params[1]);
				return null;
			}],
			['PUT', /^\/groups\/([^/]+)\/members\/([^/]+)$/, (c) => this.member(c, true)],
			['DELETE', /^\/groups\/([^/]+)\/members\/([^/]+)$/, (c) => this.member(c, false)],
			['POST', /^\/revoke-all$/, () => this.logout()],
			['GET', new RegExp(`^/(${NOUNS.join('|')})$`), (c) => this.list(c)],
			['POST', new RegExp(`^/(${NOUNS.join('|')})$`), (c) => this.create(c)],
			['GET', new RegExp(`^/(${NOUNS.join('|')})/([^/]+)$`), (c) => this.one(c)],
			['PATCH', new RegExp(`^/(${NOUNS.join('|')})/([^/]+)$`), (c) => this.change(c.params[0], c.params[1], this.resolve(c.params[0], c.body))],
			['DELETE', new RegExp(`^/(${NOUNS.join('|')})/([^/]+)$`), (c) => this.remove(c.params[0], c.params[1])],
		];
	}

	hostsOf({ params }) {
		return this.world.hosts[this.find('providers', params[0]).name] ?? [];
	}

	maintain(c) {
		const host = this.hostsOf(c).find((o) => o.name === c.params[1]);
		const { on, at_once: n } = c.body;
		Object.assign(host, { state: !on ? 'ready' : host.desktops ? 'draining' : 'empty', staying: [],
			maintenance: on ? { at_once: n, total: host.desktops, moved: 0, moving: 0, by: 'admin', since: new Date().toISOString() } : null });
		return { status: 202, body: host };
	}

	login({ body }) {
		if (this.failures >= 3)
			throw new Problem(429, 'wait', 'Too many failed log-ins: wait before the next one.', 'Demasiados intentos fallidos: espere antes del siguiente.', { retry_after: this.waitS ?? 2 });
		if (body.password !== 'secret') {
			this.failures++;
			throw new Problem(401, 'login_failed', 'The user name or the password is not right.', 'El usuario o la contraseña no son correctos.');
		}
		const isAdmin = body.user === 'admin';
		this.user = { id: 'u1', name: body.user, display_name: isAdmin ? 'Administración' : 'Ana Núñez', roles: isAdmin ? ['admin', 'user'] : ['user'], locale: '' };
		this.failures = 0;
		return { status: 201, body: { user: this.user, csrf: 'csrf-token', expires: new Date(Date.now() + 3.6e7).toISOString(), last_login: null } };
	}

	logout() {
		this.user = null;
		return null;
	}

	me() {
		return { ...this.user, csrf: 'csrf-token', expires: new Date(Date.now() + 3.6e7).toISOString() };
	}

	find(noun, id) {
		const found = this.world[noun].find((o) => o.id === id || o.name === id);
		if (!found)
			throw notFound();
		return found;
	}

	list({ params, query }) {
		const name = (o, key) => o[key]?.id === query.get(key) || o[key]?.name === query.get(key);
		const text = (o) => `${o.name} ${o.display_name} ${o.user?.name} ${params[0] === 'sessions' ? o.desktop?.name : ''}`.toLowerCase();
		const all = this.world[params[0]].filter((o) => (!query.get('q') || text(o).includes(query.get('q').toLowerCase())) &&
			['pool', 'user', 'group', 'desktop'].every((key) => !query.get(key) || name(o, key)) &&
			(!query.get('state') || o.state === query.get('state') || (query.get('state') === 'live' && o.state !== 'ended')));
		const from = Number(query.get('cursor') ?? 0);
		const to = from + Number(query.get('limit') ?? 50);
		return { items: all.slice(from, to), next: to < all.length ? String(to) : null };
	}

	one({ params }) {
		const object = this.find(params[0], params[1]);
		if (params[0] === 'users')
			return { ...object, groups: this.world.groups.filter((g) => g.members.some((m) => m.id === object.id)).map((g) => ({ id: g.id, name: g.name })) };
		return object;
	}

	resolve(noun, body) {
		const out = { ...body };
		if (out.name !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(out.name))
			throw badField('name', 'letters, digits, dot, dash and underscore');
		if (noun === 'pools' && out.max !== undefined && out.min > out.max)
			throw badField('min', 'it must not be larger than max');
		for (const [key, from] of [['provider', 'providers'], ['image', 'images'], ['pool', 'pools'], ['user', 'users'], ['group', 'groups']]) {
			if (typeof out[key] === 'string') {
				const { id, name } = this.world[from].find((o) => o.id === out[key] || o.name === out[key]) ?? {};
				if (!id)
					throw badField(key, `there is no ${key} '${out[key]}'`);
				out[key] = { id, name };
			}
		}
		return out;
	}

	create({ params: [noun], body }) {
		const fields = this.resolve(noun, body);
		if (fields.name && this.world[noun].some((o) => o.name === fields.name))
			throw new Problem(409, 'exists', 'There is one with this name already: choose another name.', 'Ya existe uno con ese nombre: elija otro.');
		const now = new Date().toISOString();
		const object = { id: uuid('c'), rev: 1, created: now, updated: now, reason: { code: '', en: '', es: '' }, ...fields };
		if (noun === 'pools')
			Object.assign(object, { state: 'starting', waiting: 0, counts: { total: 0, ready: 0, assigned: 0, connected: 0, starting: 0, failed: 0, deleting: 0, suspended: 0 } });
		if (noun === 'users')
			Object.assign(object, { roles: [object.role], state: 'enabled', has_password: Boolean(fields.password), last_login: null, groups: [] });
		if (noun === 'groups')
			Object.assign(object, { members: [], member_count: 0 });
		if (noun === 'images')
			Object.assign(object, { versions: [], published: null, state: 'draft' });
		this.world[noun].push(object);
		this.changed(noun, object.id, object);
		this.audit(`${noun.replace(/ies$/, 'y').replace(/s$/, '')}.created`, noun, object.id, { name: object.name });
		return { status: 201, body: object };
	}

	change(noun, id, fields) {
		const object = this.find(noun, id);
		const next = { ...object, ...fields, rev: object.rev + 1, updated: new Date().toISOString() };
		if (noun === 'users' && fields.enabled !== undefined)
			next.state = fields.enabled ? 'enabled' : 'disabled';
		this.world[noun][this.world[noun].indexOf(object)] = next;
		this.changed(noun, next.id, next);
		return next;
	}

	remove(noun, id) {
		const object = this.find(noun, id);
		if (noun === 'images' && this.world.pools.some((p) => p.image.id === object.id))
			throw new Problem(409, 'in_use', 'Something still uses it: remove that first.', 'Todavía está en uso: quite antes lo que lo usa.', { detail: 'a pool uses this image' });
		if (noun === 'sessions')
			return this.change(noun, id, { state: 'ended', ended: new Date().toISOString() }) && null;
		this.world[noun] = this.world[noun].filter((o) => o !== object);
		this.changed(noun, object.id, null);
		return noun === 'pools' || noun === 'desktops' ? { status: 202, body: { ...object, state: 'deleting' } } : null;
	}

	act(id, what, body = {}) {
		if (this.find('desktops', id).isStubborn)
			throw new Problem(409, 'busy', 'The desktop is being changed: try again in a moment.', 'El escritorio está cambiando: inténtelo de nuevo en un momento.');
		const states = { restart: 'restarting', logoff: 'logging_off', refresh: 'refreshing' };
		const fields = what === 'drain' ? { drain: body.drain } : what === 'message' ? {} : { state: states[what] };
		this.audit(`desktop.${what}`, 'desktops', id, {});
		return { status: 202, body: this.change('desktops', id, fields) };
	}

	/** A task of the provider's; settle() ends it. */
	operate(id, kind, arg) {
		if (this.find('desktops', id).task)
			throw new Problem(409, 'busy', 'The desktop is being changed: try again in a moment.', 'El escritorio está cambiando: inténtelo de nuevo en un momento.');
		return { status: 202, body: this.change('desktops', id, { state: 'busy', task: { id: uuid('b'), kind, arg, state: 'sent', attempts: 1, error: '' } }) };
	}

	settle(id, error = '') {
		const { task } = this.find('desktops', id);
		const kept = this.world.snapshots[id] ?? [];
		const after = { stop: { state: 'stopped', parked: true, power: 'off', session: 'none' }, suspend: { state: 'stopped', parked: true, power: 'off' }, start: { parked: false, power: 'on' } }[task.kind];
		if (!error && task.kind === 'snapshot')
			this.world.snapshots[id] = [...kept, { name: task.arg, by: this.user.name, created: new Date().toISOString() }];
		if (!error && task.kind === 'drop')
			this.world.snapshots[id] = kept.filter((s) => s.name !== task.arg);
		this.change('desktops', id, { state: 'ready', ...(error ? {} : after), task: undefined, last_task: { ...task, state: error ? 'failed' : 'done', error } });
	}

	poolSwitch({ params: [id, what], body }) {
		const isOn = what === 'drain' ? body.drain : body.on;
		return this.change('pools', id, { [what]: isOn, state: isOn ? { drain: 'draining', maintenance: 'maintenance' }[what] : 'ready' });
	}

	addVersion({ params, body }) {
		const image = this.find('images', params[0]);
		if (image.versions.some((v) => v.version === body.version))
			throw badField('version', 'this image has it already');
		const now = new Date().toISOString();
		const from = body.import ?? body.capture;
		const job = from && { id: uuid(), kind: body.import ? 'import' : 'capture', state: 'running', step: 'waiting', percent: 0, datastore: from.datastore, source: from.file ?? from.desktop, error: '', created: now, updated: now };
		const made = { id: uuid(), base: 'building', path: '', notes: '', created: now, updated: now, ...body, state: job ? 'building' : 'ready', ...(job ? { job } : {}) };
		return { status: 201, body: this.change('images', image.id, { versions: [...image.versions, made] }) };
	}

	backUp(id) {
		const kept = this.world.backups.find((b) => b.desktop.id === id);
		const made = { ...kept, id: uuid(), state: 'making', kind: '', reason: '', made: null, created: new Date().toISOString(), job: { ...kept.job, state: 'running', step: 'copying', percent: 40 } };
		this.world.backups = [made, ...this.world.backups];
		return { status: 202, body: made };
	}

	backupJob(id, job) {
		this.world.backups = this.world.backups.map((b) => b.id === id ? { ...b, job: { ...b.job, ...job } } : b);
		return { status: 202, body: this.world.backups.find((b) => b.id === id) };
	}

	/** What stays in the recycle bin. */
	recycle(stays) {
		this.world.recycled = this.world.recycled.filter(stays);
		return null;
	}

	/** What is being done with a version becomes this. */
	versionJob(id, version, job, state) {
		const image = this.find('images', id);
		const versions = image.versions.map((v) => v.version === version ? { ...v, state: state ?? v.state, job: { ...v.job, ...job } } : v);
		return { status: 202, body: this.change('images', image.id, { versions }) };
	}

	publish({ params, body }) {
		const image = this.find('images', params[0]);
		const { version, ...plan } = body;
		return this.change('images', image.id, { rollout: rolloutOf(version, image.published, 'verify', { plan: { ...rolloutOf('', '', '').plan, ...plan } }) });
	}

	rollout({ params }) {
		const image = this.find('images', params[0]);
		const next = { pause: { paused: true }, continue: { paused: false, phase: image.rollout.paused ? image.rollout.phase : 'rolling' }, rollback: { phase: 'reverted', live: false, paused: false } }[params[1]];
		return this.change('images', image.id, { rollout: { ...image.rollout, ...next } });
	}

	version({ params }, change) {
		const image = this.find('images', params[0]);
		return this.change('images', image.id, { versions: image.versions.map((v) => v.version === params[1] ? change(v) : v).filter(Boolean) });
	}

	makeToken({ body }) {
		const token = { id: uuid('a'), name: body.name, created: new Date().toISOString(), expires: body.expires_s ? new Date(Date.now() + body.expires_s * 1000).toISOString() : null };
		this.tokens.push(token);
		return { status: 201, body: { ...token, token: 'pst_secret' } };
	}

	member({ params }, isIn) {
		const group = this.find('groups', params[0]);
		const { id, name } = this.find('users', params[1]);
		const members = group.members.filter((m) => m.id !== id).concat(isIn ? [{ id, name }] : []);
		this.change('groups', group.id, { members, member_count: members.length });
		return null;
	}

	explain({ query }) {
		const user = this.find('users', query.get('user'));
		const pool = this.find('pools', query.get('pool'));
		const ok = this.world.entitlements.some((e) => e.pool.id === pool.id && e.user?.id === user.id);
		const checks = [{ check: 'user_enabled', ok: true, en: 'The account is switched on.', es: 'La cuenta está activada.' },
			{ check: 'entitled', ok, en: ok ? 'The user is entitled by name.' : 'Neither the user nor one of the user\'s groups is entitled to this pool: add an entitlement.',
				es: ok ? 'El usuario tiene acceso por su nombre.' : 'Ni el usuario ni sus grupos tienen acceso a este grupo de escritorios: añada un acceso.' }];
		return { user: { id: user.id, name: user.name }, pool: { id: pool.id, name: pool.name }, allowed: ok, reason: { code: '', en: checks.at(-1).en, es: checks.at(-1).es }, checks };
	}

	events({ query }) {
		const kind = query.get('kind') ?? '';
		const user = query.get('user') ?? '';
		const all = this.world.events.filter((e) => (!kind || (kind.endsWith('.') ? e.kind.startsWith(kind) : e.kind === kind)) && (!query.get('object') || e.object.id === query.get('object')) &&
			(!user || e.actor.name === user)).reverse();
		const from = Number(query.get('cursor') ?? 0);
		const to = from + Number(query.get('limit') ?? 50);
		return { items: all.slice(from, to), next: to < all.length ? String(to) : null };
	}

	audit(kind, noun, id, detail) {
		const event = addEvent(this.world, kind, { kind: 'user', id: 'u1', name: this.user?.name ?? '', remote: '127.0.0.1' }, { kind: noun.replace(/s$/, ''), id }, detail);
		this.send('audit', event, event.seq);
	}

	changed(noun, id, object) {
		this.send('change', { kind: noun.replace(/s$/, ''), id, object });
	}

	send(event, data, id = 0) {
		for (const stream of this.streams)
			stream.write(`${id ? `id: ${id}\n` : ''}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
	}

	stream(response) {
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		response.write('retry: 200\n: welcome\n\n');
		this.streams.add(response);
		response.on('close', () => this.streams.delete(response));
	}

	guard(method, path, request) {
		if (this.isAway)
			throw new Problem(503, 'broker_away', 'The broker does not answer: it is being restarted, or has failed.', 'El broker no responde: se está reiniciando o ha fallado.');
		if (path === '/sessions' && method === 'POST')
			return;
		if (!this.user)
			throw new Problem(401, 'login_needed', 'Log in first.', 'Inicie sesión primero.');
		if (!path.startsWith('/me') && path !== '/sessions/current' && !this.user.roles.includes('admin'))
			throw new Problem(403, 'denied', 'You may not do this.', 'No tiene permiso para hacer esto.');
		if (method !== 'GET' && request.headers['x-csrf-token'] !== 'csrf-token')
			throw new Problem(403, 'csrf', 'The X-CSRF-Token header is missing or old.', 'Falta la cabecera X-CSRF-Token o es antigua.');
	}

	async answer(request, response, url) {
		const path = url.pathname.slice('/api/v1'.length);
		let text = '';
		for await (const chunk of request)
			text += chunk;
		const body = text ? JSON.parse(text) : {};
		this.calls.push({ method: request.method, path, query: url.search, body });
		try {
			this.guard(request.method, path, request);
			if (path === '/events/stream')
				return this.stream(response);
			for (const [method, pattern, run] of this.routes) {
				const match = method === request.method && pattern.exec(path);
				if (!match)
					continue;
				const result = run({ params: match.slice(1).map(decodeURIComponent), query: url.searchParams, body });
				if (result === null)
					return response.writeHead(204).end();
				const hasStatus = typeof result.status === 'number' && result.body;
				response.writeHead(hasStatus ? result.status : 200, { 'content-type': 'application/json' });
				return response.end(JSON.stringify(hasStatus ? result.body : result));
			}
			throw notFound();
		} catch (problem) {
			if (!(problem instanceof Problem))
				throw problem;
			const after = problem.body.retry_after;
			response.writeHead(problem.status, { 'content-type': 'application/problem+json', ...(after ? { 'retry-after': String(after) } : {}) });
			return response.end(JSON.stringify(problem.body));
		}
	}

	file(response, pathname) {
		const pages = { '/': 'portal/index.html', '/console/': 'console/index.html', '/client/': 'client/index.html', '/novnc/': 'novnc/index.html' };
		const path = join(WEB, pages[pathname] ?? normalize(pathname));
		if (!path.startsWith(WEB) || !existsSync(path) || !extname(path))
			return response.writeHead(404).end();
		response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream', 'content-security-policy': CSP });
		createReadStream(path).pipe(response);
	}

	async start(port = 0) {
		this.server = createServer((request, response) => {
			const url = new URL(request.url, 'http://localhost');
			if (url.pathname.startsWith('/api/v1/'))
				void this.answer(request, response, url);
			else
				this.file(response, url.pathname);
		});
		await new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
		this.origin = `http://localhost:${this.server.address().port}`;
		return this;
	}

	close() {
		this.server.closeAllConnections();
		this.server.close();
	}
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const api = await new FakeApi(process.env.PUESTO_WORLD ?? 'busy').start(Number(process.argv[2] ?? 0));
	console.log(`${api.origin}/ and ${api.origin}/console/ (users "ana" and "admin", password "secret")`);
}
