-- SPDX-License-Identifier: GPL-3.0-or-later
-- 0011: a second tier of spare desktops, held suspended; when datastores will be full.

-- Beyond the spare ones that run: so many that have been ready once and were suspended.
ALTER TABLE pools ADD COLUMN spare_suspended INTEGER NOT NULL DEFAULT 0 CHECK (spare_suspended BETWEEN 0 AND 10000);

ALTER TABLE desktops ADD COLUMN sleep TEXT NOT NULL DEFAULT 'awake' CHECK (sleep IN ('awake', 'suspended', 'resuming'));

-- SQLite cannot change a check: the table is made anew. A resume is timed too.
CREATE TABLE version_times_new (
	seq      INTEGER PRIMARY KEY,
	image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
	version  TEXT NOT NULL,
	kind     TEXT NOT NULL CHECK (kind IN ('create', 'refresh', 'logon', 'resume')),
	ms       INTEGER NOT NULL CHECK (ms >= 0)
) STRICT;
INSERT INTO version_times_new SELECT * FROM version_times;
DROP TABLE version_times;
ALTER TABLE version_times_new RENAME TO version_times;
CREATE INDEX version_times_of ON version_times (image_id, version, kind, seq);

-- How much of a datastore was in use, a few times a day for a week: when it will be full follows from that.
CREATE TABLE datastore_samples (
	datastore_id TEXT NOT NULL REFERENCES datastores (id) ON DELETE CASCADE,
	at           INTEGER NOT NULL,          -- wall ms
	used         INTEGER NOT NULL,          -- bytes
	PRIMARY KEY (datastore_id, at)
) STRICT, WITHOUT ROWID;

-- It was told that it will be full soon.
ALTER TABLE datastores ADD COLUMN filling INTEGER NOT NULL DEFAULT 0 CHECK (filling IN (0, 1));

-- The events of one desktop are found without its kind, and those of one administrator too.
DROP INDEX events_object;
CREATE INDEX events_of ON events (object_id, seq);
CREATE INDEX events_by ON events (actor_id, seq);
