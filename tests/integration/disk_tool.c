/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What test_disk.py calls of broker/hypervisor/disk: one verb a run, an answer on stdout, a reason on stderr. */
#include "broker/hypervisor/disk/datastore.h"
#include "broker/hypervisor/disk/edit.h"
#include "broker/hypervisor/disk/import.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/personal.h"
#include "broker/hypervisor/disk/probe.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/disk/version.h"
#include "broker/hypervisor/oci/oci_import.h"

#include "base/clock.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct pst_err err;

/* overlay BACKING FORMAT SIZE PATH... */
static int run_overlay(int argc, char **argv)
{
	size_t n = (size_t)argc - 3;
	struct qcow2_overlay *all = pst_zalloc(n, sizeof(*all));
	enum disk_format format;

	if (!all || disk_format_parse(argv[1], &format) < 0)
		return PST_EINVAL;
	for (size_t i = 0; i < n; i++)
		all[i] = (struct qcow2_overlay){ .path = argv[3 + i], .backing = argv[0], .backing_format = format,
			.size = strtoull(argv[2], NULL, 10), .uid = getuid(), .gid = getgid() };
	int rc = qcow2_overlays_create(all, n, &err);
	for (size_t i = 0; i < n; i++)
		printf("%s\n", pst_code_word(all[i].code));
	free(all);
	return rc;
}

static int print_link(unsigned depth, const char *path, const struct disk_info *info, void *arg)
{
	const struct qcow2_header *h = &info->qcow2;

	(void)arg;
	printf("%u %s %s %" PRIu64 " encrypted=%d data=%d snapshots=%u\n", depth, path,
		disk_format_name(info->format), info->size, h->is_encrypted, h->has_data_file, h->snapshots);
	return 0;
}

/* chain PATH FORMAT WITHIN */
static int run_chain(int argc, char **argv)
{
	enum disk_format format;

	(void)argc;
	if (disk_format_parse(argv[1], &format) < 0)
		return PST_EINVAL;
	return disk_chain_walk(argv[0], format, argv[2], print_link, NULL, NULL, &err);
}

static void print_progress(void *arg, uint32_t basis_points)
{
	(void)arg;
	printf("progress %u\n", basis_points);
}

/* import SOURCE FORMAT TARGET SIZE_MAX FILE_MAX TIMEOUT_MS [WITHIN] */
static int run_import(int argc, char **argv)
{
	struct import_params p = { .program = "/usr/bin/qemu-img", .source = argv[0], .within = argc > 6 ? argv[6] : NULL,
		.target = argv[2], .size_max = strtoull(argv[3], NULL, 10), .file_max = strtoull(argv[4], NULL, 10),
		.timeout_ms = (uint32_t)strtoul(argv[5], NULL, 10), .cancel_fd = -1, .progress = print_progress };
	struct disk_info info;

	if (disk_format_parse(argv[1], &p.format) < 0)
		return PST_EINVAL;
	int rc = import_run(&p, &info, &err);
	if (rc == 0)
		printf("size %" PRIu64 "\n", info.size);
	return rc;
}

/* publish FOLDER IMAGE VERSION SOURCE */
static int run_publish(int argc, char **argv)
{
	struct version_params p = { .folder = argv[0], .image = argv[1], .version = argv[2], .source = argv[3],
		.now_ms = pst_wall_ms() };
	struct manifest m;
	char path[PATH_MAX];

	(void)argc;
	int rc = datastore_init(argv[0], &err);
	if (rc == 0)
		rc = version_publish(&p, &m, &err);
	if (rc == 0)
		rc = version_disk_path(argv[0], argv[1], argv[2], path, &err);
	if (rc == 0)
		printf("%s %s\n", m.sha256, path);
	return rc;
}

/* verify FOLDER IMAGE VERSION */
static int run_verify(int argc, char **argv)
{
	(void)argc;
	return version_verify(argv[0], argv[1], argv[2], true, NULL, NULL, &err);
}

/* remove FOLDER IMAGE VERSION: for good, without a time in the bin */
static int run_remove(int argc, char **argv)
{
	unsigned n = 0;

	(void)argc;
	int rc = version_remove(argv[0], NULL, argv[1], argv[2], "test", 0, 0, &err);
	if (rc == 0)
		rc = recycle_purge(argv[0], NULL, 1, &n, &err);
	printf("%u\n", n);
	return rc;
}

/* sweep FOLDER: what crashes have left, for good */
static int run_sweep(int argc, char **argv)
{
	unsigned n = 0;

	(void)argc;
	int rc = version_sweep(argv[0], 0, 0, &n, &err);
	if (rc == 0)
		rc = recycle_purge(argv[0], NULL, 1, NULL, &err);
	printf("%u\n", n);
	return rc;
}

static struct edit_params edit_params_of(const char *path, const char *within)
{
	return (struct edit_params){ .program = "/usr/bin/qemu-img", .path = path, .within = within,
		.timeout_ms = 60000, .cancel_fd = -1 };
}

/* grow PATH WITHIN SIZE */
static int run_grow(int argc, char **argv)
{
	struct edit_params p = edit_params_of(argv[0], argv[1]);

	(void)argc;
	return edit_grow(&p, strtoull(argv[2], NULL, 10), &err);
}

/* personal FOLDER OWNER NAME SIZE */
static int run_personal(int argc, char **argv)
{
	char path[PATH_MAX], serial[PERSONAL_SERIAL_SIZE];

	(void)argc;
	int rc = personal_create(argv[0], argv[1], argv[2], strtoull(argv[3], NULL, 10), getuid(), getgid(), &err);
	if (rc == 0)
		rc = personal_path(argv[0], argv[1], argv[2], path, &err);
	personal_serial(argv[1], argv[2], serial);
	if (rc == 0)
		printf("%s %s\n", path, serial);
	return rc;
}

/* probe PATH: among all formats */
static int run_probe(int argc, char **argv)
{
	const unsigned all = PROBE_ALLOW(DISK_RAW) | PROBE_ALLOW(DISK_QCOW2) | PROBE_ALLOW(DISK_VMDK) |
		PROBE_ALLOW(DISK_VHDX);
	static uint8_t head[PROBE_SIZE];
	enum disk_format format;
	FILE *f = fopen(argv[0], "r");

	(void)argc;
	if (!f)
		return PST_ENOTFOUND;
	size_t n = fread(head, 1, sizeof(head), f);
	fclose(f);
	int rc = probe_format(head, n, all, &format, &err);
	if (rc == 0)
		printf("%s\n", disk_format_name(format));
	return rc;
}

/* oci PROGRAM SOURCE TARGET BYTES_MAX ENTRIES_MAX TIMEOUT_MS */
static int run_oci(int argc, char **argv)
{
	struct oci_params p = { .program = argv[0], .source = argv[1], .target = argv[2], .bytes_max = strtoull(argv[3], NULL, 10),
		.entries_max = strtoull(argv[4], NULL, 10), .timeout_ms = (uint32_t)strtoul(argv[5], NULL, 10), .cancel_fd = -1 };
	struct oci_result r;

	(void)argc;
	if (oci_import_run(&p, &r, &err) < 0)
		return err.code;
	printf("{\"id\": \"%s\", \"sha256\": \"%s\", \"file_size\": %" PRIu64 ", \"tree_size\": %" PRIu64 ", \"left_out\": %" PRIu64 "}\n", r.id,
		r.sha256, r.file_size, r.tree_size, r.left_out);
	return 0;
}

static const struct verb {
	const char *name;
	int words; /* at least */
	int (*run)(int argc, char **argv);
} verbs[] = {
	{ "overlay", 4, run_overlay },
	{ "chain", 3, run_chain },
	{ "grow", 3, run_grow },
	{ "import", 6, run_import },
	{ "oci", 6, run_oci },
	{ "personal", 4, run_personal },
	{ "probe", 1, run_probe },
	{ "publish", 4, run_publish },
	{ "remove", 3, run_remove },
	{ "sweep", 1, run_sweep },
	{ "verify", 3, run_verify },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(verbs) && argc > 1; i++) {
		if (strcmp(argv[1], verbs[i].name) != 0 || argc - 2 < verbs[i].words)
			continue;
		int rc = verbs[i].run(argc - 2, argv + 2);

		if (rc < 0)
			fprintf(stderr, "%s: %s\n", pst_code_word(rc), err.text);
		return rc < 0;
	}
	fprintf(stderr, "usage: disk_tool VERB WORDS...\n");
	return 2;
}
