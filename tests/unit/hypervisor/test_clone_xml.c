/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Documents of instant clones. */
#include "broker/hypervisor/libvirt/clone_xml.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define PARENT "11111111-1111-4111-8111-111111111111"
#define DESKTOP "22222222-2222-4222-8222-222222222222"
#define HEAD "<domain type='qemu'>\n  <name>puesto-" PARENT "</name>\n  <uuid>" PARENT "</uuid>\n"
#define BELOW "<backingStore type='file'><format type='qcow2'/><source file='/g/disk.qcow2'/><backingStore/></backingStore>"
#define DISK "<disk><source file='/d/it&apos;s/.k/disk.qcow2'/>" BELOW "<target dev='vda' bus='virtio'/></disk>"

static const struct lv_child child = { .parent = PARENT, .desktop = DESKTOP, .hostname = "d<17>", .metadata = "<puesto:desktop/>",
	.was = "/d/it's/.k/disk.qcow2", .base = "/d/it's/k/disk.qcow2", .disk = "/d/it's/" DESKTOP "/disk.qcow2" };

Test(clone_xml, has_other_names_and_one_layer_more)
{
	struct pst_err err = PST_ERR_INIT;
	char *xml = lv_child_xml(HEAD "<memory>1</memory>" DISK "</domain>", &child, &err);

	cr_assert_not_null(xml, "%s", err.text);
	cr_expect_str_eq(xml, "<domain type='qemu'>\n  <name>puesto-" DESKTOP "</name>\n  <uuid>" DESKTOP "</uuid>"
		"<title>d&lt;17&gt;</title><metadata><puesto:desktop/></metadata>\n<memory>1</memory>"
		"<disk><source file='/d/it&apos;s/" DESKTOP "/disk.qcow2'/><backingStore type='file'><format type='qcow2'/>"
		"<source file='/d/it&apos;s/k/disk.qcow2'><seclabel model='dac' relabel='no'/></source>" BELOW
		"</backingStore><target dev='vda' bus='virtio'/></disk></domain>");
	free(xml);
}

Test(clone_xml, refuses_what_is_not_as_it_was_written)
{
	static const char *const documents[] = {
		"",
		"<domain/>",
		"<name>puesto-" PARENT "</name><uuid>other</uuid>" DISK,
		HEAD,
		HEAD "<disk><source file='/elsewhere'/><target dev='vda'/></disk>",
		HEAD "<disk><source file='/d/it&apos;s/.k/disk.qcow2'><seclabel relabel='no'/></source><target dev='vda'/></disk>",
		HEAD DISK DISK,               /* two disks that are the parent's: one would be opened for writing */
		HEAD DISK "<x>" PARENT "</x>", /* named once more */
	};

	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		char *xml = lv_child_xml(documents[i], &child, &err);

		cr_expect_null(xml, "case %zu: %s", i, xml);
		cr_expect_eq(err.code, PST_EINVAL, "case %zu", i);
		free(xml);
	}
}
