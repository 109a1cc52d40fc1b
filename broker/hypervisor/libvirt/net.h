/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A network that desktops may be on: read from the provider's settings, written as libvirt takes
 * it (https://libvirt.org/formatnetwork.html, formatdomain.html#network-interfaces). Pure.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/libvirt/address.h"

#include <stdbool.h>
#include <stdint.h>

#define LV_NETS_MAX 33 /* the provider's own, and 32 with names */
#define LV_NET_VLAN_MAX 4094
#define LV_NET_PREFIX_MIN 16 /* of a subnet that is made */
#define LV_NET_PREFIX_MAX 29

enum lv_net_kind {
	LV_NET_NONE,     /* no card */
	LV_NET_EXISTING, /* a network that libvirt has */
	LV_NET_BRIDGE,   /* a Linux bridge of the host */
	LV_NET_OVS,      /* a bridge of Open vSwitch */
	LV_NET_NAT,      /* made by us on each host */
	LV_NET_ISOLATED, /* made by us: the host and the desktops alone */
};

struct lv_net {
	char name[MACHINE_NAME_SIZE]; /* as pools call it; "" for the provider's own */
	enum lv_net_kind kind;
	char where[160];     /* libvirt's name of the network, or the bridge */
	char filter[64];     /* an nwfilter, or "" */
	uint32_t subnet;     /* of one that is made: its address, in the host's byte order */
	uint8_t prefix;
	uint16_t vlan;       /* tag; 0: none */
	bool peers;          /* desktops on it reach each other */
	struct lv_addresses addresses; /* that we give out; n is 0: whoever runs its DHCP does. By the lock of lv. */
};

/*
 * "bridge:br0 filter:clean-traffic", "ovs:br0 vlan:20", "nat:10.20.0.0/24 peers:yes", "isolated:10.21.0.0/24",
 * "existing:default addresses:192.168.122.100-192.168.122.199". made is what libvirt calls one that we make.
 * PST_EINVAL names the word. For lv_net_finish also on failure.
 */
int lv_net_parse(struct lv_net *n, const char *name, const char *text, const char *made, struct pst_err *err);
void lv_net_finish(struct lv_net *n);
/* Is it one of libvirt's networks, with DHCP that reservations are made in? */
bool lv_net_has_dhcp(const struct lv_net *n);
/* Is it ours to make where a host does not have it? */
bool lv_net_is_made(const struct lv_net *n);
const char *lv_net_kind_name(enum lv_net_kind kind);
/* What it is, for people: "br0, VLAN 20". */
void lv_net_about(const struct lv_net *n, char *out, size_t size);

/* The document of a network that we make. Returns owned; NULL with err. */
char *lv_net_xml(const struct lv_net *n, struct pst_err *err);
/* The <interface> of a desktop. address "" when none is known. card: its model, with what only QEMU's driver takes; or NULL. */
void lv_net_interface(struct pst_buf *b, const struct lv_net *n, const char *mac, const char *address, const char *card);
