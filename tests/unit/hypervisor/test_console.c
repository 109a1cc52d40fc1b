/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections to consoles: sockets and addresses, and what is none. */
#include "broker/hypervisor/console.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unixsock.h"

static struct machine_endpoint at(const char *folder, const char *name)
{
	struct machine_endpoint e = { .kind = ENDPOINT_RFB };

	snprintf(e.address, sizeof(e.address), "%s/%s", folder, name);
	return e;
}

Test(console, test_a_socket_is_dialled_and_a_link_to_it_is_not)
{
	char folder[] = "/tmp/puesto-console-XXXXXX", command[64];
	struct pst_err err = PST_ERR_INIT;
	struct machine_endpoint real, link, file, none;
	int server, fd;

	cr_assert(mkdtemp(folder));
	real = at(folder, "rfb");
	link = at(folder, "link");
	file = at(folder, "file");
	none = at(folder, "none");
	server = pst_unix_listen(real.address, 0600, 4, &err);
	cr_assert_geq(server, 0);
	cr_assert_eq(symlink(real.address, link.address), 0);
	cr_assert_eq(mkdir(file.address, 0700), 0);

	fd = console_dial(&real, &err);
	cr_assert_geq(fd, 0, "%s", err.text);
	close(fd);
	cr_assert_eq(console_dial(&link, &err), PST_EIO);
	cr_assert_eq(console_dial(&file, &err), PST_EIO);
	cr_assert_eq(console_dial(&none, &err), PST_ENOTFOUND);
	close(server);
	cr_assert_lt(console_dial(&real, &err), 0);
	cr_assert(strstr(err.text, real.address));
	real.kind = ENDPOINT_UNIX;
	cr_assert_eq(console_dial(&real, &err), PST_EUNSUPPORTED);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	cr_assert_eq(system(command), 0);
}

Test(console, test_an_address_is_dialled)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct machine_endpoint e = { .kind = ENDPOINT_RFB, .address = "127.0.0.1" };
	struct pst_err err = PST_ERR_INIT;
	socklen_t len = sizeof(any);
	int server = socket(AF_INET, SOCK_STREAM, 0), fd;

	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(server, (struct sockaddr *)&any, sizeof(any)), 0);
	cr_assert_eq(getsockname(server, (struct sockaddr *)&any, &len), 0);
	e.port = ntohs(any.sin_port);
	cr_assert_eq(console_dial(&e, &err), PST_ECLOSED);
	cr_assert_eq(listen(server, 1), 0);
	fd = console_dial(&e, &err);
	cr_assert_geq(fd, 0, "%s", err.text);
	close(fd);
	close(server);
	strcpy(e.address, "somewhere");
	cr_assert_eq(console_dial(&e, &err), PST_EINVAL);
}
