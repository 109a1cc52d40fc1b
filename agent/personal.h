/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The user's own files come into the home and leave it. In a machine of its own root's helper does that
 * (puesto-desktop --personal), asked over its socket; elsewhere the provider has done so from outside, or does it
 * afterwards, and there is only to look.
 */
#pragma once

#include <uv.h>

#include "base/err.h"

#define PERSONAL_SOCKET "/run/puesto-personal.sock"
#define PERSONAL_MOUNT_MS 110000 /* a new file system is made, an old one mended */
#define PERSONAL_UNMOUNT_MS 25000

struct personal;

/* word: "mounted", "unmountable", "unmounted"; or "" where it could not be unmounted, with the reason. */
typedef void (*personal_done_cb)(void *arg, const char *word, const char *reason);

/* socket and home are copied. Returns owned; NULL on no memory. */
struct personal *personal_create(uv_loop_t *loop, const char *socket, const char *home, personal_done_cb done, void *arg);
/* done does not come any more. Accepts NULL. */
void personal_close(struct personal *p);

/* Each is answered by done, in a later turn of the loop or at once. A newer one replaces an older. */
void personal_mount(struct personal *p);
void personal_unmount(struct personal *p);
