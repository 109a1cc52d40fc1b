/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many fsync at the same time. */
#include "broker/hypervisor/disk/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define THREADS_MAX 8 /* measured: more gain nothing */

struct job {
	const int *fds;
	int *errors;
	size_t n;
	atomic_size_t next, failed;
};

static void *job_run(void *arg)
{
	struct job *j = arg;
	size_t i;

	while ((i = atomic_fetch_add(&j->next, 1)) < j->n) {
		if (j->fds[i] < 0)
			continue;
		j->errors[i] = fsync(j->fds[i]) < 0 ? errno : 0;
		if (j->errors[i])
			atomic_fetch_add(&j->failed, 1);
	}
	return NULL;
}

/* Signals are the caller's business: no thread of ours takes one. */
static size_t threads_start(struct job *j, pthread_t *threads, size_t n)
{
	sigset_t all, before;
	size_t started = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started < n && pthread_create(&threads[started], NULL, job_run, j) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

size_t sync_files(const int *fds, int *ret_errors, size_t n)
{
	struct job j = { .fds = fds, .errors = ret_errors, .n = n };
	pthread_t threads[THREADS_MAX - 1];
	size_t started, wanted = n < THREADS_MAX ? n : THREADS_MAX;

	/* Blocks are found for all files before the first one waits: one commit then holds them all. */
	for (size_t i = 0; i < n && n > 1; i++)
		if (fds[i] >= 0)
			sync_file_range(fds[i], 0, 0, SYNC_FILE_RANGE_WRITE);
	/* The caller's thread works too, so without any other it is merely slower. */
	started = wanted > 1 ? threads_start(&j, threads, wanted - 1) : 0;
	job_run(&j);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return atomic_load(&j.failed);
}
