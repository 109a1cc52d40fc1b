/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A user's own files in a local desktop that runs: its home, from the log-on to the log-off. As root, outside. */
#pragma once

/*
 * FOLDER/files (made from the image's skeleton the first time) becomes the home of the desktop in DIR, and its
 * session begins anew on it. Repeated, it is done. Returns an exit status, after a word on stderr.
 */
int attach_main(const char *dir, const char *folder);

/* The session ends and rests, the home is the desktop's own again, and everything is on the disk. */
int detach_main(const char *dir, const char *folder);
