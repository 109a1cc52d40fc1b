/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Magic packets, as a socket on loopback receives them. */
#include "broker/hypervisor/hosts/wake.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint8_t mac[6] = { 0x52, 0x54, 0, 0xaa, 0xbb, 1 };

Test(wake, a_packet_has_ones_the_address_and_the_password)
{
	uint8_t out[WAKE_PACKET_MAX];

	cr_assert_eq(wake_packet(mac, NULL, 0, out), 102);
	cr_assert_eq(memcmp(out, "\xff\xff\xff\xff\xff\xff", 6), 0);
	for (size_t i = 1; i <= 16; i++)
		cr_assert_eq(memcmp(out + 6 * i, mac, 6), 0);
	cr_assert_eq(wake_packet(mac, (const uint8_t *)"\1\2\3\4", 4, out), 106);
	cr_assert_eq(memcmp(out + 102, "\1\2\3\4", 4), 0);
	cr_assert_eq(wake_packet(mac, (const uint8_t *)"\1\2\3\4\5\6", 6, out), WAKE_PACKET_MAX);
}

Test(wake, is_sent_to_one_and_to_all, .timeout = 20)
{
	static const char *const targets[] = { "127.0.0.1", "127.255.255.255" };
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY) };
	socklen_t len = sizeof(me);
	uint8_t out[WAKE_PACKET_MAX], in[256];
	size_t n = wake_packet(mac, (const uint8_t *)"\1\2\3\4\5\6", 6, out);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&me, sizeof(me)), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&me, &len), 0);
	for (size_t i = 0; i < 2; i++) {
		struct pst_err err = PST_ERR_INIT;

		cr_assert_eq(wake_send(targets[i], ntohs(me.sin_port), out, n, &err), 0, "%s", err.text);
		cr_assert_eq(recv(fd, in, sizeof(in), 0), (ssize_t)n);
		cr_assert_eq(memcmp(in, out, n), 0);
	}
	close(fd);
}

Test(wake, no_address_is_no_target)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(wake_send("everybody", 9, mac, sizeof(mac), &err), PST_EINVAL);
	cr_assert_not_null(strstr(err.text, "everybody"), "%s", err.text);
}
