/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ioctls of the tun driver and of bridges, and one file of sysfs. */
#include "broker/hypervisor/qemu/tap.h"

#include "base/text.h"
#include "base/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

bool tap_bridge_valid(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strlen(name);

	return n > 0 && n < IFNAMSIZ && name[0] != '.' && strspn(name, letters) == n;
}

static int device_make(int fd, const char *name, struct pst_err *err)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	pst_strlcpy(r.ifr_name, sizeof(r.ifr_name), name);
	if (ioctl(fd, TUNSETIFF, &r) < 0)
		return pst_err_sys(err, errno == EBUSY ? PST_EBUSY : PST_EIO, errno, "make the network device %s", name);
	return 0;
}

/* Before it is on: nothing passes that is not isolated. */
static int isolate(const char *name, struct pst_err *err)
{
	char path[80];
	int fd, rc = 0;

	snprintf(path, sizeof(path), "/sys/class/net/%s/brport/isolated", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		rc = pst_err_sys(err, PST_EIO, errno, "isolate %s from its neighbours", name);
	pst_fd_close(&fd);
	return rc;
}

static int enslave(int control, const char *name, const char *bridge, struct pst_err *err)
{
	struct ifreq r = { .ifr_ifindex = (int)if_nametoindex(name) };

	pst_strlcpy(r.ifr_name, sizeof(r.ifr_name), bridge);
	if (ioctl(control, SIOCBRADDIF, &r) < 0)
		return pst_err_sys(err, errno == ENODEV ? PST_ENOTFOUND : PST_EIO, errno, "put %s on the bridge %s", name, bridge);
	return 0;
}

static int switch_on(int control, const char *name, struct pst_err *err)
{
	struct ifreq r = { .ifr_flags = IFF_UP };

	pst_strlcpy(r.ifr_name, sizeof(r.ifr_name), name);
	return ioctl(control, SIOCSIFFLAGS, &r) < 0 ? pst_err_sys(err, PST_EIO, errno, "switch %s on", name) : 0;
}

int tap_open(const char *name, const char *bridge, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = 0;

	if (fd < 0 || control < 0)
		rc = pst_err_sys(&why, PST_EIO, errno, "/dev/net/tun");
	if (rc == 0)
		rc = device_make(fd, name, &why);
	if (rc == 0)
		rc = enslave(control, name, bridge, &why);
	if (rc == 0)
		rc = isolate(name, &why);
	if (rc == 0)
		rc = switch_on(control, name, &why);
	pst_fd_close(&control);
	if (rc == 0)
		return fd;
	pst_fd_close(&fd);
	return pst_err_set(err, rc, "%s", why.text);
}
