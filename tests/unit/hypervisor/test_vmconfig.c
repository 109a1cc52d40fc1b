/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words of Proxmox VE, as its API and its tasks have them. */
#include "broker/hypervisor/proxmox/vmconfig.h"

#include "base/err.h"
#include "base/json.h"

#include <criterion/criterion.h>
#include <string.h>

Test(vmconfig, network_cards_have_a_mac)
{
	static const struct {
		const char *net, *mac, *set;
	} cases[] = {
		{ "virtio=BC:24:11:AA:00:01,bridge=vmbr0,firewall=1", "bc:24:11:aa:00:01", "virtio=02:50:0a:00:00:01,bridge=vmbr0,firewall=1" },
		{ "model=virtio,macaddr=BC:24:11:AA:00:01", "bc:24:11:aa:00:01", "model=virtio,macaddr=02:50:0a:00:00:01" },
		{ "virtio,bridge=vmbr0", NULL, NULL },
		{ "virtio=BC:24:11:AA:00:0,bridge=vmbr0", NULL, NULL },
		{ "virtio=BC-24-11-AA-00-01", NULL, NULL },
		{ ",,=,", NULL, NULL },
		{ "", NULL, NULL },
	};
	char mac[VMCONFIG_MAC_SIZE], value[VMCONFIG_VALUE_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(vmconfig_mac(cases[i].net, mac), cases[i].mac != NULL, "%zu", i);
		cr_assert_str_eq(mac, cases[i].mac ? cases[i].mac : "");
		cr_assert_eq(vmconfig_mac_set(cases[i].net, "02:50:0a:00:00:01", value), cases[i].set != NULL, "%zu", i);
		if (cases[i].set)
			cr_assert_str_eq(value, cases[i].set);
	}
}

Test(vmconfig, network_cards_change_their_bridge)
{
	static const struct {
		const char *net, *bridge, *set;
		uint32_t tag;
	} cases[] = {
		{ "virtio=BC:24:11:AA:00:01,bridge=vmbr0,firewall=1", "vmbr1", "virtio=BC:24:11:AA:00:01,firewall=1,bridge=vmbr1,tag=42", 42 },
		{ "virtio=BC:24:11:AA:00:01,tag=7,trunks=1;2,bridge=vmbr0", "lab", "virtio=BC:24:11:AA:00:01,bridge=lab", 0 },
		{ "virtio", "lab", "virtio,bridge=lab", 0 },
		{ "", "lab", "bridge=lab", 0 },
	};
	char value[VMCONFIG_VALUE_SIZE], longer[VMCONFIG_VALUE_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert(vmconfig_bridge_set(cases[i].net, cases[i].bridge, cases[i].tag, value));
		cr_assert_str_eq(value, cases[i].set);
	}
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	cr_assert_not(vmconfig_bridge_set(longer, "lab", 0, value));
}

Test(vmconfig, drives_have_sizes)
{
	static const struct {
		const char *drive;
		uint64_t mb;
	} cases[] = { { "lvm:vm-1-disk-0,size=2G", 2048 }, { "lvm:vm-1-disk-0,size=2252M,ssd=1", 2252 }, { "a:b,size=1T", 1 << 20 },
		{ "a:b,size=524288K", 512 }, { "a:b,size=1.5G", 1536 }, { "a:b,size=4194304", 4 }, { "a:b", 0 }, { "a:b,size=", 0 }, { "a:b,size=-1G", 0 },
		{ "a:b,size=2X", 0 }, { "a:b,size=99999999999999999T", 0 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(vmconfig_drive_mb(cases[i].drive), cases[i].mb, "%s", cases[i].drive);
}

Test(vmconfig, the_machines_own_disk_is_found)
{
	static const struct {
		const char *config, *disk;
	} cases[] = {
		{ "{\"boot\":\"order=ide2;net0;virtio1\",\"ide2\":\"none,media=cdrom\",\"net0\":\"virtio=x:y\",\"virtio1\":\"a:b\",\"scsi0\":\"a:c\"}", "virtio1" },
		{ "{\"boot\":\"c\",\"scsi0\":\"a:c\"}", "scsi0" },
		{ "{\"sata0\":\"a:c\"}", "sata0" },
		{ "{\"boot\":\"order=this-is-no-drive;;scsi0\",\"scsi0\":\"a:c\"}", "scsi0" },
		{ "{\"boot\":7,\"scsi0\":[]}", NULL },
		{ "{}", NULL },
	};
	char disk[VMCONFIG_DRIVE_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *o = pst_json_parse(cases[i].config, strlen(cases[i].config), 4, NULL);

		cr_assert_eq(vmconfig_disk(o, disk), cases[i].disk != NULL, "%zu", i);
		if (cases[i].disk)
			cr_assert_str_eq(disk, cases[i].disk);
		json_decref(o);
	}
}

Test(vmconfig, tags_of_others_stay)
{
	char tags[VMCONFIG_VALUE_SIZE], rest[VMCONFIG_REV_SIZE], long_tags[2 * VMCONFIG_VALUE_SIZE];

	cr_assert(vmconfig_tags("golden;puesto;puesto-i-old;puesto-r-1234, team-a", "mark", "ff00", tags));
	cr_assert_str_eq(tags, "puesto;puesto-i-mark;puesto-r-ff00;golden;team-a");
	cr_assert(vmconfig_has_tag(tags, "team-a"));
	cr_assert(!vmconfig_has_tag(tags, "team"));
	cr_assert(vmconfig_tag_rest(tags, VMCONFIG_TAG_REV, rest, sizeof(rest)));
	cr_assert_str_eq(rest, "ff00");
	cr_assert(!vmconfig_tag_rest("puesto-r-12345678901234567", VMCONFIG_TAG_REV, rest, sizeof(rest)), "too long for one of ours");
	memset(long_tags, 'a', sizeof(long_tags) - 1);
	long_tags[sizeof(long_tags) - 1] = '\0';
	cr_assert(!vmconfig_tags(long_tags, "mark", "ff00", tags));
}

Test(vmconfig, snapshots_have_names_there)
{
	char a[VMCONFIG_SNAPSHOT_SIZE], b[VMCONFIG_SNAPSHOT_SIZE];

	vmconfig_snapshot("a", a);
	cr_assert_str_eq(a, "p-a");
	vmconfig_snapshot("1.2", a);
	vmconfig_snapshot("1-2", b);
	cr_assert_eq(strlen(a), 34);
	cr_assert_eq(a[0], 'q');
	cr_assert_str_eq(b, "p-1-2");
	vmconfig_snapshot("a-name-of-forty-letters-is-too-long-there", a);
	cr_assert_eq(a[0], 'q');
}

Test(vmconfig, tasks_name_their_node)
{
	char node[VMCONFIG_NAME_SIZE];

	cr_assert(vmconfig_upid_node("UPID:pve-1:0000AA:0000BB:00CC:qmclone:9000:root@pam:", node));
	cr_assert_str_eq(node, "pve-1");
	cr_assert(!vmconfig_upid_node("UPID:../..:0000AA:", node));
	cr_assert(!vmconfig_upid_node("UPID::x", node));
	cr_assert(!vmconfig_upid_node("UPID:pve", node));
	cr_assert(!vmconfig_upid_node("null", node));
}

Test(vmconfig, sentences_become_codes)
{
	static const struct {
		const char *words;
		int code;
	} cases[] = { { "Configuration file 'nodes/pve/qemu-server/105.conf' does not exist", PST_ENOTFOUND },
		{ "unable to create VM 105: config file already exists", PST_ECONFLICT }, { "VM is locked (clone)", PST_EBUSY },
		{ "can't lock file '/var/lock/qemu-server/lock-105.conf' - got timeout", PST_EBUSY }, { "storage 'x' does not exist", PST_EIO },
		{ "lvcreate: insufficient free space", PST_ENOSPC } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(vmconfig_code(cases[i].words, PST_EIO), cases[i].code, "%s", cases[i].words);
	cr_assert(vmconfig_name_valid("local-lvm"));
	cr_assert(!vmconfig_name_valid("../x"));
	cr_assert(!vmconfig_name_valid(""));
}
