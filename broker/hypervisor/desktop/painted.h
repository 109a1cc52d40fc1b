/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Waits for what is slow at the start of a session; run as programs of their own. */
#pragma once

/*
 * Waits until panel and file manager have their windows (20 s at most: an image may have neither), nothing has been drawn for
 * 700 ms and the processors are idle (60 s at most), then makes the empty file at path. Returns an exit status.
 */
int painted_wait(const char *path);

/* Waits for ever until there is a file at path; its folder must be there. Returns an exit status. */
int file_wait(const char *path);
