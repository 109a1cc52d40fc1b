/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The contract against a double of Proxmox VE that tests/integration/test_proxmox.py starts, and settings that are refused.
 * Covers: broker/hypervisor/proxmox/settings.c broker/hypervisor/proxmox/proxmox.c
 */
#include "tests/unit/hypervisor/rest_double.h"

#include <criterion/criterion.h>

Test(proxmox, double_keeps_the_contract, .timeout = 120)
{
	rest_double_contract("proxmox", "ref:desk");
}

Test(proxmox, settings_that_cannot_be_are_refused)
{
	static const struct {
		const char *more, *word;
	} cases[] = { { "clone = half\n", "clone" }, { "storage = a\n", "storage" }, { "storage = ../a\nclone = full\n", "storage" }, { "ids = 200\n", "ids" },
		{ "ids = 200-100\n", "ids" }, { "ids = 1-200\n", "ids" }, { "pin = ab:cd\n", "pin" }, { "addresses = 10.0.0.9-10.0.0.1\n", "addresses" },
		{ "seed_drive = a/b\n", "seed_drive" }, { "url = http://x\n", "https" }, { "pool = a b\n", "pool" }, { "networks = lab\nnetwork-lab = vmbr1\n", "network-lab" },
		{ "networks = lab\nnetwork-lab = vnet:lab vlan:4\n", "network-lab" }, { "networks = lab\nnetwork-lab = bridge:vmbr1 vlan:4095\n", "network-lab" }, { "token_file = /nowhere\n", "token_file" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		rest_double_refuses("proxmox", "url = https://127.0.0.1:1\n", cases[i].more, cases[i].word);
}
