/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files in the order in which they may be read, and what the kernel keeps. */
#include "agent/seed/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"

#define CONF_MAX 4096
#define CLOCK_SLACK_MS 500 /* smaller differences are left to whoever keeps the time */
#define MACHINE_ID_BYTES 16

static const char *under(const struct seed_target *t, const char *path, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s%s", t->root, path);
	return out;
}

static int file_put(
	const struct seed_target *t, const char *path, const char *text, mode_t mode, struct pst_err *err)
{
	char full[PATH_MAX];

	return pst_file_write(under(t, path, full), text, strlen(text), mode, err);
}

static int folders_make(const struct seed_target *t, struct pst_err *err)
{
	char path[PATH_MAX];

	if (pst_mkdirs(under(t, "/etc/puesto", path), 0755, err) < 0 ||
		pst_mkdirs(under(t, SEED_AGENT_DIR, path), 0700, err) < 0)
		return err->code;
	if (chown(path, t->uid, t->gid) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%s", path);
	return 0;
}

static int conf_put(const struct seed_target *t, const char *path, struct pst_buf *b, struct pst_err *err)
{
	const char *text = pst_buf_cstr(b);
	int rc = text ? file_put(t, path, text, 0644, err)
		      : pst_err_set(err, PST_ENOMEM, "no memory for %s", path);

	pst_buf_finish(b);
	return rc;
}

/* Values have none of the characters that a configuration file gives a meaning to: seed.c saw to that. */
static void line_put(struct pst_buf *b, const char *key, const char *value)
{
	if (value[0])
		pst_buf_printf(b, "%s = %s\n", key, value);
}

/* The agent's comes last of all: it may be waiting for it. */
static int confs_put(const struct seed_target *t, const struct seed *s, struct pst_err *err)
{
	struct pst_buf b;

	pst_buf_init(&b, CONF_MAX);
	pst_buf_put_str(&b, "# Written by puesto-seed.\n[session]\n");
	line_put(&b, "locale", s->locale);
	line_put(&b, "layout", s->layout);
	if (conf_put(t, SEED_SESSION_CONF, &b, err) < 0)
		return err->code;
	pst_buf_init(&b, CONF_MAX);
	pst_buf_put_str(&b, "# Written by puesto-seed.\n[agent]\n");
	line_put(&b, "broker_tls", s->broker);
	line_put(&b, "display_tls", s->display);
	line_put(&b, "ca", SEED_CA);
	line_put(&b, "layout", s->layout);
	return conf_put(t, SEED_AGENT_CONF, &b, err);
}

static int enrol_put(const struct seed_target *t, const struct seed *s, struct pst_err *err)
{
	char path[PATH_MAX];

	if (s->token[0] == 0)
		return 0;
	json_t *o = json_pack("{s:s, s:s}", "desktop", s->desktop, "token", s->token);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory for the enrolment");
	int rc = pst_file_write(under(t, SEED_AGENT_DIR "/enrol.json", path), text, strlen(text), 0600, err);
	pst_wipe(text, strlen(text));
	free(text);
	if (rc == 0 && chown(path, t->uid, t->gid) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%s", path);
	return rc;
}

static int hostname_put(const struct seed_target *t, const struct seed *s, struct pst_err *err)
{
	char text[256];

	snprintf(text, sizeof(text), "%s\n", s->hostname);
	if (file_put(t, "/etc/hostname", text, 0644, err) < 0)
		return err->code;
	snprintf(text, sizeof(text),
		"127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost ip6-localhost ip6-loopback\n", s->hostname);
	if (file_put(t, "/etc/hosts", text, 0644, err) < 0)
		return err->code;
	if (t->root[0] == 0 && sethostname(s->hostname, strlen(s->hostname)) < 0)
		return pst_err_sys(err, PST_EIO, errno, "set the host name");
	return 0;
}

/* From the kernel, which was just fed: a library's generator in this process may have been copied with the
 * parent's memory. */
static int machine_id_put(const struct seed_target *t, struct pst_err *err)
{
	uint8_t bytes[MACHINE_ID_BYTES];
	char text[PST_HEX_LEN(MACHINE_ID_BYTES) + 2];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return pst_err_sys(err, PST_EIO, errno, "random bytes");
	pst_hex_encode(bytes, sizeof(bytes), text, sizeof(text));
	strcat(text, "\n");
	return file_put(t, "/etc/machine-id", text, 0444, err);
}

/* The new ones are made beside us: a slow machine takes seconds for them, and nobody logs in by SSH before.
 */
static int ssh_keys_renew(const struct seed_target *t, struct pst_err *err)
{
	char pattern[PATH_MAX];
	glob_t found = { 0 };
	int rc = 0;

	if (glob(under(t, "/etc/ssh/ssh_host_*_key*", pattern), 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc && rc == 0; i++) {
			if (unlink(found.gl_pathv[i]) < 0)
				rc = pst_err_sys(err, PST_EIO, errno, "%s", found.gl_pathv[i]);
		}
	}
	globfree(&found);
	if (rc == 0 && t->root[0] == 0 && access("/usr/bin/ssh-keygen", X_OK) == 0 && fork() == 0) {
		setsid();
		execl("/usr/bin/ssh-keygen", "ssh-keygen", "-q", "-A", (char *)NULL);
		_exit(127);
	}
	return rc;
}

static void clock_set(const struct seed *s)
{
	const struct timeval tv = { .tv_sec = s->time_ms / 1000, .tv_usec = s->time_ms % 1000 * 1000 };

	if (s->time_ms == 0 || llabs(s->time_ms - pst_wall_ms()) < CLOCK_SLACK_MS)
		return;
	if (settimeofday(&tv, NULL) < 0)
		pst_warn("the clock cannot be set: %s", strerror(errno));
}

/* Children of one parent share its pool: what they are told apart by must come from outside. */
static void random_feed(const struct seed *s)
{
	struct {
		struct rand_pool_info head;
		uint8_t data[SEED_RANDOM_MAX];
	} pool = { .head = { .entropy_count = (int)s->random_len * 8, .buf_size = (int)s->random_len } };
	int fd = s->random_len > 0 ? open("/dev/urandom", O_WRONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	memcpy(pool.data, s->random, s->random_len);
	if (ioctl(fd, RNDADDENTROPY, &pool) < 0 || ioctl(fd, RNDRESEEDCRNG) < 0)
		pst_warn("the kernel takes no random bytes: %s", strerror(errno));
	pst_wipe(&pool, sizeof(pool));
	close(fd);
}

bool seed_is_used(const struct seed_target *t, const struct seed *s)
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX], *text = NULL;
	size_t len;

	if (pst_file_read(under(t, SEED_USED, path), 2 * PST_SHA256_HEX_SIZE, &text, &len, &err) < 0)
		return false;
	bool is_same = strncmp(text, s->hash, PST_SHA256_HEX_SIZE - 1) == 0 ||
		       (!s->token[0] && len > PST_SHA256_HEX_SIZE && strcmp(text + PST_SHA256_HEX_SIZE, s->bare) == 0);
	free(text);
	return is_same;
}

bool seed_was_any(const struct seed_target *t)
{
	char path[PATH_MAX];

	return access(under(t, SEED_USED, path), F_OK) == 0;
}

int seed_apply(const struct seed_target *t, const struct seed *s, struct pst_err *err)
{
	char used[2 * PST_SHA256_HEX_SIZE];

	snprintf(used, sizeof(used), "%s %s", s->hash, s->bare);
	if (t->root[0] == 0) {
		clock_set(s);
		random_feed(s);
	}
	if (folders_make(t, err) < 0 || hostname_put(t, s, err) < 0 || machine_id_put(t, err) < 0 || ssh_keys_renew(t, err) < 0 ||
		file_put(t, SEED_CA, s->ca, 0644, err) < 0 || enrol_put(t, s, err) < 0 || confs_put(t, s, err) < 0 ||
		file_put(t, SEED_USED, used, 0600, err) < 0)
		return pst_err_wrap(err, "applying the seed");
	return 0;
}
