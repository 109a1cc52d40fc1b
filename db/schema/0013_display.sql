-- SPDX-License-Identifier: GPL-3.0-or-later
-- 0013: what shows the desktops of a pool.

-- 'image': what its image has, the agent's display link or, with Windows, Remote Desktop; 'rdp': an RDP server of the machine's own.
ALTER TABLE pools ADD COLUMN display TEXT NOT NULL DEFAULT 'image' CHECK (display IN ('image', 'rdp'));
