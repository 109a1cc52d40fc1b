/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Durable linked overlays a minute, beside `qemu-img create` in the same run and folder: rounds of both take turns,
 * so that what else the machine does meets both.
 *
 *	disk_bench [FOLDER [ROUNDS [BATCH]]]
 *
 * Ends with status 1 when the goals are missed: 20,000 a minute, and seven times qemu-img.
 */
#include "broker/hypervisor/disk/qcow2.h"
#include "broker/hypervisor/local/tree.h"

#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define GOAL_A_MINUTE 20000.0
#define GOAL_RATIO 7.0
#define BATCH_MAX 4096
#define THEIRS 12 /* runs of qemu-img a round */
#define THREADS 8
#define BY_THREAD 16

extern char **environ;

static char folder[128], base[160], (*paths)[192];
static struct qcow2_overlay *overlays;

static double seconds_of(size_t batch, size_t round)
{
	struct pst_err err = PST_ERR_INIT;

	for (size_t i = 0; i < batch; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/ours-%zu-%zu.qcow2", folder, round, i);
		overlays[i] = (struct qcow2_overlay){ .path = paths[i], .backing = base, .backing_format = DISK_RAW,
			.within = folder, .uid = getuid(), .gid = getgid() };
	}
	uint64_t from = pst_mono_ns();
	if (qcow2_overlays_create(overlays, batch, &err) < 0) {
		fprintf(stderr, "disk_bench: %s\n", err.text);
		exit(2);
	}
	return (double)(pst_mono_ns() - from) / 1e9;
}

/* As a driver has it: several threads, each with one desktop's disk at a time. */
static void *thread_run(void *arg)
{
	struct qcow2_overlay *first = arg;
	struct pst_err err = PST_ERR_INIT;

	for (size_t i = 0; i < BY_THREAD; i++)
		if (qcow2_overlays_create(&first[i], 1, &err) < 0)
			fprintf(stderr, "disk_bench: %s\n", err.text);
	return NULL;
}

static double seconds_of_threads(size_t round)
{
	pthread_t threads[THREADS];
	uint64_t from;

	for (size_t i = 0; i < THREADS * BY_THREAD; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/alone-%zu-%zu.qcow2", folder, round, i);
		overlays[i] = (struct qcow2_overlay){ .path = paths[i], .backing = base, .backing_format = DISK_RAW,
			.within = folder, .uid = getuid(), .gid = getgid() };
	}
	from = pst_mono_ns();
	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, thread_run, &overlays[i * BY_THREAD]) != 0)
			exit(2);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return (double)(pst_mono_ns() - from) / 1e9;
}

/* qemu-img syncs the file it has made, but not its name. */
static double seconds_of_qemu_img(size_t round)
{
	uint64_t from = pst_mono_ns();

	for (int i = 0; i < THEIRS; i++) {
		char path[192];
		char *const argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", path, NULL };
		int status = -1;
		pid_t pid;

		snprintf(path, sizeof(path), "%s/theirs-%zu-%d.qcow2", folder, round, i);
		if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0 || waitpid(pid, &status, 0) < 0 ||
			status != 0) {
			fprintf(stderr, "disk_bench: qemu-img (package qemu-utils) does not run\n");
			exit(2);
		}
	}
	return (double)(pst_mono_ns() - from) / 1e9;
}

static void folder_make(const char *parent)
{
	snprintf(folder, sizeof(folder), "%.80s/puesto-disk-bench-%d", parent, (int)getpid());
	snprintf(base, sizeof(base), "%s/base.raw", folder);
	if (mkdir(folder, 0700) < 0 || !freopen(base, "w", stdin) || truncate(base, (off_t)20 << 30) < 0) {
		perror(folder);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 5, batch = argc > 3 ? strtoul(argv[3], NULL, 10) : 512;
	double ours = 0, alone = 0, theirs = 0;
	struct pst_err err = PST_ERR_INIT;

	batch = PST_CLAMP(batch, (size_t)1, (size_t)BATCH_MAX);
	rounds = PST_MAX(rounds, (size_t)1);
	paths = pst_zalloc(PST_MAX(batch, (size_t)THREADS * BY_THREAD), sizeof(*paths));
	overlays = pst_zalloc(PST_MAX(batch, (size_t)THREADS * BY_THREAD), sizeof(*overlays));
	if (!paths || !overlays)
		return 2;
	folder_make(argc > 1 ? argv[1] : "/var/tmp");
	for (size_t i = 0; i < rounds; i++) {
		ours += seconds_of(batch, i);
		alone += seconds_of_threads(i);
		theirs += seconds_of_qemu_img(i);
	}
	if (tree_remove(folder, &err) < 0)
		fprintf(stderr, "disk_bench: %s\n", err.text);

	double a_minute = 60.0 * (double)(rounds * batch) / ours, of_qemu = 60.0 * (double)(rounds * THEIRS) / theirs;
	printf("overlays, durable with their names: %8.0f a minute (calls of %zu)\n", a_minute, batch);
	printf("the same, one by one, %d threads:    %8.0f a minute\n", THREADS,
		60.0 * (double)(rounds * THREADS * BY_THREAD) / alone);
	printf("qemu-img create:                    %8.0f a minute\n", of_qemu);
	printf("ratio:                              %8.1f\n", a_minute / of_qemu);
	free(paths);
	free(overlays);
	return a_minute < GOAL_A_MINUTE || a_minute < GOAL_RATIO * of_qemu;
}
