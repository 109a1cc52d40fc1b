/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Instant clones. A parent is booted once to its painted desktop, where it waits for a seed (puesto-seed(8)),
 *and saved; a child is a new QEMU with the same devices, its own overlay of the parent's disk, and the
 *parent's memory, mapped copy-on-write:
 *
 *	parent   -object memory-backend-file,id=ram,size=…,mem-path=RAM,share=on     -M …,memory-backend=ram
 *	child    -object memory-backend-file,id=ram,size=…,mem-path=RAM,share=off    the same, and -incoming
 *defer
 *
 * So the saved state holds devices only, and children share in the host's memory what they do not change.
 *RAM, the state and the parent's disk are golden from then on: nobody writes them, the parent's QEMU has
 *ended. No network card is in the parent: each child is given its own, with its own address, by hot plug. All
 *calls block until a deadline of the monotonic clock.
 */
#pragma once

#include "broker/hypervisor/qemu/qmp.h"

/* The parent says that it is painted and waits for its seed; path is the socket of its port org.puesto.seed.
 */
int instant_await_parent(const char *path, uint64_t deadline_ms, struct pst_err *err);

/* Stops the parent and writes its devices to state (an empty file, borrowed). Its QEMU must be ended
 * afterwards. */
int instant_save(struct qmp *q, int state, uint64_t deadline_ms, struct pst_err *err);

struct instant_card {
	const char *bus;      /* a free PCIe root port's id */
	const char *mac;      /* "52:54:00:…" */
	const json_t *netdev; /* netdev_add's arguments but id; borrowed */
};

/* Loads state (borrowed, read from its beginning) into a child that waits with -incoming defer, gives it a
 * card (NULL: none) and lets it run. */
int instant_resume(
	struct qmp *q, int state, const struct instant_card *card, uint64_t deadline_ms, struct pst_err *err);

/* Tells a resumed child who it is: seed as in puesto-seed(8). PST_EINVAL with the machine's words when it
 * refuses. */
int instant_seed(const char *path, const json_t *seed, uint64_t deadline_ms, struct pst_err *err);

/* The same of one machine, memory included, for a suspend: writes all of it to memory (an empty file, borrowed),
 * and loads it into the next QEMU, which waits with -incoming defer and has its card; there it is paused. */
int instant_suspend(struct qmp *q, int memory, uint64_t deadline_ms, struct pst_err *err);
int instant_load(struct qmp *q, int memory, uint64_t deadline_ms, struct pst_err *err);

/* What an interrupted suspend has left is given up, and the machine runs. */
int instant_settle(struct qmp *q, uint64_t deadline_ms, struct pst_err *err);

/* From here on a child's saved states have its memory in them: before a snapshot of it. */
int instant_whole(struct qmp *q, uint64_t deadline_ms, struct pst_err *err);
