/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stranger's image index, and what a broken puesto-unpack could say. */
#include "broker/hypervisor/oci/oci_layout.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_record(void *arg, const struct record *r, struct pst_err *err)
{
	(void)err;
	if (r->kind == 0 || r->kind >= RECORD_KINDS || strlen(r->path) > RECORD_PATH_MAX || strlen(r->link) > RECORD_PATH_MAX)
		__builtin_trap();
	return members_add(arg, r, 1 << 20, NULL);
}

static int on_content(void *arg, const uint8_t *data, size_t len, struct pst_err *err)
{
	(void)arg, (void)data, (void)len, (void)err;
	return 0;
}

static void find(int fd, const struct members *m)
{
	struct pst_err err = PST_ERR_INIT;
	struct oci_image image;

	if (oci_image_find(fd, m, "amd64", &image, &err) == 0 && (image.n_layers == 0 || image.n_layers > LAYOUT_LAYERS_MAX || !image.config))
		__builtin_trap();
	oci_image_finish(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "index.json", "oci-layout", "manifest.json" };
	struct members said = { 0 }, whole = { 0 };
	struct record_reader reader = { .record = on_record, .content = on_content, .arg = &said };
	int fd = memfd_create("archive", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	/* The bytes as a stream of records, and the members that it tells … */
	record_feed(&reader, data, size, NULL);
	find(fd, &said);
	/* … and as each document of an archive. */
	for (size_t first = 0; first < 3; first += 2) {
		for (size_t i = first; i < (first ? 3 : 2); i++) {
			struct record r = { .kind = RECORD_MEMBER, .size = size };

			strcpy(r.path, names[i]);
			members_add(&whole, &r, size, NULL);
		}
		find(fd, &whole);
		members_finish(&whole);
	}
	members_finish(&said);
	close(fd);
	return 0;
}
