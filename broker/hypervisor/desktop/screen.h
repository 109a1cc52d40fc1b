/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small helpers that talk X, run by process 1 as programs of their own. */
#pragma once

/*
 * Sets the first mode ("1280x800") by RandR, which on Xvfb may only be smaller than the
 * screen it was started with, and paints the background. Returns an exit status.
 */
int screen_setup(const char *mode);

/* Waits until a window manager has announced itself (_NET_SUPPORTING_WM_CHECK). */
int screen_wait_wm(void);

/*
 * Presses the key that the window manager's configuration binds to "menu" or "logoff", so
 * that panel and icons can ask for what only the window manager can show.
 */
int screen_press(const char *what);
