/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Networks of the libvirt provider, from the settings to the documents. */
#include "broker/hypervisor/libvirt/net.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MADE "puesto-0123abcd-vm-lab"

static struct lv_net parse(const char *text)
{
	struct pst_err err = PST_ERR_INIT;
	struct lv_net n;

	cr_assert_eq(lv_net_parse(&n, "lab", text, MADE, &err), 0, "%s: %s", text, err.text);
	return n;
}

/* Of a network, as text; owned. */
static char *interface(const struct lv_net *n, const char *address, const char *card)
{
	struct pst_buf b;
	char *text;

	pst_buf_init(&b, 4096);
	lv_net_interface(&b, n, "52:00:00:00:00:01", address, card);
	text = strdup(pst_buf_cstr(&b) ? pst_buf_cstr(&b) : "");
	pst_buf_finish(&b);
	return text;
}

Test(net, each_kind_is_read_with_its_defaults)
{
	static const struct {
		const char *text, *about;
		enum lv_net_kind kind;
		bool peers, filter;
		uint32_t addresses;
	} cases[] = {
		{ "bridge:br0", "br0", LV_NET_BRIDGE, false, true, 0 },
		{ "  bridge:br0   peers:yes filter:none addresses:10.0.0.1-10.0.0.9", "br0", LV_NET_BRIDGE, true, false, 9 },
		{ "existing:default", "default", LV_NET_EXISTING, false, true, 0 },
		{ "ovs:br0 vlan:20", "br0, VLAN 20", LV_NET_OVS, true, false, 0 },
		{ "nat:10.20.0.0/24", "10.20.0.0/24", LV_NET_NAT, false, true, 253 },
		{ "isolated:10.21.0.0/29 peers:yes", "10.21.0.0/29", LV_NET_ISOLATED, true, true, 5 },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct lv_net n = parse(cases[i].text);
		char about[64];

		lv_net_about(&n, about, sizeof(about));
		cr_expect_str_eq(about, cases[i].about);
		cr_expect_eq(n.kind, cases[i].kind, "%s", cases[i].text);
		cr_expect_eq(n.peers, cases[i].peers, "%s", cases[i].text);
		cr_expect_eq(n.filter[0] != '\0', cases[i].filter, "%s", cases[i].text);
		cr_expect_eq(n.addresses.n, cases[i].addresses, "%s: %u", cases[i].text, n.addresses.n);
		lv_net_finish(&n);
	}
}

Test(net, what_cannot_be_kept_is_refused_in_words)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{ "", "empty" }, { "br0", "WORD:VALUE" }, { "wifi:x", "existing:NETWORK" }, { "bridge:", "br0" }, { "bridge:a/b", "br0" },
		{ "bridge:br0 vlan:20", "Open vSwitch" }, { "ovs:br0 vlan:0", "vlan" }, { "ovs:br0 vlan:4095", "vlan" }, { "ovs:br0 vlan:x", "vlan" },
		{ "ovs:br0 peers:no", "apart" }, { "ovs:br0 filter:clean-traffic", "none on Open vSwitch" }, { "bridge:br0 peers:maybe", "peers" },
		{ "bridge:br0 colour:red", "colour" }, { "nat:10.20.0.0", "subnet" }, { "nat:10.20.0.1/24", "subnet" }, { "nat:10.20.0.0/8", "subnet" },
		{ "isolated:10.20.0.0/30", "subnet" }, { "isolated:x/24", "subnet" }, { "bridge:br0 addresses:1-2", "addresses" },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct lv_net n;

		cr_expect_eq(lv_net_parse(&n, "lab", cases[i].text, MADE, &err), PST_EINVAL, "%s", cases[i].text);
		cr_expect(strstr(err.text, "network-lab") && strstr(err.text, cases[i].word), "\"%s\" for \"%s\"", err.text, cases[i].text);
		lv_net_finish(&n);
	}
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = { "host", "none", "a b", "" };
		struct pst_err err = PST_ERR_INIT;
		struct lv_net n;

		cr_expect_eq(lv_net_parse(&n, names[i], "bridge:br0", MADE, &err), PST_EINVAL, "%s", names[i]);
		lv_net_finish(&n);
	}
}

Test(net, a_network_of_ours_has_its_subnet)
{
	struct pst_err err = PST_ERR_INIT;
	struct lv_net nat = parse("nat:10.20.0.0/24"), own = parse("isolated:10.21.4.0/22");
	char *xml = lv_net_xml(&nat, &err);

	cr_assert_str_eq(xml, "<network><name>" MADE "</name><forward mode='nat'/><bridge stp='off'/><ip address='10.20.0.1' prefix='24'><dhcp>"
			      "<range start='10.20.0.2' end='10.20.0.254'/></dhcp></ip></network>");
	free(xml);
	xml = lv_net_xml(&own, &err);
	cr_assert(!strstr(xml, "forward") && strstr(xml, "end='10.21.7.254'"), "%s", xml);
	free(xml);
	lv_net_finish(&nat);
	lv_net_finish(&own);
}

Test(net, desktops_are_kept_apart_and_cannot_take_another_address)
{
	struct lv_net lab = parse("isolated:10.21.0.0/24"), open = parse("bridge:br0 peers:yes filter:none"), tag = parse("ovs:br1 vlan:42");
	char *xml = interface(&lab, "10.21.0.9", "virtio");

	cr_assert_str_eq(xml, "<interface type='network'><source network='" MADE "'/><mac address='52:00:00:00:00:01'/><model type='virtio'/>"
			      "<filterref filter='clean-traffic'><parameter name='IP' value='10.21.0.9'/></filterref><port isolated='yes'/></interface>");
	free(xml);
	xml = interface(&open, "", "virtio");
	cr_assert_str_eq(xml, "<interface type='bridge'><source bridge='br0'/><mac address='52:00:00:00:00:01'/><model type='virtio'/></interface>");
	free(xml);
	xml = interface(&tag, "", "virtio");
	cr_assert_str_eq(xml, "<interface type='bridge'><source bridge='br1'/><virtualport type='openvswitch'/><vlan><tag id='42'/></vlan>"
			      "<mac address='52:00:00:00:00:01'/><model type='virtio'/></interface>");
	free(xml);
	xml = interface(&lab, "", NULL);
	cr_assert(!strstr(xml, "isolated='yes'") && !strstr(xml, "virtio") && !strstr(xml, "parameter"), "%s", xml);
	free(xml);
	lv_net_finish(&lab);
	lv_net_finish(&open);
	lv_net_finish(&tag);
}
