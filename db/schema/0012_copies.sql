-- SPDX-License-Identifier: GPL-3.0-or-later
-- 0012: the files of a version may lie on further datastores.

-- Beside the one that version_files names.
CREATE TABLE version_copies (
	version_id TEXT NOT NULL REFERENCES image_versions (id) ON DELETE CASCADE,
	datastore  TEXT NOT NULL,
	created    INTEGER NOT NULL,
	PRIMARY KEY (version_id, datastore)
) STRICT;

-- "copy": source names the datastore that it is read from.
CREATE TABLE image_jobs_new (
	id         TEXT PRIMARY KEY,
	version_id TEXT NOT NULL UNIQUE REFERENCES image_versions (id) ON DELETE CASCADE,
	kind       TEXT NOT NULL CHECK (kind IN ('import', 'capture', 'remove', 'copy')),
	datastore  TEXT NOT NULL,
	source     TEXT NOT NULL DEFAULT '',
	format     TEXT NOT NULL DEFAULT '',
	base       TEXT NOT NULL DEFAULT '',
	state      TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed')),
	error_code TEXT NOT NULL DEFAULT '',
	error      TEXT NOT NULL DEFAULT '',
	created    INTEGER NOT NULL,
	updated    INTEGER NOT NULL
) STRICT;
INSERT INTO image_jobs_new SELECT id, version_id, kind, datastore, source, format, base, state, error_code, error, created, updated FROM image_jobs;
DROP TABLE image_jobs;
ALTER TABLE image_jobs_new RENAME TO image_jobs;
