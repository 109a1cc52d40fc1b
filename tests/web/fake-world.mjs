// SPDX-License-Identifier: GPL-3.0-or-later
/** The objects behind tests/web/fake-api.mjs: a small site with things that work, wait and fail. Shapes as in docs/api/openapi.yaml. */

let serial = 0;
export const uuid = (head = 'f') => `${head.padEnd(8, '0')}-0000-4000-8000-${String(++serial).padStart(12, '0')}`;
const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
const reason = (code, en, es) => ({ code, en, es });
const ref = (o) => o ? { id: o.id, name: o.name } : null;

function base(seconds) {
	return { id: uuid(), rev: 1, created: ago(seconds), updated: ago(seconds / 2) };
}

function poolOf(name, display, description, extra) {
	return { ...base(90000), name, display_name: display, description, kind: 'floating', image_version: 'latest', min: 1, max: 4, spare: 1, spare_suspended: 0, suspended_reason: null, on_logoff: 'refresh', idle_disconnect_s: 0,
		logoff_after_disconnect_s: 7200, spec: { memory_mb: 2048, disk_mb: 0, cpus: 2, pids: 1024, network: 'none', max_width: 3840, max_height: 2160, locale: 'es_ES.UTF-8', layout: 'es' },
		clipboard_in: true, clipboard_out: true, user_snapshots: 0, backup_every_h: 0, backup_full_every_d: 7, backup_keep_d: 30, backup_chain: 14, watching: 'announced', enabled: true, drain: false, maintenance: false, waiting: 0,
		counts: { total: 0, ready: 0, assigned: 0, connected: 0, starting: 0, failed: 0, deleting: 0, suspended: 0 }, ...extra };
}

const COUNTED = { ready: 'ready', assigned: 'assigned', disconnected: 'assigned', logging_off: 'assigned', connected: 'connected', creating: 'starting', starting: 'starting',
	refreshing: 'starting', restarting: 'starting', failed: 'failed', unreachable: 'failed', deleting: 'deleting', suspended: 'suspended' };

function desktopOf(w, pool, n, state, user, why) {
	const d = { ...base(4000 + n * 60), name: `${pool.name}-${String(n).padStart(2, '0')}`, pool: ref(pool), provider: pool.provider, image: pool.image, image_version: '2026.11',
		lifecycle: state === 'failed' ? 'failed' : 'live', power: state === 'starting' ? 'starting' : 'on', agent: 'ready', lease: user ? 'held' : 'free',
		session: state === 'connected' ? 'connected' : user ? 'disconnected' : 'none', hygiene: user ? 'dirty' : 'clean', drain: false, sleep: state === 'suspended' ? 'suspended' : 'awake', epoch: n, user: ref(user), state, reason: why, parked: false };
	pool.counts.total++;
	pool.counts[COUNTED[state]]++;
	// Whoever is connected has the desktop, too.
	if (state === 'connected')
		pool.counts.assigned++;
	w.desktops.push(d);
	return d;
}

function people(w) {
	const named = [['admin', 'Administración', 'admin'], ['ana', 'Ana Núñez', 'user'], ['bruno', 'Bruno Iglesias', 'user'], ['carla', 'Carla Pérez', 'user']];
	for (let i = 1; i <= 70; i++)
		named.push([`alumno${String(i).padStart(2, '0')}`, `Alumno ${i}`, 'user']);
	w.users = named.map(([name, display_name, role], i) => ({ ...base(500000), name, display_name, role, roles: role === 'admin' ? ['admin', 'user'] : ['user'], locale: '', enabled: name !== 'carla',
		has_password: i !== 7, last_login: i < 5 ? ago(i * 4000 + 60) : null, last_remote: i < 5 ? '192.0.2.14' : null, state: name === 'carla' ? 'disabled' : 'enabled',
		reason: name === 'carla' ? reason('disabled', 'The account is switched off.', 'La cuenta está desactivada.') : reason('', 'The account is switched on.', 'La cuenta está activada.') }));
	const group = (name, display_name, members) => ({ ...base(400000), name, display_name, member_count: members.length, members: members.map(ref) });
	w.groups = [group('aula-1', 'Aula 1', w.users.slice(4, 30)), group('developers', 'Developers', w.users.slice(1, 3))];
}

function problemsOf(w) {
	const errors = w.desktops.filter((d) => COUNTED[d.state] === 'failed').map((d) => ({ severity: 'error', kind: 'desktop', id: d.id, name: d.name, state: d.state, reason: d.reason }));
	const bad = w.pools.filter((p) => p.state === 'failed').map((p) => ({ severity: 'error', kind: 'pool', id: p.id, name: p.name, state: p.state, reason: p.reason }));
	const warn = w.pools.filter((p) => p.state === 'busy' || p.state === 'maintenance').map((p) => ({ severity: 'warning', kind: 'pool', id: p.id, name: p.name, state: p.state, reason: p.reason }));
	const provider = w.providers.filter((p) => !p.healthy).map((p) => ({ severity: 'error', kind: 'provider', id: p.id, name: p.name, state: 'failed', reason: p.reason }));
	const stores = w.datastores.filter((d) => ['full', 'offline', 'warning'].includes(d.state)).map((d) => ({ severity: d.state === 'warning' ? 'warning' : 'error', kind: 'datastore', id: d.id, name: d.name, state: d.state, reason: d.reason }));
	return [...provider, ...stores.filter((s) => s.severity === 'error'), ...bad, ...errors, ...warn, ...stores.filter((s) => s.severity === 'warning')];
}

export function statusOf(w) {
	const problems = problemsOf(w);
	const sum = (name) => w.pools.reduce((n, p) => n + p.counts[name], 0);
	return { time: ago(0), version: '0.1.0', uptime_s: 93784, state: problems.some((p) => p.severity === 'error') ? 'failed' : problems.length ? 'warning' : 'ok', problems,
		counts: { pools: w.pools.length, desktops: w.desktops.length, ready: sum('ready'), assigned: sum('assigned') - sum('connected'), connected: sum('connected'), starting: sum('starting'),
			failed: sum('failed'), deleting: sum('deleting'), waiting: w.pools.reduce((n, p) => n + p.waiting, 0), sessions: w.sessions.filter((s) => s.state === 'active').length,
			users: w.users.length, logins: 3 },
		provisioner: { connected: true }, gateways: [{ name: 'gateway', connected: true, sessions: 2 }], last_seq: w.events.at(-1)?.seq ?? 0 };
}

export function addEvent(w, kind, actor, object, detail = {}, seconds = 0) {
	const seq = (w.events.at(-1)?.seq ?? 0) + 1;
	const event = { id: String(seq), seq, time: ago(seconds), created: ago(seconds), kind, actor, object, detail, hash: seq.toString(16).padStart(64, '0') };
	w.events.push(event);
	return event;
}

function history(w) {
	const system = { kind: 'system', id: null, name: '', remote: '' };
	const admin = { kind: 'user', id: w.users[0].id, name: 'admin', remote: '192.0.2.1' };
	const ana = { kind: 'user', id: w.users[1].id, name: 'ana', remote: '192.0.2.14' };
	let t = 90000;
	for (const p of w.pools)
		addEvent(w, 'pool.created', admin, { kind: 'pool', id: p.id }, { name: p.name }, t -= 10);
	for (const d of w.desktops)
		for (const kind of ['desktop.creating', 'desktop.created'])
			addEvent(w, kind, system, { kind: 'desktop', id: d.id }, { name: d.name, pool: d.pool.name }, t -= 30);
	addEvent(w, 'login.failed', { kind: 'user', id: null, name: 'root', remote: '203.0.113.9' }, { kind: 'user', id: '' }, {}, 900);
	addEvent(w, 'login.ok', ana, { kind: 'user', id: ana.id }, {}, 700);
	const d = w.desktops.find((x) => x.user?.name === 'ana');
	if (d) {
		addEvent(w, 'desktop.assigned', ana, { kind: 'desktop', id: d.id }, { user: 'ana', epoch: 1 }, 690);
		addEvent(w, 'session.started', ana, { kind: 'session', id: w.sessions[0]?.id ?? '' }, { desktop: d.id, protocol: 'ws' }, 680);
	}
}

/** A pool of a thousand, a few of which need somebody. */
function fillHall(w, over) {
	const hall = poolOf('hall', 'Hall', 'A thousand seats', { ...over, max: 1000, state: 'ready', reason: reason('pool_ready', 'There is room.', 'Hay sitio.') });
	w.pools.push(hall);
	for (let i = 1; i <= 1000; i++)
		desktopOf(w, hall, i, i % 97 === 0 ? 'failed' : 'ready', null, i % 97 === 0 ? reason('task_failed', 'It did not start.', 'No ha arrancado.') : reason('ready', 'Ready for a user.', 'Listo para un usuario.'));
}

/** A provider of four hosts: one is being emptied, one does not answer. */
function clusterOf(w) {
	const host = (name, state, more) => ({ name, state, usable: true, processors: 32, memory_mb: 262144, free_mb: 180000, machines: 21, capacity: 0, desktops: 19, maintenance: null, reason: reason('', 'It takes desktops.', 'Admite escritorios.'), ...more });
	w.providers.push({ ...base(500000), name: 'cluster', kind: 'libvirt', capacity: 0, max_creates: 4, enabled: true, config: {}, healthy: true, can: ['power', 'suspend', 'snapshot', 'resize', 'grow', 'migrate', 'linked_clone', 'console', 'backup'], seen: ago(2), state: 'ready',
		reason: reason('', 'It is working.', 'Funciona.') });
	w.hosts.cluster = [host('kvm1', 'ready', {}), host('kvm2', 'ready', { free_mb: 61000, machines: 40, desktops: 40 }),
		host('kvm3', 'draining', { desktops: 5, machines: 5, maintenance: { at_once: 1, total: 12, moved: 7, moving: 1, by: 'admin', since: ago(300) }, reason: reason('host_draining', 'In maintenance: 7 of 12 desktops have left it.', 'En mantenimiento: han salido 7 de 12 escritorios.'),
			staying: [{ id: uuid(), name: 'demo-0007', user: { id: uuid(), name: 'ana' }, state: 'moving', to: 'kvm1', reason: null }, { id: uuid(), name: 'demo-0011', user: null, state: 'waits', to: null, reason: null },
				{ id: uuid(), name: 'render-0002', user: { id: uuid(), name: 'bruno' }, state: 'stays', to: null,
					reason: reason('move_failed', 'The move to kvm2 failed and is tried again: its processor lacks avx512f', 'El traslado a kvm2 ha fallado y se repetirá: its processor lacks avx512f') }] }),
		host('kvm4', 'away', { usable: false, free_mb: 0, desktops: 3, machines: 0, reason: reason('host_away', 'The host kvm4 cannot be asked: libvirt at qemu+tls://kvm4/system cannot be reached: look at libvirtd there', 'No se puede consultar el servidor kvm4: libvirt at qemu+tls://kvm4/system cannot be reached: look at libvirtd there') })];
	w.networks.cluster = [{ name: 'office', kind: 'bridge', about: 'br-office', peers: false }, { name: 'lab', kind: 'ovs', about: 'br0, VLAN 42', peers: true }, { name: 'exam', kind: 'isolated', about: '10.21.0.0/24', peers: false }];
}

const WHY = { verify: ['One desktop of it is being made and tried.', 'Se está creando y probando un escritorio.'], failed: ['The agent in the desktop did not report within 120 s.', 'El agente del escritorio no ha respondido en 120 s.'] };

/** @param {string} version @param {string} previous @param {string} phase */
export function rolloutOf(version, previous, phase, extra = {}) {
	const [en, es] = WHY[phase] ?? ['3 of 8 desktops have the new version.', '3 de 8 escritorios tienen la versión nueva.'];
	return { id: uuid('a'), version, previous, phase, live: ['verify', 'canary', 'rolling'].includes(phase), paused: false, reason: reason(`rollout_${phase}`, en, es),
		plan: { canary: 0, canary_s: 0, unavailable: 1, max_failures: 3, samples: 10, slower_percent: 200, kept_disks: false, force_at: null },
		progress: { total: 8, updated: phase === 'verify' ? 0 : 3, in_use: 2, free: phase === 'verify' ? 5 : 2, left_alone: 1 }, failures: 0, logons: 4, logons_failed: 0,
		create_ms: { previous: 14200, version: phase === 'verify' ? null : 15100 }, refresh_ms: { previous: 9100, version: null }, logon_ms: { previous: 480, version: phase === 'verify' ? null : 510 }, by: 'admin', created: ago(900), since: ago(300), ...extra };
}

/** @param {'busy' | 'empty' | 'thousand'} kind */
export function makeWorld(kind = 'busy') {
	const w = { pools: [], desktops: [], sessions: [], images: [], providers: [], snapshots: {}, hosts: {}, networks: {}, datastores: [], recycled: [], backups: [], users: [], groups: [], entitlements: [], events: [] };
	people(w);
	w.providers = [{ ...base(800000), name: 'local', kind: 'local', capacity: 8, max_creates: 2, enabled: true, config: {}, healthy: true, can: ['power', 'suspend', 'snapshot', 'resize', 'grow', 'migrate', 'linked_clone', 'console', 'backup'], seen: ago(3), state: 'ready',
		reason: reason('', 'It answers and has room.', 'Responde y tiene sitio.') }];
	const GB = 2 ** 30, MB = 2 ** 20;
	const store = (name, used, state, en, es, extra) => ({ ...base(800000), name, kind: 'directory', path: `/srv/${name}`, pools: [], state, reason: reason(state === 'ready' ? '' : `datastore_${state}`, en, es), online: state !== 'offline',
		maintenance: state === 'maintenance', warning: 80, critical: 92, limits_set: false, total: 500 * GB, used: used * GB, free: (500 - used) * GB, allocated: used * GB / 2, promised: 900 * GB, disks: 64, unreadable: 0, working: 2, waiting: 0, jobs: 8,
		images: true, seen: ago(3), ...extra });
	w.datastores = [store('fast', 120, 'ready', '24 % full, 380 GB left.', '24 % ocupado, quedan 380 GB.')];
	w.images = [{ ...base(700000), name: 'demo', display_name: 'Debian with a small desktop', description: 'Openbox, tint2, xterm, pcmanfm', os: 'linux', published: '2026.11', state: 'published',
		reason: reason('', 'Version 2026.11 is published.', 'Está publicada la versión 2026.11.'),
		versions: [{ id: uuid(), version: '2026.10', base: 'host', path: '/srv/images/demo/2026.10', state: 'retired', desktops: 0, verified: ago(690000), notes: '', created: ago(700000), updated: ago(300000) },
			{ id: uuid(), version: '2026.11', base: 'host', path: '/srv/images/demo/2026.11', state: 'ready', desktops: 5, verified: ago(290000), notes: 'Spanish keyboard by default', created: ago(300000), updated: ago(300000) }] }];
	if (kind === 'empty')
		return w;
	w.datastores.push(store('full', 465, 'full', '93 % full, 35 GB left: nothing new is placed here until there is room.', '93 % ocupado, quedan 35 GB: no se coloca nada nuevo aquí hasta que haya espacio.', { waiting: 5, pools: ['demo'] }),
		store('nas', 405, 'warning', '81 % full, 95 GB left: make room soon.', '81 % ocupado, quedan 95 GB: libere espacio pronto.', { limits_set: true, kind: 'volumes', pool: 'vdi', about: 'logical', path: '/var/lib/puesto/volumes/nas' }),
		store('old', 10, 'offline', 'It cannot be reached: /srv/old is no folder, or cannot be reached: mount it, or make it', 'No se puede acceder a él: /srv/old is no folder, or cannot be reached: mount it, or make it'));
	w.images[0].versions.push({ id: uuid(), version: '2026.13', base: 'building', path: '', state: 'building', notes: 'from the lab', created: ago(60), updated: ago(60), job: { id: uuid(), kind: 'import', state: 'running', step: 'converting', percent: 42, datastore: 'fast', source: 'debian.vmdk', error: '', created: ago(60), updated: ago(1) } },
		{ id: uuid(), version: '2026.13-rc', base: 'building', path: '', state: 'failed', notes: '', created: ago(600), updated: ago(500), job: { id: uuid(), kind: 'import', state: 'failed', step: 'failed', percent: 0, datastore: 'full', source: 'debian.qcow2', error: 'no datastore takes a new disk: full is full (93 %, 35 GB left)', created: ago(600), updated: ago(500) } });
	w.images[0].versions[0].files = { datastore: 'fast', size: 20 * GB, file_size: 3 * GB, sha256: 'ab'.repeat(32), copies: [] };
	w.images[0].versions[1].files = { datastore: 'fast', size: 20 * GB, file_size: 3 * GB, sha256: 'cd'.repeat(32), copies: ['nas'] };
	w.providers.push({ ...base(600000), name: 'lab-host', kind: 'local', capacity: 4, max_creates: 1, enabled: true, config: {}, healthy: false, can: [], seen: ago(600), state: 'failed',
		reason: reason('provider_silent', 'The provider has not answered for 10 minutes: is the host on?', 'El proveedor no responde desde hace 10 minutos: ¿está encendido el servidor?') });
	clusterOf(w);
	const over = { provider: ref(w.providers[0]), image: ref(w.images[0]) };
	const demo = poolOf('demo', 'Demo', 'A Debian desktop for everybody', { ...over, state: 'ready', reason: reason('pool_ready', '1 of 4 desktops are free.', '1 de 4 escritorios están libres.') });
	const dev = poolOf('development', 'Development', '', { ...over, kind: 'dedicated', on_logoff: 'keep', max: 12, state: 'starting', reason: reason('pool_starting', '2 desktops are being prepared.', 'Se están preparando 2 escritorios.') });
	const lab = poolOf('aula-1', 'Aula 1', 'Escritorios de las prácticas de Estadística', { ...over, max: 2, waiting: 3, state: 'busy', reason: reason('pool_full', 'All 2 desktops are in use and the pool may have no more: 3 users wait.', 'Los 2 escritorios están en uso y el grupo no admite más: esperan 3 usuarios.') });
	const shut = poolOf('finance', 'Finance', 'Closed month', { ...over, maintenance: true, state: 'maintenance', reason: reason('pool_maintenance', 'The pool is in maintenance: nobody may connect.', 'El grupo está en mantenimiento: nadie puede conectarse.') });
	const bad = poolOf('render', 'Render', 'Big screens', { ...over, provider: ref(w.providers[1]), state: 'failed', reason: reason('breaker', 'Making desktops failed several times and pauses for 120 s: no space left on /var/lib/puesto', 'La creación de escritorios ha fallado varias veces y se detiene 120 s: no queda espacio en /var/lib/puesto') });
	w.pools = [lab, demo, dev, shut, bad];
	if (kind === 'thousand')
		fillHall(w, over);
	const [, ana, bruno] = w.users;
	const r = (s, user) => ({ ready: reason('ready', 'Ready for a user.', 'Listo para un usuario.'), connected: reason('connected', `${user?.name} is connected.`, `${user?.name} está conectado.`),
		disconnected: reason('disconnected', `${user?.name} is disconnected; the programs go on running.`, `${user?.name} está desconectado; los programas siguen en marcha.`),
		starting: reason('starting', 'The desktop is starting.', 'El escritorio está arrancando.') })[s];
	desktopOf(w, demo, 1, 'connected', ana, r('connected', ana));
	desktopOf(w, demo, 2, 'ready', null, r('ready'));
	desktopOf(w, lab, 1, 'connected', w.users[4], r('connected', w.users[4]));
	desktopOf(w, lab, 2, 'disconnected', w.users[5], r('disconnected', w.users[5]));
	desktopOf(w, bad, 1, 'failed', null, reason('task_failed', 'The provider could not create the desktop: no space left on /var/lib/puesto', 'El proveedor no ha podido completar «create»: no queda espacio en /var/lib/puesto'));
	desktopOf(w, dev, 1, 'disconnected', bruno, r('disconnected', bruno));
	desktopOf(w, dev, 2, 'unreachable', null, reason('agent_wait', 'The agent in the desktop does not answer.', 'El agente del escritorio no responde.'));
	for (let i = 3; i <= 62; i++)
		desktopOf(w, dev, i, i > 60 ? 'starting' : 'ready', null, r(i > 60 ? 'starting' : 'ready'));
	w.snapshots[w.desktops[0].id] = [{ name: 'before-update', by: 'admin', created: ago(86000) }, { name: 'practice-1', by: 'ana', created: ago(4000) }];
	w.sessions = w.desktops.filter((d) => d.user).map((d, i) => ({ ...base(800 + i), user: d.user, desktop: ref(d), pool: d.pool, protocol: ['ws', 'rdp', 'rfb'][i % 3],
		state: d.state === 'connected' ? 'active' : 'ended', reason: d.state === 'connected' ? reason('', '', '') : reason('viewer_left', 'The viewer has left.', 'The viewer has left.'), remote: `192.0.2.${14 + i}`,
		gateway: 'gateway', epoch: d.epoch, started: ago(780 + i), ended: d.state === 'connected' ? null : ago(60), stats: { bytes_out: 18234567, bytes_in: 45678, frames: 5210, rtt_us: 12300, rate_kbps: 48210, client: 'Puesto web client' } }));
	w.entitlements = [{ ...base(1000), pool: ref(demo), user: ref(ana), group: null }, { ...base(1000), pool: ref(demo), user: null, group: ref(w.groups[0]) },
		{ ...base(1000), pool: ref(dev), user: null, group: ref(w.groups[1]) }, { ...base(1000), pool: ref(lab), user: null, group: ref(w.groups[0]) }];
	const later = new Date(Date.now() + 5 * 86400000).toISOString();
	const own = w.desktops[0];
	const backup = (/** @type {any} */ more) => ({ id: uuid(), state: 'ready', desktop: ref(own), pool: own.pool, user: ref(ana), image: own.image, image_version: own.image_version, datastore: 'vault', kind: 'incremental', reason: 'due',
		by_hand: false, is_there: true, bytes: 60 * MB, disk_size: 20 * GB, made: ago(3600), created: ago(3700), updated: ago(3600), job: { kind: 'backup', state: 'done', step: 'done', percent: 100, by: '', error: '', error_es: '', updated: ago(3600) }, ...more });
	w.backups = [backup({}), backup({ kind: 'full', reason: 'first', bytes: 3 * GB, by_hand: true, made: ago(90000), created: ago(90100) }),
		backup({ desktop: { id: uuid(), name: 'development-09' }, is_there: false, kind: 'full', reason: 'bitmap_broken', bytes: 2 * GB, made: ago(180000), created: ago(180100) })];
	w.recycled = [{ id: uuid(), token: 'abcdefghijklmnop', datastore: 'fast', kind: 'desktop', name: 'development-09', reason: 'desktop removed', can_restore: true, pool: ref(dev), user: ref(ana), removed: ago(7000), until: later, bytes: 4 * GB },
		{ id: 'kjihgfedcbaponml', token: 'kjihgfedcbaponml', datastore: 'vm', kind: 'personal', name: 'ana', reason: 'disk of ana in development', can_restore: true, pool: ref(dev), user: ref(ana), removed: ago(8000), until: later, bytes: GB },
		{ id: 'ponmlkjihgfedcba', token: 'ponmlkjihgfedcba', datastore: 'fast', kind: 'version', name: 'demo 2026.09', reason: 'version removed', can_restore: false, pool: null, user: null, removed: ago(90000), until: later, bytes: 3 * GB }];
	history(w);
	return w;
}

/** What GET /me/pools says. */
export function myPools(w) {
	return w.pools.map((p) => {
		const d = w.desktops.find((x) => x.pool.id === p.id && (x.user?.name === 'ana' || (p.name === 'development' && x.user)));
		const username = w.pools.length > 1 ? `ana#${p.name}` : 'ana';
		return { id: p.id, name: p.name, display_name: p.display_name, description: p.description, kind: p.kind, state: d ? 'ready' : p.state,
			reason: d ? reason('yours', 'Your desktop is waiting for you.', 'Su escritorio le espera.') : p.reason,
			desktop: d ? { id: d.id, name: d.name, state: d.state, session_state: d.session, task: d.task, last_task: d.last_task } : null, user_snapshots: p.user_snapshots,
			protocols: { web: true, rdp: { host: 'desktops.example.org', port: 3389, username }, vnc: { host: 'desktops.example.org', port: 5900, username } }, created: p.created, updated: p.updated };
	});
}
