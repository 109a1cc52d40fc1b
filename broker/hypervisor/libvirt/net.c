/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads and writes networks. */
#include "broker/hypervisor/libvirt/net.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/libvirt/xml.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILTER "clean-traffic" /* libvirt's own: no address but the desktop's, in frames, ARP and IP */

static const struct {
	const char *word;
	enum lv_net_kind kind;
	const char *example;
} kinds[] = {
	{ "existing", LV_NET_EXISTING, "existing:default" },
	{ "bridge", LV_NET_BRIDGE, "bridge:br0" },
	{ "ovs", LV_NET_OVS, "ovs:br0" },
	{ "nat", LV_NET_NAT, "nat:10.20.0.0/24" },
	{ "isolated", LV_NET_ISOLATED, "isolated:10.21.0.0/24" },
};

const char *lv_net_kind_name(enum lv_net_kind kind)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(kinds); i++) {
		if (kinds[i].kind == kind)
			return kinds[i].word;
	}
	return "none";
}

bool lv_net_is_made(const struct lv_net *n)
{
	return n->kind == LV_NET_NAT || n->kind == LV_NET_ISOLATED;
}

bool lv_net_has_dhcp(const struct lv_net *n)
{
	return n->kind == LV_NET_EXISTING || lv_net_is_made(n);
}

static void ip_text(uint32_t ip, char out[LV_ADDRESS_SIZE])
{
	struct in_addr in = { .s_addr = htonl(ip) };

	inet_ntop(AF_INET, &in, out, LV_ADDRESS_SIZE);
}

static uint32_t last_host(const struct lv_net *n)
{
	return (n->subnet | (0xffffffffu >> n->prefix)) - 1;
}

/* "10.20.0.0/24" */
static int subnet_read(struct lv_net *n, const char *text, struct pst_err *err)
{
	const char *slash = strchr(text, '/');
	char ip[LV_ADDRESS_SIZE] = "", *end;
	unsigned long prefix = slash ? strtoul(slash + 1, &end, 10) : 0;
	struct in_addr in;

	if (slash && (size_t)(slash - text) < sizeof(ip))
		memcpy(ip, text, (size_t)(slash - text));
	if (!slash || *end || prefix < LV_NET_PREFIX_MIN || prefix > LV_NET_PREFIX_MAX || inet_pton(AF_INET, ip, &in) != 1 ||
		ntohl(in.s_addr) & (0xffffffffu >> prefix))
		return pst_err_set(err, PST_EINVAL, "\"%.60s\" must be a subnet from /%d to /%d, as 10.20.0.0/24", text, LV_NET_PREFIX_MIN,
			LV_NET_PREFIX_MAX);
	n->subnet = ntohl(in.s_addr);
	n->prefix = (uint8_t)prefix;
	return 0;
}

static bool is_plain(const char *s)
{
	return s[0] && s[0] != '-' && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

static int kind_read(struct lv_net *n, const char *word, const char *value, const char *made, struct pst_err *err)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].word, word) != 0)
			continue;
		n->kind = kinds[i].kind;
		if (lv_net_is_made(n) && pst_strlcpy(n->where, sizeof(n->where), made) < 0)
			return pst_err_set(err, PST_ELIMIT, "its name is too long");
		if (lv_net_is_made(n))
			return subnet_read(n, value, err);
		if (!is_plain(value) || pst_strlcpy(n->where, sizeof(n->where), value) < 0)
			return pst_err_set(err, PST_EINVAL, "\"%.60s\" must name what is there, as %s", word, kinds[i].example);
		return 0;
	}
	return pst_err_set(err, PST_EINVAL, "\"%.60s\" must be existing:NETWORK, bridge:NAME, ovs:NAME, nat:SUBNET or isolated:SUBNET", word);
}

static int vlan_read(struct lv_net *n, const char *value, struct pst_err *err)
{
	char *end;
	unsigned long tag = strtoul(value, &end, 10);

	if (n->kind != LV_NET_OVS)
		return pst_err_set(err, PST_EINVAL,
			"vlan: a tag is put on by Open vSwitch (ovs:NAME); for a Linux bridge give the bridge of the tagged interface");
	if (*end || end == value || tag < 1 || tag > LV_NET_VLAN_MAX)
		return pst_err_set(err, PST_EINVAL, "vlan: \"%.20s\" must be 1 to %d", value, LV_NET_VLAN_MAX);
	n->vlan = (uint16_t)tag;
	return 0;
}

static int peers_read(struct lv_net *n, const char *value, struct pst_err *err)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return pst_err_set(err, PST_EINVAL, "peers: \"%.20s\" must be yes or no", value);
	if (n->kind == LV_NET_OVS && value[0] == 'n')
		return pst_err_set(err, PST_EINVAL, "peers: Open vSwitch keeps no desktops apart within a VLAN: give each group its own tag");
	n->peers = value[0] == 'y';
	return 0;
}

static int filter_read(struct lv_net *n, const char *value, struct pst_err *err)
{
	if (n->kind == LV_NET_OVS)
		return pst_err_set(err, PST_EINVAL, "filter: libvirt has none on Open vSwitch");
	if (!is_plain(value) || pst_strlcpy(n->filter, sizeof(n->filter), strcmp(value, "none") == 0 ? "" : value) < 0)
		return pst_err_set(err, PST_EINVAL, "filter: \"%.60s\" must name an nwfilter of libvirt, or be none", value);
	return 0;
}

static int addresses_read(struct lv_net *n, const char *value, struct pst_err *err)
{
	lv_addresses_finish(&n->addresses);
	return lv_addresses_init(&n->addresses, value, err);
}

static const struct {
	const char *word;
	int (*read)(struct lv_net *n, const char *value, struct pst_err *err);
} options[] = {
	{ "vlan", vlan_read },
	{ "peers", peers_read },
	{ "filter", filter_read },
	{ "addresses", addresses_read },
};

static int option_read(struct lv_net *n, const char *word, const char *value, struct pst_err *err)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(options); i++) {
		if (strcmp(options[i].word, word) == 0)
			return options[i].read(n, value, err);
	}
	return pst_err_set(err, PST_EINVAL, "\"%.60s\" is none of vlan, peers, filter, addresses", word);
}

/* What holds unless the next words say otherwise. A subnet that we make is ours to give out, but its first address, the host's. */
static int defaults_set(struct lv_net *n, struct pst_err *err)
{
	char first[LV_ADDRESS_SIZE], last[LV_ADDRESS_SIZE], range[2 * LV_ADDRESS_SIZE];

	n->peers = n->kind == LV_NET_OVS;
	pst_strlcpy(n->filter, sizeof(n->filter), n->kind == LV_NET_OVS ? "" : FILTER);
	if (!lv_net_is_made(n))
		return 0;
	ip_text(n->subnet + 2, first);
	ip_text(last_host(n), last);
	snprintf(range, sizeof(range), "%s-%s", first, last);
	return lv_addresses_init(&n->addresses, range, err);
}

static int words_read(struct lv_net *n, char *text, const char *made, struct pst_err *err)
{
	char *rest = text, *part;
	bool is_first = true;
	int rc = 0;

	while (rc == 0 && (part = strsep(&rest, " \t"))) {
		char *value = strchr(part, ':');

		if (!*part)
			continue;
		if (!value)
			return pst_err_set(err, PST_EINVAL, "\"%.60s\" must be WORD:VALUE", part);
		*value++ = '\0';
		rc = is_first ? kind_read(n, part, value, made, err) : option_read(n, part, value, err);
		if (rc == 0 && is_first)
			rc = defaults_set(n, err);
		is_first = false;
	}
	return rc == 0 && is_first ? pst_err_set(err, PST_EINVAL, "it is empty: say what it is, as bridge:br0") : rc;
}

int lv_net_parse(struct lv_net *n, const char *name, const char *text, const char *made, struct pst_err *err)
{
	char *copy = strdup(text);
	int rc;

	memset(n, 0, sizeof(*n));
	if (!copy)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	if (!is_plain(name) || name[0] == '.' || pst_strlcpy(n->name, sizeof(n->name), name) < 0 || strcmp(name, "host") == 0 ||
		strcmp(name, "none") == 0)
		rc = pst_err_set(err, PST_EINVAL, "networks: \"%.60s\" must have letters, digits and . _ -, and not be host or none", name);
	else
		rc = words_read(n, copy, made, err);
	free(copy);
	return rc < 0 ? pst_err_wrap(err, "network-%.63s", name) : 0;
}

void lv_net_finish(struct lv_net *n)
{
	lv_addresses_finish(&n->addresses);
}

void lv_net_about(const struct lv_net *n, char *out, size_t size)
{
	char ip[LV_ADDRESS_SIZE];

	ip_text(n->subnet, ip);
	if (lv_net_is_made(n))
		snprintf(out, size, "%s/%u", ip, n->prefix);
	else if (n->vlan)
		snprintf(out, size, "%.40s, VLAN %u", n->where, n->vlan);
	else
		snprintf(out, size, "%s", n->where);
}

char *lv_net_xml(const struct lv_net *n, struct pst_err *err)
{
	char host[LV_ADDRESS_SIZE], first[LV_ADDRESS_SIZE], last[LV_ADDRESS_SIZE], *text = NULL;
	struct pst_buf b;

	ip_text(n->subnet + 1, host);
	ip_text(n->subnet + 2, first);
	ip_text(last_host(n), last);
	pst_buf_init(&b, 8192);
	pst_buf_put_str(&b, "<network><name>");
	xml_put_text(&b, n->where);
	pst_buf_put_str(&b, "</name>");
	if (n->kind == LV_NET_NAT)
		pst_buf_put_str(&b, "<forward mode='nat'/>");
	pst_buf_printf(&b, "<bridge stp='off'/><ip address='%s' prefix='%u'><dhcp><range start='%s' end='%s'/></dhcp></ip></network>", host,
		n->prefix, first, last);
	text = pst_buf_cstr(&b) ? strdup(pst_buf_cstr(&b)) : NULL;
	pst_buf_finish(&b);
	if (!text)
		pst_err_set(err, PST_ENOMEM, "no memory for the network's document");
	return text;
}

static void put(struct pst_buf *b, const char *before, const char *value, const char *after)
{
	pst_buf_put_str(b, before);
	xml_put_text(b, value);
	pst_buf_put_str(b, after);
}

static void filter_put(struct pst_buf *b, const struct lv_net *n, const char *address)
{
	put(b, "<filterref filter='", n->filter, "'>");
	if (address[0])
		put(b, "<parameter name='IP' value='", address, "'/>");
	pst_buf_put_str(b, "</filterref>");
}

void lv_net_interface(struct pst_buf *b, const struct lv_net *n, const char *mac, const char *address, const char *card)
{
	if (n->kind == LV_NET_NONE)
		return;
	if (lv_net_has_dhcp(n))
		put(b, "<interface type='network'><source network='", n->where, "'/>");
	else
		put(b, "<interface type='bridge'><source bridge='", n->where, "'/>");
	if (n->kind == LV_NET_OVS)
		pst_buf_put_str(b, "<virtualport type='openvswitch'/>");
	if (n->vlan)
		pst_buf_printf(b, "<vlan><tag id='%u'/></vlan>", n->vlan);
	put(b, "<mac address='", mac, "'/>");
	if (card)
		pst_buf_printf(b, "<model type='%s'/>", card);
	if (n->filter[0])
		filter_put(b, n, address);
	/* The bridge hands on nothing from one isolated port to another; the host itself is none. */
	if (card && !n->peers)
		pst_buf_put_str(b, "<port isolated='yes'/>");
	pst_buf_put_str(b, "</interface>");
}
