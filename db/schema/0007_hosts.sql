-- SPDX-License-Identifier: GPL-3.0-or-later
-- 0007: hosts of a provider, and networks by name.

-- Where a desktop is, as its provider said last, and why it was put there.
ALTER TABLE desktops ADD COLUMN host TEXT NOT NULL DEFAULT '';
ALTER TABLE desktops ADD COLUMN placed_en TEXT NOT NULL DEFAULT '';
ALTER TABLE desktops ADD COLUMN placed_es TEXT NOT NULL DEFAULT '';

-- Hosts themselves are the provisioner's to name; a row is one that an administrator has taken out of service.
CREATE TABLE host_maintenances (
	provider_id TEXT NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
	host        TEXT NOT NULL CHECK (length(host) BETWEEN 1 AND 64),
	at_once     INTEGER NOT NULL DEFAULT 1 CHECK (at_once BETWEEN 1 AND 16),   -- desktops that are moved at the same time
	total       INTEGER NOT NULL DEFAULT 0 CHECK (total >= 0),                 -- desktops that were there
	by_name     TEXT NOT NULL DEFAULT '',
	created     INTEGER NOT NULL,
	PRIMARY KEY (provider_id, host)
) STRICT, WITHOUT ROWID;

-- A pool's network is 'host', 'none' or the name of one of its provider's. SQLite cannot change a check: the column is made anew.
ALTER TABLE pools ADD COLUMN network_name TEXT NOT NULL DEFAULT 'host'
	CHECK (length(network_name) BETWEEN 1 AND 63 AND network_name NOT GLOB '*[^a-zA-Z0-9._-]*');
UPDATE pools SET network_name = network;
ALTER TABLE pools DROP COLUMN network;
ALTER TABLE pools RENAME COLUMN network_name TO network;
