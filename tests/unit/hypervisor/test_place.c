/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Places of disks: read, written back, and as options of QEMU; what would mean anything else is refused. */
#include "broker/hypervisor/disk/place.h"

#include <criterion/criterion.h>
#include <string.h>

Test(place, each_kind_is_read_and_written_back)
{
	static const struct {
		const char *text, *url, *options;
		enum place_kind kind;
	} cases[] = {
		{ "/srv/a,b.qcow2", "/srv/a,b.qcow2", "file.driver=file,file.filename=/srv/a,,b.qcow2", PLACE_FILE },
		{ "iscsi://10.0.0.1/iqn.2026-11.org.example:gold/3", "iscsi://10.0.0.1:3260/iqn.2026-11.org.example:gold/3",
			"file.driver=iscsi,file.transport=tcp,file.portal=10.0.0.1:3260,file.target=iqn.2026-11.org.example:gold,file.lun=3", PLACE_ISCSI },
		{ "iscsi://[fd00::1]:860/iqn.a/0", "iscsi://[fd00::1]:860/iqn.a/0",
			"file.driver=iscsi,file.transport=tcp,file.portal=[fd00::1]:860,file.target=iqn.a,file.lun=0", PLACE_ISCSI },
		{ "nfs://nas.example/vdi/gold.qcow2", "nfs://nas.example/vdi/gold.qcow2",
			"file.driver=nfs,file.server.type=inet,file.server.host=nas.example,file.path=/vdi/gold.qcow2", PLACE_NFS },
		{ "rbd:vdi/puesto-x", "rbd:vdi/puesto-x", "file.driver=rbd,file.pool=vdi,file.image=puesto-x", PLACE_RBD },
		{ "rbd:vdi/gold@puesto:id=desk", "rbd:vdi/gold@puesto:id=desk", "file.driver=rbd,file.pool=vdi,file.image=gold,file.snapshot=puesto,file.user=desk", PLACE_RBD },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		char url[PLACE_URL_SIZE], options[PLACE_OPTIONS_SIZE];
		struct disk_place p;

		cr_assert_eq(place_parse(cases[i].text, &p, &err), 0, "%s", err.text);
		cr_assert_eq(p.kind, cases[i].kind);
		cr_assert_eq(place_is_remote(cases[i].text), p.kind >= PLACE_ISCSI);
		cr_assert_eq(place_url(&p, url, &err), 0);
		cr_assert_str_eq(url, cases[i].url);
		cr_assert_eq(place_options(&p, "file.", options, &err), 0);
		cr_assert_str_eq(options, cases[i].options);
	}
}

Test(place, a_device_and_an_initiator_have_their_options)
{
	struct disk_place device = { .kind = PLACE_BLOCK, .path = "/dev/vg/x" };
	struct disk_place lun = { .kind = PLACE_ISCSI, .host = "h", .port = 1, .target = "t", .lun = 2, .initiator = "iqn.me" };
	struct pst_err err = PST_ERR_INIT;
	char options[PLACE_OPTIONS_SIZE];

	cr_assert_eq(place_options(&device, "", options, &err), 0);
	cr_assert_str_eq(options, "driver=host_device,filename=/dev/vg/x");
	cr_assert_eq(place_options(&lun, "", options, &err), 0);
	cr_assert_str_eq(options, "driver=iscsi,transport=tcp,portal=h:1,target=t,lun=2,initiator-name=iqn.me");
}

Test(place, anything_else_is_refused)
{
	static const char *const cases[] = { "", "disk.qcow2", "/a/../b", "json:{}", "nbd:unix:/x", "rbd:", "rbd:x", "rbd:/x", "rbd:p/", "rbd:p/i/x", "rbd:p/i@", "rbd:p/i@s@t", "rbd:p/i:", "rbd:p/i:id=",
		"rbd:p/i:key=AQ==", "rbd:p/i:id=u:mon_host=h", "rbd:p/i\\:x", "rbd:p/i,user=x", "iscsi://", "iscsi://h", "iscsi://h/t",
		"iscsi://h/t/", "iscsi://h/t/x", "iscsi://h/t/99999", "iscsi://h:0/t/1", "iscsi://h:70000/t/1", "iscsi://u%p@h/t/1", "iscsi://h/t,lun=2/1",
		"iscsi://h/t/1?x", "iscsi://[::1/t/1", "iscsi://[::1]x/t/1", "nfs://h", "nfs://h/", "nfs:///a", "nfs://h/a?uid=0", "nfs://h/a/../b", "nfs://h/a/..",
		"nfs://h/a//b", "nfs://h/a b", "nfs://h/<a>", "nfs://h/a,b", "nfs://h:2049/a" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct disk_place p;

		cr_assert_eq(place_parse(cases[i], &p, &err), PST_EINVAL, "%s", cases[i]);
		cr_assert(err.text[0], "%s", cases[i]);
	}
	cr_assert(place_is_remote("json:{}") && place_is_remote("nbd:x") && !place_is_remote("/a:b") && !place_is_remote("./a:b"));
}
