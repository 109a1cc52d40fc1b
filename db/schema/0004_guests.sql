-- SPDX-License-Identifier: GPL-3.0-or-later
-- 0004: guests, further viewers of a session that goes on.

-- Whether administrators may watch the pool's sessions: never, or where the person there is told.
ALTER TABLE pools ADD COLUMN watching TEXT NOT NULL DEFAULT 'off' CHECK (watching IN ('off', 'announced'));

-- As tickets: a hash, one use, a deadline on the monotonic clock of the boot that wrote it.
CREATE TABLE guest_tickets (
	hash         BLOB PRIMARY KEY CHECK (length(hash) = 32),
	session_id   TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
	user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	name         TEXT NOT NULL,
	can_input    INTEGER NOT NULL CHECK (can_input IN (0, 1)),
	boot         TEXT NOT NULL,
	expires_mono INTEGER NOT NULL,
	created      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX guest_tickets_expires ON guest_tickets (expires_mono);
