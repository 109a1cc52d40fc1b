-- SPDX-License-Identifier: GPL-3.0-or-later
-- 0005: what a provider may carry beyond making machines.

-- A desktop that an administrator has stopped: nobody restarts it.
ALTER TABLE desktops ADD COLUMN parked INTEGER NOT NULL DEFAULT 0 CHECK (parked IN (0, 1));

-- How many snapshots of his own a user of the pool may keep of his desktop; 0: none.
ALTER TABLE pools ADD COLUMN user_snapshots INTEGER NOT NULL DEFAULT 0 CHECK (user_snapshots BETWEEN 0 AND 32);

-- Of a new desktop's disk; 0: as large as the image's.
ALTER TABLE pools ADD COLUMN disk_mb INTEGER NOT NULL DEFAULT 0 CHECK (disk_mb BETWEEN 0 AND 67108864);

-- SQLite cannot change a check: the table is made anew.
CREATE TABLE tasks_new (
	id         TEXT PRIMARY KEY,
	kind       TEXT NOT NULL CHECK (kind IN ('create', 'destroy', 'restart', 'refresh', 'start', 'stop', 'suspend', 'snapshot', 'revert',
		'drop', 'resize', 'migrate')),
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
INSERT INTO tasks_new SELECT *, '' FROM tasks;
DROP TABLE tasks;
ALTER TABLE tasks_new RENAME TO tasks;
CREATE UNIQUE INDEX tasks_one ON tasks (desktop_id) WHERE state IN ('pending', 'sent');
CREATE INDEX tasks_desktop ON tasks (desktop_id);

-- Snapshots that the provider has: of the disk that the desktop has now, gone with it.
CREATE TABLE snapshots (
	desktop_id TEXT NOT NULL REFERENCES desktops (id) ON DELETE CASCADE,
	name       TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
	by_name    TEXT NOT NULL DEFAULT '',      -- who asked for it
	created    INTEGER NOT NULL,
	PRIMARY KEY (desktop_id, name)
) STRICT, WITHOUT ROWID;
