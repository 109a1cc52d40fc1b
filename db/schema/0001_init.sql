-- SPDX-License-Identifier: GPL-3.0-or-later
-- 0001: every noun of the broker. Ids are uuids in text; times are wall
-- milliseconds since 1970 (for people and for the audit; deadlines that decide
-- something use the monotonic clock and say so in their name); booleans are
-- 0 or 1; "rev" rises with every change and is the entity tag of the API.

-- One row. The generation rises at each restore from a backup, and it is the
-- high half of every epoch: an epoch can therefore never go back (R7).
CREATE TABLE meta (
	one        INTEGER PRIMARY KEY CHECK (one = 1),
	generation INTEGER NOT NULL DEFAULT 1 CHECK (generation BETWEEN 1 AND 1048575),
	revoked    INTEGER NOT NULL DEFAULT 0,   -- rises at "revoke all"
	install_id TEXT    NOT NULL DEFAULT (lower(hex(randomblob(16)))),
	enrol_key  BLOB    NOT NULL DEFAULT (randomblob(32)),   -- enrolment tokens are its HMAC over the task's id
	created    INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO meta (one) VALUES (1);

-- People ---------------------------------------------------------------

CREATE TABLE users (
	id            TEXT PRIMARY KEY,
	name          TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(name) BETWEEN 1 AND 128),
	display_name  TEXT NOT NULL DEFAULT '',
	role          TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('admin', 'user')),
	password_hash TEXT,                       -- argon2id, encoded; NULL: cannot log in
	locale        TEXT NOT NULL DEFAULT '',   -- 'es', 'en' or '' (the browser's)
	enabled       INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	failures      INTEGER NOT NULL DEFAULT 0,
	blocked_until INTEGER NOT NULL DEFAULT 0,
	last_login    INTEGER,
	last_remote   TEXT,
	rev           INTEGER NOT NULL DEFAULT 1,
	created       INTEGER NOT NULL,
	updated       INTEGER NOT NULL
) STRICT;

CREATE TABLE groups (
	id           TEXT PRIMARY KEY,
	name         TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(name) BETWEEN 1 AND 128),
	display_name TEXT NOT NULL DEFAULT '',
	rev          INTEGER NOT NULL DEFAULT 1,
	created      INTEGER NOT NULL,
	updated      INTEGER NOT NULL
) STRICT;

CREATE TABLE group_members (
	group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
	user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	created  INTEGER NOT NULL,
	PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_members_user ON group_members (user_id);

-- A web log-in (cookie) or a display log-in (what "auth" of the gate gives).
CREATE TABLE logins (
	id         TEXT PRIMARY KEY,
	token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
	kind       TEXT NOT NULL CHECK (kind IN ('web', 'display')),
	user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	pool_id    TEXT,                          -- display: the pool that was named
	csrf       TEXT NOT NULL DEFAULT '',
	remote     TEXT NOT NULL DEFAULT '',
	agent      TEXT NOT NULL DEFAULT '',
	created    INTEGER NOT NULL,
	seen       INTEGER NOT NULL,              -- idle time counts from here
	expires    INTEGER NOT NULL
) STRICT;
CREATE INDEX logins_user ON logins (user_id);
CREATE INDEX logins_expires ON logins (expires);

CREATE TABLE api_tokens (
	id         TEXT PRIMARY KEY,
	token_hash BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
	user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name       TEXT NOT NULL DEFAULT '',
	last_used  INTEGER,
	expires    INTEGER,                       -- NULL: until it is removed
	created    INTEGER NOT NULL
) STRICT;

CREATE TABLE idempotency_keys (
	user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	key     TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 128),
	request BLOB NOT NULL CHECK (length(request) = 32),   -- hash of method, path, body
	status  INTEGER NOT NULL,
	body    TEXT NOT NULL,
	created INTEGER NOT NULL,
	PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;

-- What desktops are made of ----------------------------------------------

CREATE TABLE providers (
	id          TEXT PRIMARY KEY,
	name        TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
	kind        TEXT NOT NULL DEFAULT 'local',
	config      TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(config)),
	capacity    INTEGER NOT NULL DEFAULT 0 CHECK (capacity >= 0),   -- desktops; 0: what the provisioner says
	max_creates INTEGER NOT NULL DEFAULT 2 CHECK (max_creates BETWEEN 1 AND 256),
	enabled     INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	healthy     INTEGER NOT NULL DEFAULT 0 CHECK (healthy IN (0, 1)),
	reason_code TEXT NOT NULL DEFAULT '',
	reason_en   TEXT NOT NULL DEFAULT '',
	reason_es   TEXT NOT NULL DEFAULT '',
	seen        INTEGER,
	rev         INTEGER NOT NULL DEFAULT 1,
	created     INTEGER NOT NULL,
	updated     INTEGER NOT NULL
) STRICT;

CREATE TABLE images (
	id           TEXT PRIMARY KEY,
	name         TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
	display_name TEXT NOT NULL DEFAULT '',
	description  TEXT NOT NULL DEFAULT '',
	os           TEXT NOT NULL DEFAULT 'linux',
	published    TEXT,                        -- the version "latest" stands for
	rev          INTEGER NOT NULL DEFAULT 1,
	created      INTEGER NOT NULL,
	updated      INTEGER NOT NULL
) STRICT;

CREATE TABLE image_versions (
	id       TEXT PRIMARY KEY,
	image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
	version  TEXT NOT NULL CHECK (length(version) BETWEEN 1 AND 64),
	base     TEXT NOT NULL DEFAULT 'host',    -- 'host' or the path of a root tree
	path     TEXT NOT NULL DEFAULT '',        -- the layer on top of the base
	state    TEXT NOT NULL DEFAULT 'ready' CHECK (state IN ('building', 'ready', 'failed', 'retired')),
	notes    TEXT NOT NULL DEFAULT '',
	created  INTEGER NOT NULL,
	updated  INTEGER NOT NULL,
	UNIQUE (image_id, version)
) STRICT;

CREATE TABLE pools (
	id                        TEXT PRIMARY KEY,
	name                      TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
	display_name              TEXT NOT NULL DEFAULT '',
	description               TEXT NOT NULL DEFAULT '',
	kind                      TEXT NOT NULL DEFAULT 'floating' CHECK (kind IN ('floating', 'dedicated')),
	provider_id               TEXT NOT NULL REFERENCES providers (id),
	image_id                  TEXT NOT NULL REFERENCES images (id),
	image_version             TEXT NOT NULL DEFAULT 'latest',
	min_size                  INTEGER NOT NULL DEFAULT 0 CHECK (min_size BETWEEN 0 AND 10000),
	max_size                  INTEGER NOT NULL DEFAULT 1 CHECK (max_size BETWEEN 0 AND 10000),
	spare                     INTEGER NOT NULL DEFAULT 0 CHECK (spare BETWEEN 0 AND 10000),
	on_logoff                 TEXT NOT NULL DEFAULT 'refresh' CHECK (on_logoff IN ('delete', 'refresh', 'keep')),
	idle_disconnect_s         INTEGER NOT NULL DEFAULT 0 CHECK (idle_disconnect_s BETWEEN 0 AND 31536000),
	logoff_after_disconnect_s INTEGER NOT NULL DEFAULT 0 CHECK (logoff_after_disconnect_s BETWEEN 0 AND 31536000),
	memory_mb                 INTEGER NOT NULL DEFAULT 0 CHECK (memory_mb BETWEEN 0 AND 16777216),
	cpus                      INTEGER NOT NULL DEFAULT 0 CHECK (cpus BETWEEN 0 AND 1024),
	pids                      INTEGER NOT NULL DEFAULT 0 CHECK (pids BETWEEN 0 AND 4194304),
	network                   TEXT NOT NULL DEFAULT 'host' CHECK (network IN ('host', 'none')),
	max_width                 INTEGER NOT NULL DEFAULT 3840 CHECK (max_width BETWEEN 320 AND 8192),
	max_height                INTEGER NOT NULL DEFAULT 2160 CHECK (max_height BETWEEN 200 AND 8192),
	locale                    TEXT NOT NULL DEFAULT '',
	layout                    TEXT NOT NULL DEFAULT '',
	clipboard_in              INTEGER NOT NULL DEFAULT 1 CHECK (clipboard_in IN (0, 1)),
	clipboard_out             INTEGER NOT NULL DEFAULT 1 CHECK (clipboard_out IN (0, 1)),
	enabled                   INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
	drain                     INTEGER NOT NULL DEFAULT 0 CHECK (drain IN (0, 1)),
	maintenance               INTEGER NOT NULL DEFAULT 0 CHECK (maintenance IN (0, 1)),
	deleting                  INTEGER NOT NULL DEFAULT 0 CHECK (deleting IN (0, 1)),   -- its desktops go first
	next_number               INTEGER NOT NULL DEFAULT 1,                              -- names of desktops: pool-0001
	rev                       INTEGER NOT NULL DEFAULT 1,
	created                   INTEGER NOT NULL,
	updated                   INTEGER NOT NULL,
	CHECK (min_size <= max_size)
) STRICT;

CREATE TABLE entitlements (
	id       TEXT PRIMARY KEY,
	pool_id  TEXT NOT NULL REFERENCES pools (id) ON DELETE CASCADE,
	user_id  TEXT REFERENCES users (id) ON DELETE CASCADE,
	group_id TEXT REFERENCES groups (id) ON DELETE CASCADE,
	created  INTEGER NOT NULL,
	CHECK ((user_id IS NULL) <> (group_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX entitlements_user ON entitlements (pool_id, user_id) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX entitlements_group ON entitlements (pool_id, group_id) WHERE group_id IS NOT NULL;
CREATE INDEX entitlements_by_user ON entitlements (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX entitlements_by_group ON entitlements (group_id) WHERE group_id IS NOT NULL;

-- Desktops and who has them ------------------------------------------------

-- Orthogonal axes, one column each; what people see is computed from them
-- (broker/core/view.c). A deleted desktop stays as a tombstone for its history.
CREATE TABLE desktops (
	id            TEXT PRIMARY KEY,
	name          TEXT NOT NULL,
	pool_id       TEXT REFERENCES pools (id) ON DELETE SET NULL,
	provider_id   TEXT NOT NULL REFERENCES providers (id),
	image_id      TEXT NOT NULL REFERENCES images (id),
	image_version TEXT NOT NULL,
	lifecycle     TEXT NOT NULL CHECK (lifecycle IN ('creating', 'live', 'failed', 'deleting', 'deleted')),
	power         TEXT NOT NULL DEFAULT 'unknown' CHECK (power IN ('unknown', 'off', 'starting', 'on')),
	agent         TEXT NOT NULL DEFAULT 'none' CHECK (agent IN ('none', 'ready', 'lost')),
	lease         TEXT NOT NULL DEFAULT 'free' CHECK (lease IN ('free', 'held', 'ending')),
	session       TEXT NOT NULL DEFAULT 'none' CHECK (session IN ('none', 'granted', 'connected', 'disconnected')),
	hygiene       TEXT NOT NULL DEFAULT 'clean' CHECK (hygiene IN ('clean', 'dirty', 'cleaning')),
	drain         INTEGER NOT NULL DEFAULT 0 CHECK (drain IN (0, 1)),
	reason_code   TEXT NOT NULL DEFAULT '',
	reason_en     TEXT NOT NULL DEFAULT '',
	reason_es     TEXT NOT NULL DEFAULT '',
	epoch         INTEGER NOT NULL DEFAULT 0 CHECK (epoch >= 0),
	uid           INTEGER,                    -- of the desktop's processes, for the agent's peer check
	endpoint      TEXT CHECK (endpoint IS NULL OR json_valid(endpoint)),
	grant_key     BLOB CHECK (grant_key IS NULL OR length(grant_key) = 32),
	enrol_hash    BLOB CHECK (enrol_hash IS NULL OR length(enrol_hash) = 32),
	boot          TEXT NOT NULL DEFAULT '',   -- the agent's boot uuid, last seen
	failures      INTEGER NOT NULL DEFAULT 0,
	created       INTEGER NOT NULL,
	updated       INTEGER NOT NULL,
	deleted       INTEGER,
	-- A desktop that a user has touched is not free until its disk is new.
	CHECK (lease <> 'free' OR session = 'none'),
	CHECK (lifecycle <> 'deleted' OR (lease = 'free' AND deleted IS NOT NULL))
) STRICT;
CREATE INDEX desktops_pool ON desktops (pool_id) WHERE lifecycle <> 'deleted';
CREATE INDEX desktops_uid ON desktops (uid) WHERE lifecycle <> 'deleted';
CREATE UNIQUE INDEX desktops_name ON desktops (name) WHERE lifecycle <> 'deleted';

CREATE TABLE assignments (
	id         TEXT PRIMARY KEY,
	desktop_id TEXT NOT NULL REFERENCES desktops (id),
	pool_id    TEXT REFERENCES pools (id) ON DELETE SET NULL,
	user_id    TEXT REFERENCES users (id) ON DELETE SET NULL,
	user_name  TEXT NOT NULL,
	kind       TEXT NOT NULL CHECK (kind IN ('floating', 'dedicated')),
	state      TEXT NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'ended')),
	epoch      INTEGER NOT NULL CHECK (epoch > 0),
	created    INTEGER NOT NULL,
	ended      INTEGER,
	reason     TEXT NOT NULL DEFAULT '',
	CHECK ((state = 'ended') = (ended IS NOT NULL))
) STRICT;
-- The last word on "one live owner" and "one desktop per user and pool".
CREATE UNIQUE INDEX assignments_one_owner ON assignments (desktop_id) WHERE state = 'live';
CREATE UNIQUE INDEX assignments_one_each ON assignments (pool_id, user_id) WHERE state = 'live';
-- An epoch is used once per desktop, for ever.
CREATE UNIQUE INDEX assignments_epoch ON assignments (desktop_id, epoch);
CREATE INDEX assignments_user ON assignments (user_id);

-- Display sessions: one viewer joined to one desktop.
CREATE TABLE sessions (
	id            TEXT PRIMARY KEY,
	assignment_id TEXT NOT NULL REFERENCES assignments (id),
	desktop_id    TEXT NOT NULL REFERENCES desktops (id),
	pool_id       TEXT REFERENCES pools (id) ON DELETE SET NULL,
	user_id       TEXT REFERENCES users (id) ON DELETE SET NULL,
	login_id      TEXT,
	protocol      TEXT NOT NULL CHECK (protocol IN ('ws', 'rfb', 'rdp')),
	epoch         INTEGER NOT NULL,
	state         TEXT NOT NULL DEFAULT 'granted' CHECK (state IN ('granted', 'active', 'ended')),
	remote        TEXT NOT NULL DEFAULT '',
	gateway       TEXT NOT NULL DEFAULT '',
	granted       INTEGER NOT NULL,
	started       INTEGER,
	ended         INTEGER,
	end_code      TEXT NOT NULL DEFAULT '',
	end_reason    TEXT NOT NULL DEFAULT '',
	stats         TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(stats)),
	CHECK ((state = 'ended') = (ended IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX sessions_epoch ON sessions (desktop_id, epoch);
-- One viewer at a time: a newer one evicts the older.
CREATE UNIQUE INDEX sessions_one ON sessions (desktop_id) WHERE state <> 'ended';
CREATE INDEX sessions_live ON sessions (state) WHERE state <> 'ended';
CREATE INDEX sessions_user ON sessions (user_id);

-- 256 bits, kept as a hash, one use: DELETE … RETURNING. The deadline is on the
-- monotonic clock of the boot that wrote it (R9); another boot's tickets are void.
CREATE TABLE tickets (
	hash         BLOB PRIMARY KEY CHECK (length(hash) = 32),
	user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	desktop_id   TEXT NOT NULL REFERENCES desktops (id) ON DELETE CASCADE,
	pool_id      TEXT NOT NULL REFERENCES pools (id) ON DELETE CASCADE,
	login_id     TEXT,
	protocol     TEXT NOT NULL CHECK (protocol IN ('ws', 'rfb')),
	epoch        INTEGER NOT NULL,
	boot         TEXT NOT NULL,
	expires_mono INTEGER NOT NULL,
	created      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_expires ON tickets (expires_mono);

-- Intents: committed before the provider is asked, repeated with the same id
-- until it has answered.
CREATE TABLE tasks (
	id         TEXT PRIMARY KEY,
	kind       TEXT NOT NULL CHECK (kind IN ('create', 'destroy', 'restart', 'refresh')),
	desktop_id TEXT NOT NULL,                 -- no reference: an orphan to destroy has no row
	state      TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'done', 'failed')),
	attempts   INTEGER NOT NULL DEFAULT 0,
	error_code TEXT NOT NULL DEFAULT '',
	error      TEXT NOT NULL DEFAULT '',
	created    INTEGER NOT NULL,
	updated    INTEGER NOT NULL,
	finished   INTEGER,
	CHECK ((state IN ('done', 'failed')) = (finished IS NOT NULL))
) STRICT;
-- One unfinished task per desktop: the provider never gets two at a time.
CREATE UNIQUE INDEX tasks_one ON tasks (desktop_id) WHERE state IN ('pending', 'sent');
CREATE INDEX tasks_desktop ON tasks (desktop_id);

-- The audit: append only, each row holds the hash of the one before.
CREATE TABLE events (
	seq         INTEGER PRIMARY KEY AUTOINCREMENT,
	time        INTEGER NOT NULL,
	actor_kind  TEXT NOT NULL CHECK (actor_kind IN ('user', 'token', 'system', 'gateway', 'agent', 'provisioner', 'unknown')),
	actor_id    TEXT,
	actor_name  TEXT NOT NULL DEFAULT '',
	remote      TEXT NOT NULL DEFAULT '',
	kind        TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),   -- 'login.ok', 'desktop.assigned'
	object_kind TEXT NOT NULL DEFAULT '',
	object_id   TEXT NOT NULL DEFAULT '',
	detail      TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(detail)),
	prev_hash   BLOB NOT NULL CHECK (length(prev_hash) = 32),
	hash        BLOB NOT NULL UNIQUE CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX events_object ON events (object_kind, object_id, seq);
CREATE INDEX events_kind ON events (kind, seq);
CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN
	SELECT RAISE(ABORT, 'audit events cannot be changed');
END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN
	SELECT RAISE(ABORT, 'audit events cannot be removed');
END;
