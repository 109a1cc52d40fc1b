/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Specifications, and what is picked from devices and snapshots.
 * Covers: broker/hypervisor/vsphere/spec.c broker/hypervisor/vsphere/snapshot.c
 */
#include "broker/hypervisor/vsphere/spec.h"

#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include <criterion/criterion.h>
#include <string.h>

#define DEVICES                                                                                                                       \
	"<d><VirtualDevice xsi:type=\"VirtualIDEController\"><key>200</key></VirtualDevice>"                                          \
	"<VirtualDevice xsi:type=\"VirtualDisk\"><key>2000</key><backing xsi:type=\"VirtualDiskFlatVer2BackingInfo\"><fileName>[ds] " \
	"a/a.vmdk</fileName></backing>"                                                                                               \
	"<capacityInKB>1024</capacityInKB><capacityInBytes>1048576</capacityInBytes><shares><level>normal</level></shares></"         \
	"VirtualDevice>"                                                                                                              \
	"<VirtualDevice xsi:type=\"VirtualVmxnet3\"><key>4000</key><backing "                                                         \
	"xsi:type=\"VirtualEthernetCardNetworkBackingInfo\"><deviceName>old</deviceName></backing>"                                   \
	"<macAddress>00:50:56:00:00:01</macAddress></VirtualDevice></d>"

static struct soap *parse(const char *body)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_buf b;
	struct soap *s;

	pst_buf_init(&b, 65536);
	pst_buf_printf(&b, "<Envelope xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Body>%s</Body></Envelope>", body);
	s = soap_parse((const char *)b.data, b.len, &err);
	cr_assert_not_null(s, "%s", err.text);
	pst_buf_finish(&b);
	return s;
}

static const struct vim_ref folder = { "Folder", "f" }, pool = { "ResourcePool", "p" }, snapshot = { "VirtualMachineSnapshot", "s" };

Test(vsphere_spec, a_clone_is_linked_only_with_a_snapshot)
{
	struct spec_clone c = { .folder = &folder, .pool = &pool, .name = "n", .record = "{\"a\":\"<\"}" };
	struct pst_buf b;

	pst_buf_init(&b, 65536);
	spec_clone_put(&b, &c);
	cr_assert_str_eq(pst_buf_cstr(&b),
		"<folder "
		"type=\"Folder\">f</folder><name>n</name><spec><location><diskMoveType>moveAllDiskBackingsAndDisallowSharing</diskMoveType>"
		"<pool type=\"ResourcePool\">p</pool></location><template>false</template><config><extraConfig "
		"xsi:type=\"OptionValue\"><key>puesto.record</key>"
		"<value "
		"xsi:type=\"xsd:string\">{&quot;a&quot;:&quot;&lt;&quot;}</value></extraConfig></config><powerOn>false</powerOn></spec>");
	pst_buf_reset(&b);
	c.snapshot = &snapshot;
	spec_clone_put(&b, &c);
	cr_assert_not_null(strstr(pst_buf_cstr(&b), "<diskMoveType>createNewChildDiskBacking</diskMoveType>"));
	cr_assert_not_null(strstr(pst_buf_cstr(&b), "</powerOn><snapshot type=\"VirtualMachineSnapshot\">s</snapshot></spec>"));
	pst_buf_finish(&b);
}

Test(vsphere_spec, devices_go_back_whole)
{
	struct soap *s = parse(DEVICES);
	struct spec_network plain = { .network = { "Network", "n-1" }, .name = "VM Network" },
			    switched = { .portgroup = "dvpg-1", .switch_uuid = "50 1e" };
	struct spec_config c = { .cpus = 2,
		.memory_mb = 512,
		.disk = spec_disk_find(soap_body(s)),
		.disk_kb = 4096,
		.card = spec_card_find(soap_body(s)),
		.network = &plain,
		.record = "r",
		.seed = "c2VlZA==" };
	struct pst_buf b;

	pst_buf_init(&b, 65536);
	spec_config_put(&b, &c);
	cr_assert_str_eq(pst_buf_cstr(&b),
		"<spec><numCPUs>2</numCPUs><numCoresPerSocket>2</numCoresPerSocket><memoryMB>512</memoryMB>"
		"<deviceChange xsi:type=\"VirtualDeviceConfigSpec\"><operation>edit</operation><device "
		"xsi:type=\"VirtualDisk\"><key>2000</key>"
		"<backing xsi:type=\"VirtualDiskFlatVer2BackingInfo\"><fileName>[ds] "
		"a/a.vmdk</fileName></backing><capacityInKB>4096</capacityInKB>"
		"<shares><level>normal</level></shares></device></deviceChange>"
		"<deviceChange xsi:type=\"VirtualDeviceConfigSpec\"><operation>edit</operation><device "
		"xsi:type=\"VirtualVmxnet3\"><key>4000</key>"
		"<backing xsi:type=\"VirtualEthernetCardNetworkBackingInfo\"><deviceName>VM Network</deviceName><network "
		"type=\"Network\">n-1</network></backing>"
		"<macAddress>00:50:56:00:00:01</macAddress></device></deviceChange>"
		"<extraConfig xsi:type=\"OptionValue\"><key>puesto.record</key><value xsi:type=\"xsd:string\">r</value></extraConfig>"
		"<extraConfig xsi:type=\"OptionValue\"><key>guestinfo.puesto.seed</key><value "
		"xsi:type=\"xsd:string\">c2VlZA==</value></extraConfig></spec>");
	pst_buf_reset(&b);
	spec_config_put(&b, &(struct spec_config){ .card = c.card, .network = &switched });
	cr_assert_not_null(strstr(pst_buf_cstr(&b),
		"VirtualPortBackingInfo\"><port><switchUuid>50 1e</switchUuid><portgroupKey>dvpg-1</portgroupKey></port></backing>"));
	pst_buf_finish(&b);
	soap_destroy(s);
}

Test(vsphere_spec, the_last_of_a_doubled_key_counts)
{
	struct soap *s = parse("<e><OptionValue><key>a</key><value>1</value></OptionValue><OptionValue><key>b</key></OptionValue>"
			       "<OptionValue><key>a</key><value>2</value></OptionValue></e>");

	cr_assert_str_eq(spec_extra_find(soap_body(s), "a"), "2");
	cr_assert_str_eq(spec_extra_find(soap_body(s), "b"), "");
	cr_assert_null(spec_extra_find(soap_body(s), "c"));
	cr_assert_null(spec_extra_find(NULL, "a"));
	cr_assert_null(spec_disk_find(soap_body(s)));
	cr_assert_null(spec_card_find(NULL));
	soap_destroy(s);
}

Test(vsphere_spec, snapshots_are_found_in_their_tree)
{
	struct soap *s = parse(
		"<i><currentSnapshot type=\"VirtualMachineSnapshot\">s-2</currentSnapshot>"
		"<rootSnapshotList><snapshot "
		"type=\"VirtualMachineSnapshot\">s-1</snapshot><name>a</name><childSnapshotList><name>b</name><state>poweredOn</state>"
		"</childSnapshotList></rootSnapshotList><rootSnapshotList><name>c</name></rootSnapshotList></i>");

	cr_assert_str_eq(soap_text(vs_snapshot_named(soap_body(s), "b"), "state"), "poweredOn");
	cr_assert_not_null(vs_snapshot_named(soap_body(s), "c"));
	cr_assert_null(vs_snapshot_named(soap_body(s), "d"));
	cr_assert_null(vs_snapshot_named(NULL, "a"));
	soap_destroy(s);
}
