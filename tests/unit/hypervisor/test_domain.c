/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Documents of domains, their forms, and the MAC addresses in them. Covers: broker/hypervisor/libvirt/mac.c broker/hypervisor/libvirt/form.c */
#include "broker/hypervisor/libvirt/domain.h"
#include "broker/hypervisor/libvirt/mac.h"

#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static bool has(const char *xml, const char *part)
{
	return strstr(xml, part) != NULL;
}

Test(domain, one_of_qemu_has_what_was_asked)
{
	struct pst_err err = PST_ERR_INIT;
	struct lv_record r = { .address = "10.0.0.9" };
	struct lv_net net = { .kind = LV_NET_BRIDGE, .where = "br<0>", .filter = "clean-traffic", .peers = true };
	struct lv_layer golden = { .path = "/g&", .format = "raw" };
	struct lv_domain d = { .form = lv_form_of("qemu"), .layers = &golden, .layers_n = 1, .machine = "pc-q35-7.2", .arch = "x86_64", .video = "virtio",
		.disk = "/disks/it's/disk.qcow2", .seed = "/disks/a&b/seed.json", .net = &net,
		.has_console = true, .record = &r };
	char *xml;

	contract_request(&r.request, "/images/demo/1");
	r.request.cpu_percent = 150;
	xml = lv_domain_xml(&d, &err);
	cr_assert_not_null(xml, "%s", err.text);
	cr_assert(has(xml, "<domain type='qemu'>") && has(xml, ">2</vcpu>") && has(xml, "<memory unit='MiB'>256</memory>"));
	cr_assert(has(xml, "file='/disks/it&apos;s/disk.qcow2'") && has(xml, "name='opt/org.puesto/seed' file='/disks/a&amp;b/seed.json'"));
	cr_assert(has(xml, "<source bridge='br&lt;0&gt;'/>") && has(xml, "<filterref filter='clean-traffic'><parameter name='IP' value='10.0.0.9'/>"));
	cr_assert(has(xml, "<tb-cache") && has(xml, "<boot dev='hd'/>") && has(xml, "<graphics type='vnc'><listen type='socket'/>"));
	cr_assert(!has(xml, r.request.enrol_token), "the token is not in the document");
	cr_assert(has(xml, "<backingStore type='file'><format type='raw'/><source file='/g&amp;'><seclabel model='dac' relabel='no'/></source>"
			   "<backingStore/></backingStore>"));
	cr_assert(!has(xml, "dbus"));
	free(xml);
	d.is_efi = d.has_display = true;
	d.variables = "/disks/a&b/variables";
	xml = lv_domain_xml(&d, &err);
	cr_assert(has(xml, "<nvram>/disks/a&amp;b/variables</nvram>"));
	cr_assert(has(xml, "<graphics type='vnc'>") && has(xml, "<graphics type='dbus' p2p='yes'/>"));
	cr_assert(has(xml, "<os firmware='efi'><type") && has(xml, "<feature enabled='no' name='secure-boot'/>"));
	free(xml);
	d.is_efi = false;
	xml = lv_domain_xml(&d, &err);
	cr_assert(!has(xml, "nvram"));
	free(xml);
	d.form = lv_form_of("test");
	d.disk = d.seed = NULL;
	xml = lv_domain_xml(&d, &err);
	cr_assert(!has(xml, "<disk") && !has(xml, "fwcfg") && !has(xml, "<graphics"));
	free(xml);
}

Test(domain, a_parent_is_nobodys_and_has_a_port)
{
	struct pst_err err = PST_ERR_INIT;
	struct lv_record r = { .address = "" };
	struct lv_domain d = { .form = lv_form_of("qemu"), .disk = "/parents/k/disk.qcow2", .is_parent = true, .record = &r };
	char *xml;

	contract_request(&r.request, "/images/demo/1");
	xml = lv_domain_xml(&d, &err);
	cr_assert_not_null(xml, "%s", err.text);
	cr_assert(has(xml, "<target type='virtio' name='org.puesto.seed'/>") && !has(xml, "<metadata>") && !has(xml, "<title>") && !has(xml, "<interface"));
	free(xml);
}

Test(domain, a_disk_may_be_a_device_or_on_the_network)
{
	struct pst_err err = PST_ERR_INIT;
	struct lv_record r = { .address = "" };
	struct disk_place device = { .kind = PLACE_BLOCK, .path = "/dev/vg/x" };
	struct disk_place lun = { .kind = PLACE_ISCSI, .host = "10.0.0.9", .port = 3260, .target = "iqn.a:b", .lun = 7, .initiator = "iqn.me" };
	struct disk_place image = { .kind = PLACE_RBD, .target = "vdi/puesto-x" };
	struct disk_place gold = { .kind = PLACE_RBD, .target = "vdi/gold", .snapshot = "puesto", .initiator = "desk", .secret = "1b4e28ba-2fa1-41d2-883f-0016d3cca427" };
	struct lv_layer layer = { .path = "iscsi://10.0.0.9:3260/iqn.a:b/7", .place = &lun, .format = "raw" };
	struct lv_domain d = { .form = lv_form_of("qemu"), .disk = "/not/this", .place = &device, .layers = &layer, .layers_n = 1, .record = &r };
	char *xml;

	contract_request(&r.request, "/images/demo/1");
	xml = lv_domain_xml(&d, &err);
	cr_assert(has(xml, "<disk type='block' device='disk'>") && has(xml, "<source dev='/dev/vg/x'></source>") && !has(xml, "/not/this"), "%s", xml);
	cr_assert(has(xml, "<backingStore type='network'><format type='raw'/><source protocol='iscsi' name='iqn.a:b/7'><host name='10.0.0.9' port='3260'/>"
		"<initiator><iqn name='iqn.me'/></initiator></source><backingStore/></backingStore>"), "%s", xml);
	free(xml);
	d.place = &lun;
	xml = lv_domain_xml(&d, &err);
	cr_assert(has(xml, "<disk type='network' device='disk'>") && has(xml, "<boot dev='hd'/>"), "%s", xml);
	free(xml);
	d.place = &image;
	layer.place = &gold;
	xml = lv_domain_xml(&d, &err);
	cr_assert(has(xml, "<disk type='network' device='disk'>") && has(xml, "<source protocol='rbd' name='vdi/puesto-x'></source>"), "%s", xml);
	cr_assert(has(xml, "<source protocol='rbd' name='vdi/gold'><snapshot name='puesto'/><auth username='desk'>"
		"<secret type='ceph' uuid='1b4e28ba-2fa1-41d2-883f-0016d3cca427'/></auth></source>"), "%s", xml);
	free(xml);
}

Test(domain, a_port_is_kept_for_the_users_disk)
{
	struct pst_err err = PST_ERR_INIT;
	struct lv_record r = { .address = "" };
	struct lv_domain d = { .form = lv_form_of("qemu"), .disk = "/d", .record = &r };
	char *xml;

	contract_request(&r.request, "/images/demo/1");
	xml = lv_domain_xml(&d, &err);
	cr_assert(!has(xml, "pcie-root"), "not every machine has PCI Express");
	free(xml);
	d.has_ports = true;
	xml = lv_domain_xml(&d, &err);
	cr_assert(has(xml, "<devices><controller type='pci' model='pcie-root'/><controller type='pci' model='pcie-root-port'/>"), "%s", xml);
	free(xml);
	xml = lv_personal_xml(d.form, "/p/ana's/disk.qcow2", "puesto-0123456789abc");
	cr_assert(has(xml, "type='qcow2'") && has(xml, "<source file='/p/ana&apos;s/disk.qcow2'/><backingStore/><target dev='vdb' bus='virtio'/>"
		"<serial>puesto-0123456789abc</serial><alias name='ua-personal'/></disk>"), "%s", xml);
	free(xml);
	cr_assert_null(lv_form_of("xen")->personal);
}

Test(domain, a_kernel_is_booted_directly_where_there_is_one)
{
	struct pst_err err = PST_ERR_INIT;
	struct lv_record r = { .address = "" };
	struct lv_domain d = { .form = lv_form_of("kvm"), .disk = "/d", .kernel = "/k", .initrd = "/i", .cmdline = "root=/dev/vda", .record = &r };
	char *xml;

	contract_request(&r.request, "/images/demo/1");
	xml = lv_domain_xml(&d, &err);
	cr_assert(has(xml, "<kernel>/k</kernel><initrd>/i</initrd><cmdline>root=/dev/vda</cmdline>") && !has(xml, "<boot "));
	cr_assert(has(xml, "host-model") && !has(xml, "<interface"));
	free(xml);
}

Test(domain, one_of_xen_has_no_device_of_qemu)
{
	struct pst_err err = PST_ERR_INIT;
	struct lv_record r = { .address = "10.0.0.9" };
	struct lv_net net = { .kind = LV_NET_BRIDGE, .where = "br0", .peers = true };
	struct lv_layer golden = { .path = "/g", .format = "raw" };
	const struct lv_form *form = lv_form_of("xen");
	struct lv_domain d = { .form = form, .os = "linux", .machine = "xenpv", .arch = "x86_64", .disk = "/d/disk.qcow2", .layers = &golden, .layers_n = 1,
		.seed = "/d/seed<.iso", .kernel = "/k", .initrd = "/i", .cmdline = form->cmdline, .net = &net, .record = &r };
	char *xml;

	contract_request(&r.request, "/images/demo/1");
	xml = lv_domain_xml(&d, &err);
	cr_assert(has(xml, "<domain type='xen'>") && has(xml, "<type arch='x86_64' machine='xenpv'>linux</type><kernel>/k</kernel>"));
	cr_assert(has(xml, "<cmdline>root=/dev/xvda ") && has(xml, "<on_crash>destroy</on_crash>"));
	cr_assert(has(xml, "<driver name='qemu' type='qcow2'/><source file='/d/disk.qcow2'/><target dev='xvda' bus='xen'/></disk>"));
	cr_assert(has(xml, "type='raw'/><source file='/d/seed&lt;.iso'/><target dev='xvdb' bus='xen'/><readonly/></disk>"));
	cr_assert(has(xml, "<source bridge='br0'/>") && !has(xml, "virtio") && !has(xml, "fwcfg") && !has(xml, "backingStore") && !has(xml, "graphics"));
	free(xml);
	cr_assert_null(lv_form_of("vbox"), "what nobody tried is not carried");
}

Test(domain, a_mac_address_follows_from_the_uuid)
{
	char a[LV_MAC_SIZE], b[LV_MAC_SIZE];

	lv_mac("1b4e28ba-2fa1-41d2-883f-0016d3cca427", a);
	lv_mac("1b4e28ba-2fa1-41d2-883f-0016d3cca427", b);
	cr_assert_str_eq(a, b);
	cr_assert_eq(strlen(a), LV_MAC_SIZE - 1u);
	cr_assert_eq(strncmp(a, "52:", 3), 0, "locally administered, no multicast");
	lv_mac("1b4e28ba-2fa1-41d2-883f-0016d3cca428", b);
	cr_assert_str_neq(a, b);
}

Test(domain, a_snapshots_name_is_escaped)
{
	char *xml = lv_snapshot_xml("a<b");

	cr_assert_str_eq(xml, "<domainsnapshot><name>a&lt;b</name></domainsnapshot>");
	free(xml);
}

/* What Windows has drivers for, by itself or in its image; its seed is a drive, and its clock has local time. */
Test(domain, one_of_windows_is_what_windows_likes)
{
	struct pst_err err = PST_ERR_INIT;
	struct lv_record r = { .address = "10.0.0.9" };
	struct lv_net net = { .kind = LV_NET_BRIDGE, .where = "br0", .peers = true };
	static const struct {
		const char *virt;
		bool is_emulated;
		const char *disk, *card;
	} cases[] = {
		{ "kvm", false, "<target dev='vda' bus='virtio'/>", "<model type='virtio'/>" },
		{ "qemu", false, "<target dev='vda' bus='virtio'/>", "<model type='virtio'/>" },
		{ "kvm", true, "<target dev='sda' bus='sata'/>", "<model type='e1000e'/>" },
		{ "qemu", true, "<target dev='sda' bus='sata'/>", "<model type='e1000e'/>" },
	};

	contract_request(&r.request, "/images/demo/1");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool is_kvm = strcmp(cases[i].virt, "kvm") == 0;
		struct lv_domain d = { .form = lv_form_windows(cases[i].virt, cases[i].is_emulated), .machine = "pc-q35-7.2", .arch = "x86_64", .video = "virtio",
			.disk = "/d/disk.qcow2", .seed = "/d/seed.iso", .net = &net, .is_efi = true, .is_secure = i & 2, .has_console = true, .has_tpm = i & 1, .record = &r };
		char *xml = lv_domain_xml(&d, &err), head[32];

		snprintf(head, sizeof(head), "<domain type='%s'>", cases[i].virt);
		cr_assert_not_null(xml, "%s", err.text);
		cr_assert(has(xml, head) && has(xml, "machine='pc-q35-7.2'") && has(xml, "<os firmware='efi'>"));
		cr_assert(has(xml, cases[i].disk) && has(xml, cases[i].card), "case %zu: %s", i, xml);
		cr_assert(has(xml, "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='/d/seed.iso'/><target dev='sdb' bus='sata'/><readonly/>"));
		cr_assert(!has(xml, "fwcfg") && !has(xml, "bus='virtio'/><input"), "%s", xml);
		cr_assert(has(xml, "<clock offset='localtime'>") && has(xml, "<input type='tablet' bus='usb'/>") && has(xml, "<model type='vga'/>"));
		cr_assert_eq(has(xml, "<relaxed state='on'/>") && has(xml, "<stimer state='on'/>") && has(xml, "hypervclock"), is_kvm, "KVM alone has Hyper-V's ways");
		cr_assert_eq(has(xml, "virtio"), !cases[i].is_emulated, "case %zu: %s", i, xml);
		cr_assert_eq(has(xml, "<feature enabled='yes' name='enrolled-keys'/><feature enabled='yes' name='secure-boot'/>"), (i & 2) != 0, "case %zu: %s", i, xml);
		cr_assert_eq(has(xml, "<feature enabled='no' name='secure-boot'/>"), (i & 2) == 0, "case %zu: %s", i, xml);
		cr_assert_eq(has(xml, "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"), i & 1, "case %zu: %s", i, xml);
		cr_assert(!has(xml, r.request.enrol_token), "the token is not in the document");
		free(xml);
	}
	cr_assert_null(lv_form_windows("xen", false));
}
