-- SPDX-License-Identifier: GPL-3.0-or-later
-- 0008: datastores, what is made and removed on them, and how long removed desktops are kept.

-- What an administrator set of a datastore that the provisioner has told of, and what was said of it last: an
-- alarm is told once. Everything else is in the provisioner's reports.
CREATE TABLE datastores (
	id          TEXT PRIMARY KEY,
	name        TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 63),
	maintenance INTEGER NOT NULL DEFAULT 0 CHECK (maintenance IN (0, 1)),
	warning     INTEGER NOT NULL DEFAULT 0 CHECK (warning BETWEEN 0 AND 99),    -- percent; 0: as in provisioner.conf
	critical    INTEGER NOT NULL DEFAULT 0 CHECK (critical BETWEEN 0 AND 100),
	told        TEXT NOT NULL DEFAULT '' CHECK (told IN ('', 'calm', 'warning', 'critical', 'offline')),
	seen        INTEGER,
	rev         INTEGER NOT NULL DEFAULT 1,
	created     INTEGER NOT NULL,
	updated     INTEGER NOT NULL,
	CHECK ((warning = 0) = (critical = 0) AND (warning < critical OR warning = 0))
) STRICT;

-- Where a version's disk lies, for versions that were made on a datastore.
CREATE TABLE version_files (
	version_id TEXT PRIMARY KEY REFERENCES image_versions (id) ON DELETE CASCADE,
	datastore  TEXT NOT NULL,
	size       INTEGER NOT NULL,              -- virtual bytes
	file_size  INTEGER NOT NULL,
	sha256     TEXT NOT NULL
) STRICT;

-- Long work of the provisioner on a version, the last one of each. Committed before it is asked for, and asked for
-- again with the same id until it has ended.
CREATE TABLE image_jobs (
	id         TEXT PRIMARY KEY,
	version_id TEXT NOT NULL UNIQUE REFERENCES image_versions (id) ON DELETE CASCADE,
	kind       TEXT NOT NULL CHECK (kind IN ('import', 'capture', 'remove')),
	datastore  TEXT NOT NULL,
	source     TEXT NOT NULL DEFAULT '',      -- import: a file's name; capture: a desktop's id
	format     TEXT NOT NULL DEFAULT '',      -- import: '' is guessed
	base       TEXT NOT NULL DEFAULT '',      -- capture: the golden disk below it
	state      TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed')),
	error_code TEXT NOT NULL DEFAULT '',
	error      TEXT NOT NULL DEFAULT '',
	created    INTEGER NOT NULL,
	updated    INTEGER NOT NULL
) STRICT;

-- How many days the used disk of a removed desktop is kept; -1: 7 in dedicated pools, else 0. A tombstone is kept for 30.
ALTER TABLE pools ADD COLUMN recycle_days INTEGER NOT NULL DEFAULT -1 CHECK (recycle_days BETWEEN -1 AND 30);
