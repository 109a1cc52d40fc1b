/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines on a virtio port, with a socket pair in its place. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/seed/port.h"
#include "base/unixsock.h"
#include "tests/unit/agent/seed_kit.h"

static int guest, host;

static void open_pair(void)
{
	struct pst_err err = PST_ERR_INIT;
	int pair[2];

	cr_assert_eq(pst_unix_pair(pair, &err), 0);
	guest = pair[0];
	host = pair[1];
}

static void close_pair(void)
{
	close(guest);
	close(host);
}

TestSuite(port, .init = open_pair, .fini = close_pair);

static void hears(const char *want)
{
	char text[256] = "";

	cr_assert_eq(read(host, text, sizeof(text) - 1), (ssize_t)strlen(want));
	cr_assert_str_eq(text, want);
}

Test(port, test_a_line_is_taken_and_answered)
{
	struct pst_err err = PST_ERR_INIT;
	char *text;
	size_t len;

	cr_assert_eq(write(host, "{\"a\":1}\nmore", 12), 12);
	cr_assert_eq(port_wait(guest, 100, &text, &len, &err), 0, "%s", err.text);
	cr_assert(len == 7 && strcmp(text, "{\"a\":1}") == 0);
	free(text);
	hears("{\"seed\":\"waiting\"}\n");
	port_answer(guest, "bad \"luck\"");
	hears("{\"seed\":\"refused\",\"reason\":\"bad \\\"luck\\\"\"}\n");
	port_answer(guest, NULL);
	hears("{\"seed\":\"applied\"}\n");
}

Test(port, test_a_line_without_an_end_has_a_ceiling)
{
	struct pst_err err = PST_ERR_INIT;
	char bytes[300], *text;
	size_t len;

	memset(bytes, 'x', sizeof(bytes));
	cr_assert_eq(write(host, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
	cr_assert_eq(port_wait(guest, 100, &text, &len, &err), PST_EINVAL);
}

Test(port, test_ports_are_found_by_their_names)
{
	struct pst_err err = PST_ERR_INIT;

	kit_open();
	cr_assert_eq(port_open(kit_root(), SEED_PORT, &err), PST_ENOTFOUND);
	kit_put("/sys/class/virtio-ports/vport1p1/name", "org.qemu.guest_agent.0\n", 23);
	kit_put("/sys/class/virtio-ports/vport1p2/name", SEED_PORT "\n", strlen(SEED_PORT) + 1);
	kit_put("/dev/vport1p1", "1", 1);
	kit_put("/dev/vport1p2", "2", 1);
	int fd = port_open(kit_root(), SEED_PORT, &err);
	char c = 0;
	cr_assert(fd >= 0 && read(fd, &c, 1) == 1 && c == '2', "%s", err.text);
	close(fd);
	kit_close();
}
