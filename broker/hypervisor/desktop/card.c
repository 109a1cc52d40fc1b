/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel tells of new interfaces over rtnetlink(7); what they are is asked by name. */
#include "broker/hypervisor/desktop/card.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Named as kernel and udev name cards (eth0, ens3, enp1s0); bridges and the like are of that type too. */
static bool is_card(int fd, const char *name)
{
	struct ifreq req = { 0 };

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	return name[0] == 'e' && ioctl(fd, SIOCGIFHWADDR, &req) == 0 &&
	       req.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}

static bool card_print(int fd)
{
	struct if_nameindex *all = if_nameindex();
	bool is_found = false;

	for (size_t i = 0; all && all[i].if_index != 0 && !is_found; i++) {
		is_found = is_card(fd, all[i].if_name);
		if (is_found)
			printf("%s\n", all[i].if_name);
	}
	if (all)
		if_freenameindex(all);
	return is_found;
}

int card_wait(void)
{
	const struct sockaddr_nl links = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int news = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
	    any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char message[8192];
	int rc = 0;

	if (news < 0 || any < 0 || bind(news, (const struct sockaddr *)&links, sizeof(links)) < 0)
		rc = 1;
	/* Whoever is told too much (ENOBUFS) looks again too. */
	while (rc == 0 && !card_print(any)) {
		if (recv(news, message, sizeof(message), 0) < 0 && errno != ENOBUFS && errno != EINTR)
			rc = 1;
	}
	if (rc != 0)
		perror("waiting for a network card");
	close(news);
	close(any);
	return rc;
}
