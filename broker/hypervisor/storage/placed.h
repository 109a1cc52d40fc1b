/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * On which datastore each desktop of a provider was put, on this machine's own disk: it is written before anything is made
 * there, so a datastore that is away holds up what may lie on it and nothing else. Any thread.
 *
 *	FOLDER/UUID      symbolic link: the datastore's name
 *	FOLDER/.NAME     symbolic link: the datastore's mark. What was made on it before has links, and so has all that comes
 */
#pragma once

#include "broker/hypervisor/storage/store.h"

/* Durable when it returns; in place of an earlier one. */
int placed_write(const char *folder, const char *desktop, const char *store, struct pst_err *err);
/* "" where nothing was written. */
int placed_read(const char *folder, const char *desktop, char ret_store[PLACEMENT_NAME_SIZE], struct pst_err *err);
/* Nothing of it is left anywhere; one that stays after a crash is forgotten the next time. */
void placed_forget(const char *folder, const char *desktop);

/* The datastore is here: writes down, once, which desktops have a folder in BELOW of it. data: see store_check. */
int placed_learn(const char *folder, const struct store_settings *s, const char *data, const char *below, struct pst_err *err);
/* May the datastore, which is away, have something of that desktop? store: as placed_read gave it. */
bool placed_may_be(const char *folder, const struct store_settings *s, const char *data, const char *store);
