-- SPDX-License-Identifier: GPL-3.0-or-later
-- 0002: providers and images can be deleted although they once had desktops: a
-- tombstone forgets them. Wrong passwords are counted across restarts.

-- SQLite cannot change a column: the table is made anew. Foreign keys are off
-- while migrations run, and all of them are checked before the commit.
CREATE TABLE desktops_new (
	id            TEXT PRIMARY KEY,
	name          TEXT NOT NULL,
	pool_id       TEXT REFERENCES pools (id) ON DELETE SET NULL,
	provider_id   TEXT REFERENCES providers (id) ON DELETE SET NULL,
	image_id      TEXT REFERENCES images (id) ON DELETE SET NULL,
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
	CHECK (lifecycle <> 'deleted' OR (lease = 'free' AND deleted IS NOT NULL)),
	-- Only a tombstone may lose them.
	CHECK (lifecycle = 'deleted' OR (provider_id IS NOT NULL AND image_id IS NOT NULL))
) STRICT;
INSERT INTO desktops_new SELECT * FROM desktops;
DROP TABLE desktops;
ALTER TABLE desktops_new RENAME TO desktops;
CREATE INDEX desktops_pool ON desktops (pool_id) WHERE lifecycle <> 'deleted';
CREATE INDEX desktops_uid ON desktops (uid) WHERE lifecycle <> 'deleted';
CREATE UNIQUE INDEX desktops_name ON desktops (name) WHERE lifecycle <> 'deleted';
CREATE INDEX desktops_provider ON desktops (provider_id);
CREATE INDEX desktops_image ON desktops (image_id);

-- One row for each name that was tried with a wrong password, whether there is
-- such a user or not: nothing here tells them apart.
CREATE TABLE login_penalties (
	name_hash BLOB PRIMARY KEY CHECK (length(name_hash) = 32),
	failures  INTEGER NOT NULL CHECK (failures > 0),
	last      INTEGER NOT NULL,   -- the last failure
	until     INTEGER NOT NULL    -- no log-in before; a far year: until an administrator lifts it
) STRICT, WITHOUT ROWID;
CREATE INDEX login_penalties_last ON login_penalties (failures, last);
