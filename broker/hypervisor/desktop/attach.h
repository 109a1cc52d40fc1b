/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A user's own files in a desktop of this machine that runs: its home, from the log-on to the log-off. As root, outside. */
#pragma once

/*
 * The words are DIR FOLDER UID MB. What FOLDER has becomes the home of the desktop whose process 1 is named by DIR/pid, and its
 * session begins anew on it: FOLDER/disk.raw of that many megabytes at least (loop.h), or, with 0 and where there is one already,
 * FOLDER/files. Either is made from the image's skeleton the first time. Repeated, it is done. Returns an exit status, after a word
 * on stderr.
 */
int attach_main(char **words);

/* DIR FOLDER. The session ends and rests, the home is the desktop's own again, and everything is on the disk. */
int detach_main(char **words);

/* FOLDER: can there be disks with a size? */
int attach_check_main(char **words);
