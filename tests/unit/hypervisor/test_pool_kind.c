/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kinds of pools, and where libvirt's documents say that volumes are. Covers: broker/hypervisor/libvirt/pool_lun.c (with test_san.py) */
#include "broker/hypervisor/libvirt/pool_kind.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char iscsi_pool[] = "<pool type='iscsi-direct'><name>luns</name><capacity unit='bytes'>1</capacity><source><host name='10.0.0.9' port='3261'/>"
	"<device path='iqn.2026-11.org.example:vdi'/><initiator><iqn name='iqn.2026-11.org.example:me'/></initiator></source></pool>";

static const char rbd_pool[] = "<pool type='rbd'><name>ceph</name><source><host name='10.0.0.7'/><name>vdi</name><auth type='ceph' username='desk'>"
	"<secret uuid='1b4e28ba-2fa1-41d2-883f-0016d3cca427'/></auth></source></pool>";

Test(pool_kind, what_a_kind_can_is_known)
{
	static const char *const kinds[] = { "dir", "fs", "netfs", "logical", "zfs", "rbd", "iscsi-direct" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		cr_assert_not_null(pool_kind_find(kinds[i]));
		cr_assert(strstr(pool_kinds(), kinds[i]));
	}
	cr_assert_null(pool_kind_find("mpath"));
	cr_assert_null(pool_kind_find(""));
	cr_assert(pool_kind_find("logical")->can & POOL_WHOLE, "a volume of a group takes all of its room");
	cr_assert(!(pool_kind_find("iscsi-direct")->can & POOL_CREATES));
}

Test(pool_kind, a_volume_is_where_libvirt_says)
{
	struct pst_err err = PST_ERR_INIT;
	struct disk_place p;

	cr_assert_eq(pool_place(pool_kind_find("logical"), "", "<volume type='block'><name>x</name><source><device path='/dev/sdz'/></source>"
		"<target><path>/dev/vg/x</path></target></volume>", "x", &p, &err), 0, "%s", err.text);
	cr_assert(p.kind == PLACE_BLOCK && strcmp(p.path, "/dev/vg/x") == 0);
	cr_assert_eq(pool_place(pool_kind_find("dir"), "", "<volume><target><path>/p/a&amp;b</path></target></volume>", "x", &p, &err), 0);
	cr_assert(p.kind == PLACE_FILE && strcmp(p.path, "/p/a&b") == 0);
	cr_assert_eq(pool_place(pool_kind_find("iscsi-direct"), iscsi_pool, "", "unit:0:0:7", &p, &err), 0, "%s", err.text);
	cr_assert(p.kind == PLACE_ISCSI && p.lun == 7 && p.port == 3261 && strcmp(p.host, "10.0.0.9") == 0 && strcmp(p.target, "iqn.2026-11.org.example:vdi") == 0 &&
		strcmp(p.initiator, "iqn.2026-11.org.example:me") == 0);
	cr_assert_eq(pool_place(pool_kind_find("rbd"), rbd_pool, "", "puesto-x", &p, &err), 0, "%s", err.text);
	cr_assert(p.kind == PLACE_RBD && strcmp(p.target, "vdi/puesto-x") == 0 && strcmp(p.initiator, "desk") == 0 && !p.snapshot[0] &&
		strcmp(p.secret, "1b4e28ba-2fa1-41d2-883f-0016d3cca427") == 0);
	cr_assert_eq(pool_place(pool_kind_find("rbd"), "<pool type='rbd'><name>ceph</name><source><name>vdi</name></source></pool>", "", "x", &p, &err), 0, "%s", err.text);
	cr_assert(strcmp(p.target, "vdi/x") == 0 && !p.initiator[0] && !p.secret[0], "without a key");
}

static const char *words_of(const char *kind, const char *device, uint64_t size)
{
	static char line[512];
	static struct pst_err err;
	struct pool_extend e;

	line[0] = '\0';
	if (pool_extend_words(pool_kind_find(kind), device, size, &e, &err) < 0)
		return err.code == PST_EUNSUPPORTED ? "refused" : err.text;
	for (size_t i = 0; e.argv[i]; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s", i ? " " : "", e.argv[i]);
	return line;
}

Test(pool_kind, a_program_makes_devices_larger)
{
	cr_assert_str_eq(words_of("logical", "/dev/vdi/puesto-x", 8 << 20), "/sbin/lvextend -q -L 8388608b /dev/vdi/puesto-x");
	cr_assert_str_eq(words_of("zfs", "/dev/zvol/tank/vdi/puesto-x", UINT64_C(5) << 30), "/sbin/zfs set volsize=5368709120 tank/vdi/puesto-x");
	cr_assert_str_eq(words_of("zfs", "/dev/vdi/puesto-x", 8 << 20), "refused");
	cr_assert_str_eq(words_of("logical", "vdi/puesto-x", 8 << 20), "refused");
	cr_assert_str_eq(words_of("dir", "/dev/vdi/puesto-x", 8 << 20), "refused");
	cr_assert_str_eq(words_of("rbd", "/dev/rbd/a", 8 << 20), "refused");
}

Test(pool_kind, what_nobody_should_follow_is_refused)
{
	struct pst_err err = PST_ERR_INIT;
	struct disk_place p;

	cr_assert_lt(pool_place(pool_kind_find("dir"), "", "<volume/>", "x", &p, &err), 0);
	cr_assert_lt(pool_place(pool_kind_find("dir"), "", "<volume><target><path>rbd:pool/x</path></target></volume>", "x", &p, &err), 0);
	cr_assert_lt(pool_place(pool_kind_find("dir"), "", "<volume><target><path>/a/../b</path></target></volume>", "x", &p, &err), 0);
	cr_assert_lt(pool_place(pool_kind_find("dir"), "", "<volume><target><path>nfs://h/x</path></target></volume>", "x", &p, &err), 0);
	cr_assert_lt(pool_place(pool_kind_find("iscsi-direct"), iscsi_pool, "", "x", &p, &err), 0);
	cr_assert_lt(pool_place(pool_kind_find("iscsi-direct"), iscsi_pool, "", "unit:0:0:x", &p, &err), 0);
	cr_assert_lt(pool_place(pool_kind_find("iscsi-direct"), "<pool/>", "", "unit:0:0:1", &p, &err), 0);
	cr_assert_lt(pool_place(pool_kind_find("rbd"), "<pool type='rbd'><name>ceph</name></pool>", "", "x", &p, &err), 0);
	cr_assert_lt(pool_place(pool_kind_find("rbd"), rbd_pool, "", "a:id=admin", &p, &err), 0);
	cr_assert_lt(pool_place(pool_kind_find("rbd"), "<pool><source><name>vdi</name><auth username='a'><secret usage='x'/></auth></source></pool>", "", "x", &p, &err), 0);
}
