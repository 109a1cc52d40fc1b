-- SPDX-License-Identifier: GPL-3.0-or-later
-- 0009: back-ups of desktops' disks, and what a pool wishes of them.

-- One back-up, and the last job about it. The manifests on the datastore are what a restore goes by; this is what people
-- see, and what is at work. No references: a back-up outlives its desktop, pool and user.
CREATE TABLE backups (
	id          TEXT PRIMARY KEY,              -- also the provisioner's task that makes it
	file        TEXT NOT NULL DEFAULT '',      -- its name on the datastore
	parent      TEXT NOT NULL DEFAULT '',      -- that of the one before it; '' is a full one
	desktop_id  TEXT NOT NULL,
	desktop     TEXT NOT NULL,
	pool_id     TEXT NOT NULL DEFAULT '',
	pool        TEXT NOT NULL DEFAULT '',
	user_id     TEXT NOT NULL DEFAULT '',
	user        TEXT NOT NULL DEFAULT '',
	provider_id TEXT NOT NULL,
	provider    TEXT NOT NULL,
	image_id    TEXT NOT NULL,
	image       TEXT NOT NULL,
	version     TEXT NOT NULL,
	epoch       INTEGER NOT NULL DEFAULT 0,    -- of the desktop then
	datastore   TEXT NOT NULL DEFAULT '',
	kind        TEXT NOT NULL DEFAULT '' CHECK (kind IN ('', 'full', 'incremental')),
	reason      TEXT NOT NULL DEFAULT '',      -- why it is of that kind
	state       TEXT NOT NULL DEFAULT 'making' CHECK (state IN ('making', 'ready', 'failed')),
	by_hand     INTEGER NOT NULL DEFAULT 0 CHECK (by_hand IN (0, 1)),
	bytes       INTEGER NOT NULL DEFAULT 0,
	disk_size   INTEGER NOT NULL DEFAULT 0,
	made        INTEGER,
	job_id      TEXT NOT NULL UNIQUE,
	job_kind    TEXT NOT NULL DEFAULT 'backup' CHECK (job_kind IN ('backup', 'restore', 'rebuild', 'remove')),
	job_state   TEXT NOT NULL DEFAULT 'running' CHECK (job_state IN ('running', 'done', 'failed')),
	job_by      TEXT NOT NULL DEFAULT '',      -- who asked; '' is the broker itself
	error_code  TEXT NOT NULL DEFAULT '',
	error       TEXT NOT NULL DEFAULT '',
	created     INTEGER NOT NULL,
	updated     INTEGER NOT NULL
) STRICT;
CREATE INDEX backups_desktop ON backups (desktop_id, created);
CREATE INDEX backups_running ON backups (job_state) WHERE job_state = 'running';

-- Hours between two back-ups, 0: none are made by themselves; days between two full ones; days that a chain is kept after
-- its last one; how many a chain has at most.
ALTER TABLE pools ADD COLUMN backup_every_h INTEGER NOT NULL DEFAULT 0 CHECK (backup_every_h BETWEEN 0 AND 720);
ALTER TABLE pools ADD COLUMN backup_full_every_d INTEGER NOT NULL DEFAULT 7 CHECK (backup_full_every_d BETWEEN 1 AND 365);
ALTER TABLE pools ADD COLUMN backup_keep_d INTEGER NOT NULL DEFAULT 30 CHECK (backup_keep_d BETWEEN 1 AND 3650);
ALTER TABLE pools ADD COLUMN backup_chain INTEGER NOT NULL DEFAULT 14 CHECK (backup_chain BETWEEN 1 AND 100);
