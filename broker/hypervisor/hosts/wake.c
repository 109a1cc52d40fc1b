/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes and sends magic packets. */
#include "broker/hypervisor/hosts/wake.h"

#include "base/unixsock.h"
#include "broker/hypervisor/hosts/probe.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

size_t wake_packet(const uint8_t mac[6], const uint8_t *secureon, size_t secureon_len, uint8_t out[WAKE_PACKET_MAX])
{
	memset(out, 0xff, 6);
	for (size_t i = 1; i <= 16; i++)
		memcpy(out + i * 6, mac, 6);
	if (secureon_len)
		memcpy(out + 102, secureon, secureon_len);
	return 102 + secureon_len;
}

int wake_send(const char *address, uint16_t port, const uint8_t *packet, size_t len, struct pst_err *err)
{
	struct sockaddr_storage to;
	socklen_t to_len = probe_address(address, port, &to);
	int fd = to_len ? socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1, on = 1, rc = 0;

	if (to_len == 0)
		return pst_err_set(err, PST_EINVAL, "\"%.60s\" is no numeric address", address);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) < 0 ||
		sendto(fd, packet, len, 0, (struct sockaddr *)&to, to_len) != (ssize_t)len)
		rc = pst_err_sys(err, PST_EIO, errno, "send a magic packet to %s", address);
	pst_fd_close(&fd);
	return rc;
}
