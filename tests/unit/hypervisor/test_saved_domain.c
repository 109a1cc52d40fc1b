/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heads of saved domains, read and written. */
#include "broker/hypervisor/libvirt/saved_domain.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct head {
	char magic[16];
	uint32_t version, length, was_running, compressed, cookie, unused[14];
};

static int file_of(const void *p, size_t n)
{
	int fd = memfd_create("saved", MFD_CLOEXEC);

	cr_assert(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	return fd;
}

/* As libvirt 9 writes it: document, cookie, 64 KiB of padding (here: 10 bytes). */
static size_t make(char *out, const struct head *h)
{
	static const char body[] = "<domain/>\0<cookie/>\0\0\0\0\0\0\0\0\0\0STREAM";

	memcpy(out, h, sizeof(*h));
	memcpy(out + sizeof(*h), body, sizeof(body) - 1);
	return sizeof(*h) + sizeof(body) - 1;
}

static const struct head good = { .magic = "LibvirtQemudSave", .version = 2, .length = 30, .was_running = 1, .cookie = 10 };

Test(saved_domain, gets_another_document_before_the_same_stream)
{
	struct pst_err err = PST_ERR_INIT;
	struct saved s, again;
	struct pst_buf b;
	char data[200];
	int fd = file_of(data, make(data, &good));

	cr_assert_eq(saved_read(fd, &s, &err), 0, "%s", err.text);
	cr_expect_str_eq(s.document, "<domain/>");
	cr_expect_str_eq(s.cookie, "<cookie/>");
	cr_expect_eq(s.stream, 92 + 30);
	close(fd);
	pst_buf_init(&b, SAVED_HEAD_MAX);
	cr_assert_eq(saved_head(&s, "<domain type='qemu'/>", &b, &err), 0);
	saved_finish(&s);
	fd = file_of(b.data, b.len);
	cr_assert_eq(saved_read(fd, &again, &err), 0, "%s", err.text);
	cr_expect_str_eq(again.document, "<domain type='qemu'/>");
	cr_expect_str_eq(again.cookie, "<cookie/>");
	cr_expect_eq(again.stream, b.len, "the stream follows at once");
	saved_finish(&again);
	pst_buf_finish(&b);
	close(fd);
}

Test(saved_domain, refuses_what_it_does_not_know)
{
	static const struct {
		struct head h;
		int code;
	} cases[] = {
		{ { .magic = "LibvirtQemudPart", .version = 2, .length = 30 }, PST_EINVAL },
		{ { .magic = "LibvirtQemudSave", .version = 3, .length = 30 }, PST_EUNSUPPORTED },
		{ { .magic = "LibvirtQemudSave", .version = 2, .length = 30, .compressed = 1 }, PST_EUNSUPPORTED },
		{ { .magic = "LibvirtQemudSave", .version = 2, .length = 30, .cookie = 30 }, PST_EINVAL },
		{ { .magic = "LibvirtQemudSave", .version = 2, .length = 0 }, PST_EINVAL },
		{ { .magic = "LibvirtQemudSave", .version = 2, .length = 4000 }, PST_EINVAL },
		{ { .magic = "LibvirtQemudSave", .version = 2, .length = UINT32_MAX }, PST_EINVAL },
	};
	char data[200];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = file_of(data, make(data, &cases[i].h));
		struct pst_err err = PST_ERR_INIT;
		struct saved s;

		cr_expect_eq(saved_read(fd, &s, &err), cases[i].code, "case %zu: %s", i, err.text);
		cr_expect_null(s.document);
		close(fd);
	}
}

Test(saved_domain, a_document_has_a_ceiling)
{
	struct pst_err err = PST_ERR_INIT;
	struct saved s = { .document = NULL };
	char *huge = malloc(SAVED_HEAD_MAX + 1);
	struct pst_buf b;

	cr_assert_not_null(huge);
	memset(huge, 'x', SAVED_HEAD_MAX);
	huge[SAVED_HEAD_MAX] = '\0';
	pst_buf_init(&b, SAVED_HEAD_MAX);
	cr_expect_eq(saved_head(&s, huge, &b, &err), PST_ELIMIT);
	pst_buf_finish(&b);
	free(huge);
}
