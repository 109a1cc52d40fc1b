/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Specifications of machines, as arguments of calls (VirtualMachineCloneSpec, VirtualMachineConfigSpec, …). Pure. */
#pragma once

#include "broker/hypervisor/vsphere/vim.h"

struct spec_clone {
	const struct vim_ref *folder, *pool;
	const struct vim_ref *datastore, *host, *snapshot; /* NULL: none */
	const char *name, *record;
};

/* CloneVM_Task: linked with a snapshot, else a full copy. */
void spec_clone_put(struct pst_buf *b, const struct spec_clone *c);

/* What a card is connected with: a network, or a port group of a distributed switch. */
struct spec_network {
	struct vim_ref network;
	char name[80];
	char portgroup[80], switch_uuid[80]; /* "" for a plain network */
};

/* 0, "" and NULL leave a thing as it is. */
struct spec_config {
	uint32_t cpus, memory_mb;
	const struct soap_node *disk; /* a VirtualDisk as it is, to become this large */
	uint64_t disk_kb;
	const struct soap_node *card; /* a VirtualEthernetCard as it is, to be connected with this */
	const struct spec_network *network;
	const char *record;
	const char *seed; /* base64 */
};

/* ReconfigVM_Task. */
void spec_config_put(struct pst_buf *b, const struct spec_config *c);

/* The first of them in a machine's devices, or NULL. */
const struct soap_node *spec_disk_find(const struct soap_node *devices);
const struct soap_node *spec_card_find(const struct soap_node *devices);

/* The value of a key in extraConfig, or NULL; of one that is there twice the last. */
const char *spec_extra_find(const struct soap_node *extra, const char *key);
