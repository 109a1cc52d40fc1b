/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What puesto-unpack says, whole and in pieces, and what it should not say. */
#include "broker/hypervisor/oci/oci_record.h"

#include <criterion/criterion.h>
#include <string.h>

struct heard {
	unsigned records;
	struct record last;
	size_t bytes;
	int answer;
};

static int on_record(void *arg, const struct record *r, struct pst_err *err)
{
	struct heard *h = arg;

	h->records++;
	h->last = *r;
	return h->answer < 0 ? pst_err_set(err, h->answer, "enough") : 0;
}

static int on_content(void *arg, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct heard *h = arg;

	(void)data, (void)err;
	h->bytes += len;
	return 0;
}

static void stream_make(struct pst_buf *b)
{
	const struct record all[] = {
		{ .kind = RECORD_FOLDER, .mode = 0755, .path = "etc" },
		{ .kind = RECORD_FILE, .mode = 04755, .uid = 1, .gid = 2, .size = 5, .mtime = -1, .path = "etc/passwd" },
		{ .kind = RECORD_SYMLINK, .path = "lib", .link = "usr/lib" },
		{ .kind = RECORD_END, .path = "digest" },
	};

	pst_buf_init(b, 1 << 16);
	for (size_t i = 0; i < 4; i++) {
		record_put(b, &all[i]);
		if (all[i].kind == RECORD_FILE)
			pst_buf_append(b, "root\n", 5);
	}
}

Test(oci_record, what_is_put_is_read_in_pieces_of_any_length)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_buf b;

	stream_make(&b);
	for (size_t piece = 1; piece <= b.len; piece++) {
		struct heard h = { 0 };
		struct record_reader r = { .record = on_record, .content = on_content, .arg = &h };

		for (size_t at = 0; at < b.len; at += piece) {
			cr_assert_eq(record_finish(&r, &err), PST_EPROTO, "not whole before its end");
			cr_assert_eq(record_feed(&r, b.data + at, at + piece > b.len ? b.len - at : piece, &err), 0, "%s", err.text);
		}
		cr_assert_eq(record_finish(&r, &err), 0);
		cr_assert_eq(h.records, 4);
		cr_assert_eq(h.bytes, 5);
		cr_assert_str_eq(h.last.path, "digest");
		cr_assert_eq(record_feed(&r, b.data, 1, &err), PST_EPROTO, "nothing comes after the end");
	}
	pst_buf_finish(&b);
}

Test(oci_record, what_cannot_be_said_ends_it)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} spoilt[] = { { 0, 0 }, { 0, RECORD_KINDS }, { 0, 255 }, { 3, 4 }, { 5, 255 }, { RECORD_HEAD_SIZE, 0 } };

	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct heard h = { 0 };
		struct record_reader r = { .record = on_record, .content = on_content, .arg = &h };
		struct pst_buf b;

		stream_make(&b);
		b.data[spoilt[i].at] = spoilt[i].byte;
		cr_assert_eq(record_feed(&r, b.data, b.len, &err), PST_EPROTO, "case %zu", i);
		pst_buf_finish(&b);
	}
}

Test(oci_record, whoever_listens_may_end_it)
{
	struct pst_err err = PST_ERR_INIT;
	struct heard h = { .answer = PST_ELIMIT };
	struct record_reader r = { .record = on_record, .content = on_content, .arg = &h };
	struct pst_buf b;

	stream_make(&b);
	cr_assert_eq(record_feed(&r, b.data, b.len, &err), PST_ELIMIT);
	cr_assert_eq(h.records, 1);
	/* A list has no content: a file in it is none of its words. */
	h = (struct heard){ 0 };
	r = (struct record_reader){ .record = on_record, .arg = &h };
	cr_assert_eq(record_feed(&r, b.data, b.len, &err), PST_EPROTO);
	pst_buf_finish(&b);
}
