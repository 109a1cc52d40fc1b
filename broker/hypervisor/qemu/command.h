/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * QEMU's command line. A machine has the same devices whether it boots, is a parent, a clone or wakes up: what is
 * saved by one can be loaded by the other. Nothing secret stands in it, every process of the host can read it. Pure.
 */
#pragma once

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMMAND_WORDS_MAX 96
#define COMMAND_MAC_SIZE 18
#define COMMAND_SLOT "plug0" /* the root port that the network card is in, or comes into */
#define COMMAND_PERSONAL_SLOT "plug1" /* and the one that its user's own disk comes into */

enum command_memory {
	COMMAND_OWN,    /* nobody else's */
	COMMAND_SHARED, /* the file that a parent leaves */
	COMMAND_COPIED, /* a parent's, copied page by page where it is written to */
};

struct command_params {
	const char *program, *machine; /* "pc-q35-7.2" */
	const char *uuid;
	bool is_kvm;
	uint32_t memory_mb, cpus;
	enum command_memory memory;
	const char *memory_path;              /* unless it is COMMAND_OWN */
	const char *disk;                     /* qcow2 */
	const char *kernel, *initrd, *append; /* NULL: the disk starts by itself */
	const char *firmware, *variables;     /* files of UEFI's code and of this machine's own variables, both raw; NULL: BIOS */
	bool is_secure;                       /* it is for Secure Boot: its code alone, in the machine's own mode of management, writes the variables */
	const char *seed;                     /* a file for fw_cfg, or of a CD where it is Windows; or NULL */
	const char *mac;                      /* with a card from the start; else NULL */
	const char *forward;                  /* the card's: "127.1.2.3:5910-:5910"; NULL with a TAP device */
	int cable_fd;                         /* the TAP device, by its number in QEMU */
	unsigned plugs;                       /* root ports: 2, or 1 of machines from before there were personal disks */
	int monitor_fd, port_fd;              /* listening sockets, by their numbers in QEMU */
	int tpm_fd;                           /* the connection to its TPM; 0: it has none */
	bool has_display; /* it knows D-Bus */
	bool is_paused, is_incoming;
	bool is_windows, is_emulated;         /* emulated: without virtio */
};

struct command {
	const char *argv[COMMAND_WORDS_MAX]; /* ends with NULL; words lie in text, or are p's */
	size_t n, used;
	char text[16 * 1024];
	bool is_full;
};

/* Fills c, about p's strings, which are borrowed. PST_EINVAL for a path that QEMU would read as something else, PST_ELIMIT. */
int command_build(struct command *c, const struct command_params *p, struct pst_err *err);
