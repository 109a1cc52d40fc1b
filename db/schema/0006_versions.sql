-- SPDX-License-Identifier: GPL-3.0-or-later
-- 0006: versions of images are published step by step.

-- Wall milliseconds; 0: no desktop of it has been seen to work yet. What is in use works.
ALTER TABLE image_versions ADD COLUMN verified INTEGER NOT NULL DEFAULT 0;
UPDATE image_versions SET verified = updated WHERE version = (SELECT published FROM images WHERE images.id = image_id)
	OR version IN (SELECT image_version FROM desktops WHERE desktops.image_id = image_versions.image_id AND lifecycle = 'live');

-- Made to see a version work: nobody gets it, no pool counts it.
ALTER TABLE desktops ADD COLUMN probe INTEGER NOT NULL DEFAULT 0 CHECK (probe IN (0, 1));

-- One row for each time that a version was published; the newest of an image is the one that counts.
CREATE TABLE rollouts (
	id            TEXT PRIMARY KEY,
	image_id      TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
	version       TEXT NOT NULL,
	previous      TEXT NOT NULL DEFAULT '',   -- what was published before; '': nothing
	phase         TEXT NOT NULL CHECK (phase IN ('verify', 'canary', 'rolling', 'done', 'failed', 'reverted')),
	paused        INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
	canary        INTEGER NOT NULL DEFAULT 0 CHECK (canary BETWEEN 0 AND 100),     -- percent of a pool
	canary_s      INTEGER NOT NULL DEFAULT 0 CHECK (canary_s >= 0),                -- 0: until an administrator goes on
	unavailable   INTEGER NOT NULL DEFAULT 1 CHECK (unavailable >= 1),             -- desktops of a pool at a time
	max_failures  INTEGER NOT NULL DEFAULT 3 CHECK (max_failures >= 1),
	samples       INTEGER NOT NULL DEFAULT 10 CHECK (samples >= 1),
	slower        INTEGER NOT NULL DEFAULT 200 CHECK (slower >= 0),                -- percent of the old median; 0: never
	kept          INTEGER NOT NULL DEFAULT 0 CHECK (kept IN (0, 1)),
	force_at      INTEGER NOT NULL DEFAULT 0,                                      -- wall ms; 0: nobody is logged off
	tries         INTEGER NOT NULL DEFAULT 0,
	failures      INTEGER NOT NULL DEFAULT 0,
	logons        INTEGER NOT NULL DEFAULT 0,
	logons_failed INTEGER NOT NULL DEFAULT 0,
	reason_code   TEXT NOT NULL DEFAULT '',
	reason_en     TEXT NOT NULL DEFAULT '',
	reason_es     TEXT NOT NULL DEFAULT '',
	by_name       TEXT NOT NULL DEFAULT '',
	created       INTEGER NOT NULL,
	since         INTEGER NOT NULL,           -- of the phase
	updated       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX rollouts_one ON rollouts (image_id) WHERE phase IN ('verify', 'canary', 'rolling');
CREATE INDEX rollouts_image ON rollouts (image_id, created);

-- How long desktops of a version took to be ready, and log-ons to show a picture: the last of each.
CREATE TABLE version_times (
	seq      INTEGER PRIMARY KEY,
	image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
	version  TEXT NOT NULL,
	kind     TEXT NOT NULL CHECK (kind IN ('create', 'refresh', 'logon')),
	ms       INTEGER NOT NULL CHECK (ms >= 0)
) STRICT;
CREATE INDEX version_times_of ON version_times (image_id, version, kind, seq);
