/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mkfs.ext4, e2fsck and resize2fs, which inherit what their caller has open without O_CLOEXEC. */
#include "broker/hypervisor/desktop/ext4.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The exit status, or PST_E… */
static int run(const char *const argv[], struct pst_err *err)
{
	posix_spawn_file_actions_t files;
	int status = 0, rc;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, 2, 1);
	rc = posix_spawnp(&pid, argv[0], &files, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	if (rc != 0)
		return pst_err_sys(err, rc == ENOENT ? PST_EUNSUPPORTED : PST_EIO, rc, "start %s", argv[0]);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return pst_err_sys(err, PST_EIO, errno, "wait for %s", argv[0]);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : pst_err_set(err, PST_EIO, "%s was killed", argv[0]);
}

static int run_well(const char *const argv[], int status_max, struct pst_err *err)
{
	int status = run(argv, err);

	if (status < 0)
		return status;
	return status <= status_max ? 0 : pst_err_set(err, PST_EIO, "%s ended with status %d", argv[0], status);
}

int ext4_make(const char *device, struct pst_err *err)
{
	const char *const argv[] = { "mkfs.ext4", "-q", "-F", "-L", "puesto-files", "-m", "0", device, NULL };

	return run_well(argv, 0, err);
}

/* e2fsck(8): 1 and 2 are what was wrong and is mended. */
int ext4_mend(const char *device, struct pst_err *err)
{
	const char *const check[] = { "e2fsck", "-p", device, NULL };

	return run_well(check, 2, err) < 0 ? pst_err_wrap(err, "the file system of the user's files needs an administrator") : 0;
}

static uint32_t number(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* ext4, "The Super Block": s_blocks_count_lo and _hi, s_log_block_size. */
int ext4_bytes(int fd, uint64_t *ret, struct pst_err *err)
{
	uint8_t super[1024];
	ssize_t n = pread(fd, super, sizeof(super), 1024);

	if (n != (ssize_t)sizeof(super) || super[56] != 0x53 || super[57] != 0xef || number(super + 24) > 6)
		return pst_err_sys(err, PST_EIO, n < 0 ? errno : EINVAL, "read the superblock");
	*ret = ((uint64_t)number(super + 336) << 32 | number(super + 4)) << (10 + number(super + 24));
	return 0;
}

/* resize2fs wants a whole check since the last mount. */
int ext4_grow(const char *device, struct pst_err *err)
{
	const char *const check[] = { "e2fsck", "-f", "-p", device, NULL }, *const resize[] = { "resize2fs", device, NULL };

	return run_well(check, 2, err) < 0 ? err->code : run_well(resize, 0, err);
}
