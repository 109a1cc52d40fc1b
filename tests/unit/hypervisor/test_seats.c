/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of seats, right and wrong. */
#include "broker/hypervisor/hosts/seats.h"

#include "base/file.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Test(seats, lines_are_read)
{
	static const char *const text = "# comment\n\nlab-01 address=10.1.3.11\n\tlab-02\taddress=10.1.3.12  protocol=vnc mac=52:54:00:aa:BB:01\r\n"
		"lab.3 address=fe80::1 protocol=rdp port=3390 secureon=01-02-03-04 wake=10.1.3.255";
	struct pst_err err = PST_ERR_INIT;
	struct seats s;

	cr_assert_eq(seats_parse(text, &s, &err), 0, "%s", err.text);
	cr_assert_eq(s.n, 3);
	cr_assert_eq(s.list[0].protocol, SEAT_AGENT);
	cr_assert_eq(s.list[0].port, 5910);
	cr_assert(!s.list[0].has_mac);
	cr_assert_eq(s.list[1].port, 5900);
	cr_assert(s.list[1].has_mac && memcmp(s.list[1].mac, "\x52\x54\x00\xaa\xbb\x01", 6) == 0);
	cr_assert_eq(seats_find(&s, "lab.3")->port, 3390);
	cr_assert_eq(seats_find(&s, "lab.3")->secureon_len, 4);
	cr_assert_str_eq(seats_find(&s, "lab.3")->wake, "10.1.3.255");
	cr_assert_null(seats_find(&s, "lab"));
	seats_finish(&s);
	seats_finish(&s);
	cr_assert_eq(seats_parse("", &s, &err), 0);
	cr_assert_eq(s.n, 0);
	seats_finish(&s);
}

Test(seats, mistakes_are_named_with_their_line)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "a address=10.0.0.1\na address=10.0.0.2", "line 2: a is there twice" },
		{ "a address=10.0.0.1\nb address=10.0.0.1", "b has the address and port of a" },
		{ "a address=fd00::1\nb address=FD00:0:0::0:1", "b has the address and port of a" },
		{ "a address=10.0.0.1\nb address=::ffff:10.0.0.1", "b has the address and port of a" },
		{ "a", "address=… is missing" },
		{ "\n\na address=host.example", "line 3: a: address: \"host.example\" is no numeric address" },
		{ "a address=10.0.0.1 protocol=spice", "spice" },
		{ "a address=10.0.0.1 port=0", "port" },
		{ "a address=10.0.0.1 mac=52:54:00:aa:bb", "mac" },
		{ "a address=10.0.0.1 mac=52:54:00:aa:bb:cc:dd", "mac" },
		{ "a address=10.0.0.1 secureon=1:2:3:4", "SecureOn" },
		{ "a address=10.0.0.1 secureon=01:02:03", "SecureOn" },
		{ "a address=10.0.0.1 wake=broadcast", "wake" },
		{ "a address=10.0.0.1 colour=red", "colour" },
		{ "a address=10.0.0.1 protocol=rdp fingerprint=12", "64" },
		{ "a address=10.0.0.1 protocol=rdp login=guess", "ask or fixed" },
		{ "a address=10.0.0.1 red", "KEY=VALUE" },
		{ "../a address=10.0.0.1", "name" },
	};
	char *long_line = calloc(1, 1000);
	struct seats s;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pst_err err = PST_ERR_INIT;

		cr_assert_eq(seats_parse(bad[i].text, &s, &err), PST_EINVAL, "%s", bad[i].text);
		cr_assert_not_null(strstr(err.text, bad[i].words), "%s: %s", bad[i].text, err.text);
	}
	struct pst_err err = PST_ERR_INIT;
	memset(long_line, 'a', 999);
	cr_assert_eq(seats_parse(long_line, &s, &err), PST_EINVAL);
	free(long_line);
}

Test(seats, a_file_that_is_not_there_is_no_empty_list)
{
	char path[] = "/tmp/puesto-seats-XXXXXX";
	struct pst_err err = PST_ERR_INIT;
	struct seats s;

	cr_assert_eq(seats_load("/nonexistent/seats", &s, &err), PST_EIO);
	cr_assert_not_null(strstr(err.text, "/nonexistent/seats"), "%s", err.text);
	int fd = mkstemp(path);
	cr_assert_eq(write(fd, "a address=1.2.3.4\n\0b", 20), 20);
	close(fd);
	cr_assert_eq(seats_load(path, &s, &err), PST_EINVAL, "a zero byte would hide the rest");
	cr_assert_eq(truncate(path, 18), 0);
	cr_assert_eq(seats_load(path, &s, &err), 0, "%s", err.text);
	cr_assert_eq(s.n, 1);
	seats_finish(&s);
	unlink(path);
}

Test(seats, a_full_list_and_one_more)
{
	char *text = malloc(64 * (SEATS_MAX + 1)), *p = text;
	struct pst_err err = PST_ERR_INIT;
	struct seats s;

	for (unsigned i = 0; i < SEATS_MAX; i++)
		p += sprintf(p, "s%u address=10.0.%u.%u\n", i, i / 250, i % 250);
	cr_assert_eq(seats_parse(text, &s, &err), 0, "%s", err.text);
	cr_assert_eq(s.n, SEATS_MAX);
	seats_finish(&s);
	sprintf(p, "more address=10.1.0.1\n");
	cr_assert_eq(seats_parse(text, &s, &err), PST_ELIMIT);
	free(text);
}
