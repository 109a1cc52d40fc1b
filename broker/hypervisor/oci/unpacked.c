/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hears puesto-unpack. */
#include "broker/hypervisor/oci/unpacked.h"

#include "base/clock.h"
#include "base/mem.h"
#include "broker/hypervisor/disk/child.h"

#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_MAX UINT64_MAX /* its shadow is larger than any ceiling */
#else
#define MEMORY_MAX (UINT64_C(768) << 20) /* zstd's largest window is 128 MB */
#endif

struct hearing {
	struct record_reader reader;
	int rc; /* what reading it met, with its words in err */
	struct pst_err err;
};

static void said(void *arg, const char *text, size_t len)
{
	struct hearing *h = arg;

	if (h->rc == 0)
		h->rc = record_feed(&h->reader, (const uint8_t *)text, len, &h->err);
}

static bool said_well(void *arg)
{
	const struct hearing *h = arg;

	return h->rc == 0;
}

static int run(const struct unpacked *u, struct hearing *h, uint64_t now, struct pst_err *err)
{
	uint32_t left = (uint32_t)PST_MIN(u->deadline_ms - now, (uint64_t)UINT32_MAX);
	struct sandbox_params params = { .memory_max = MEMORY_MAX, .cpu_s_max = left / 1000 + 1, .program = u->argv[0], .read_fds = &u->fd, .n_read = 1,
		.write_fd = -1 };
	struct sandbox sandbox;
	struct child_params child = { .argv = u->argv, .sandbox = &sandbox, .timeout_ms = left, .cancel_fd = u->cancel_fd, .said = said, .go_on = said_well,
		.arg = h };
	struct pst_err why = PST_ERR_INIT;
	int rc;

	if (sandbox_init(&sandbox, &params, err) < 0)
		return err->code;
	rc = child_run(&child, &why);
	sandbox_finish(&sandbox);
	if (h->rc < 0)
		return pst_err_pass(err, h->rc, &h->err);
	if (rc == PST_EIO)
		return pst_err_set(err, PST_EINVAL, "the archive cannot be unpacked: %.300s", why.text);
	return rc < 0 ? pst_err_pass(err, rc, &why) : record_finish(&h->reader, err);
}

int unpacked_run(const struct unpacked *u, struct pst_err *err)
{
	struct hearing *h = pst_zalloc(1, sizeof(*h));
	uint64_t now = pst_mono_ms();
	int rc;

	if (!h)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	h->reader.record = u->record;
	h->reader.content = u->content;
	h->reader.arg = u->arg;
	rc = now < u->deadline_ms ? run(u, h, now, err) : pst_err_set(err, PST_ETIMEOUT, "the import takes too long");
	free(h);
	return rc;
}
