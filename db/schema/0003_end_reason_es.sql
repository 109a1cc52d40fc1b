-- SPDX-License-Identifier: GPL-3.0-or-later
-- 0003: why a session ended, in Spanish too. Rows from before have the English only.
ALTER TABLE sessions ADD COLUMN end_reason_es TEXT NOT NULL DEFAULT '';
