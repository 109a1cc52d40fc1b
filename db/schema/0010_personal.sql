-- SPDX-License-Identifier: GPL-3.0-or-later
-- 0010: users' own disks, which outlive the refresh of a desktop.

-- Of each user of the pool; 0: none. On which datastore new ones are made; '': the provider chooses.
ALTER TABLE pools ADD COLUMN personal_mb INTEGER NOT NULL DEFAULT 0 CHECK (personal_mb BETWEEN 0 AND 67108864);
ALTER TABLE pools ADD COLUMN personal_store TEXT NOT NULL DEFAULT '' CHECK (length(personal_store) <= 63);

-- What the core knows of the disk at a desktop. One desktop of a pool holds a user's.
ALTER TABLE desktops ADD COLUMN personal_phase TEXT NOT NULL DEFAULT 'none'
	CHECK (personal_phase IN ('none', 'wanted', 'attached', 'mounted', 'leaving', 'left'));
ALTER TABLE desktops ADD COLUMN personal_held INTEGER NOT NULL DEFAULT 0 CHECK (personal_held IN (0, 1));
ALTER TABLE desktops ADD COLUMN personal_owner TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX desktops_one_personal ON desktops (personal_owner, pool_id) WHERE personal_held = 1 AND lifecycle <> 'deleted';

-- Every such disk that was ever asked for. Without references: it outlives its user and its pool until it is removed.
CREATE TABLE personal_disks (
	user_id     TEXT NOT NULL,
	pool_id     TEXT NOT NULL,
	provider_id TEXT NOT NULL,
	user_name   TEXT NOT NULL DEFAULT '',     -- as they were called last
	pool_name   TEXT NOT NULL DEFAULT '',
	size_mb     INTEGER NOT NULL DEFAULT 0 CHECK (size_mb >= 0),   -- an administrator's wish; the pool's, where that is larger
	clean       INTEGER NOT NULL DEFAULT 1 CHECK (clean IN (0, 1)), -- its file system was put away in order
	removing    INTEGER NOT NULL DEFAULT 0 CHECK (removing IN (0, 1)),
	keep_days   INTEGER NOT NULL DEFAULT 0 CHECK (keep_days BETWEEN 0 AND 400), -- in the recycle bin, once removed
	error       TEXT NOT NULL DEFAULT '',     -- why it is not removed yet
	created     INTEGER NOT NULL,
	used        INTEGER NOT NULL,
	PRIMARY KEY (user_id, pool_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX personal_disks_pool ON personal_disks (pool_id);

-- SQLite cannot change a check: the table is made anew.
CREATE TABLE tasks_new (
	id         TEXT PRIMARY KEY,
	kind       TEXT NOT NULL CHECK (kind IN ('create', 'destroy', 'restart', 'refresh', 'start', 'stop', 'suspend', 'snapshot', 'revert',
		'drop', 'resize', 'migrate', 'attach', 'detach')),
	desktop_id TEXT NOT NULL,                 -- no reference: an orphan to destroy has no row
	state      TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'done', 'failed')),
	attempts   INTEGER NOT NULL DEFAULT 0,
	error_code TEXT NOT NULL DEFAULT '',
	error      TEXT NOT NULL DEFAULT '',
	created    INTEGER NOT NULL,
	updated    INTEGER NOT NULL,
	finished   INTEGER,
	arg        TEXT NOT NULL DEFAULT '',      -- of an operation: a snapshot, a size, a host
	CHECK ((state IN ('done', 'failed')) = (finished IS NOT NULL))
) STRICT;
INSERT INTO tasks_new SELECT id, kind, desktop_id, state, attempts, error_code, error, created, updated, finished, arg FROM tasks;
DROP TABLE tasks;
ALTER TABLE tasks_new RENAME TO tasks;
CREATE UNIQUE INDEX tasks_one ON tasks (desktop_id) WHERE state IN ('pending', 'sent');
CREATE INDEX tasks_desktop ON tasks (desktop_id);
