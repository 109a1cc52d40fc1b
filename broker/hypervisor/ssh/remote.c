/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs ssh(1): a master that keeps the connection, and a client of it for each command. */
#include "broker/hypervisor/ssh/remote.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/child.h"
#include "broker/hypervisor/path.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define TEXT(x) #x
#define STR(x) TEXT(x)
#define CONNECT_S 10
#define PERSIST_S 300     /* a master without commands ends */
#define EXIT_MS 2000
#define SLICE_MS 50       /* between two looks at a cancel while waiting for a turn */
#define CONTROL_MAX 90    /* a unix socket's path has 108 bytes, and ssh makes it longer while it binds */
#define ARGS 48

struct remote {
	char user[64];
	char target[160]; /* user@host */
	char dir[PATH_MAX]; /* of the masters' sockets */
	char program[PATH_MAX], identity[PATH_MAX], known_hosts[PATH_MAX];
	char control[PATH_MAX]; /* the master's socket; "" where paths are too long for one */
	char port[8];
	pthread_mutex_t master; /* one makes the connection */
	pthread_mutex_t lock;   /* guards busy */
	pthread_cond_t freed;
	uint32_t busy, sessions;
};

struct run {
	struct pst_buf *out;
	int stop_fd; /* readable: cancelled, or too much was said */
};

static void argv_fill(const struct remote *r, const char *const *first, const char *const *last, const char *argv[ARGS])
{
	static const char *const always[] = { "-F", "none", "-T", "-a", "-x", "-oBatchMode=yes", "-oStrictHostKeyChecking=yes",
		"-oGlobalKnownHostsFile=/dev/null", "-oUpdateHostKeys=no", "-oIdentitiesOnly=yes", "-oPreferredAuthentications=publickey",
		"-oConnectTimeout=" STR(CONNECT_S), "-oServerAliveInterval=5", "-oServerAliveCountMax=3", "-oLogLevel=ERROR", NULL };
	size_t n = 0;

	argv[n++] = r->program;
	for (size_t i = 0; always[i]; i++)
		argv[n++] = always[i];
	argv[n++] = "-p";
	argv[n++] = r->port;
	argv[n++] = "-i";
	argv[n++] = r->identity;
	argv[n++] = "-o";
	argv[n++] = r->known_hosts; /* with its key */
	for (; *first; first++)
		argv[n++] = *first;
	argv[n++] = r->target;
	for (; *last; last++)
		argv[n++] = *last;
	argv[n] = NULL;
}

/* In words what to do; the rest is ssh's own sentence. */
static int failure_explain(const struct remote *r, struct pst_err *err)
{
	char said[300];

	pst_strlcpy(said, sizeof(said), err->text);
	if (err->code == PST_ENOTFOUND)
		return pst_err_set(err, PST_EIO, "%s is not there: apt-get install openssh-client", r->program);
	if (err->code != PST_EIO)
		return pst_err_wrap(err, "%s", r->target);
	if (strstr(said, "Host key verification failed"))
		return pst_err_set(err, PST_EIO,
			"%s shows a key that is not its key in %s: if the host was set up anew, take its line there away and add the new one (ssh-keyscan); "
			"else somebody stands between", r->target, strchr(r->known_hosts, '=') + 1);
	if (strstr(said, "Permission denied"))
		return pst_err_set(err, PST_EIO, "%s refuses the key %s: add its .pub to authorized_keys there (%s)", r->target, r->identity, said);
	return pst_err_set(err, PST_EIO, "%s cannot be reached: %s", r->target, said);
}

static bool master_answers(const struct remote *r)
{
	int fd = pst_unix_connect(r->control, NULL);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Goes to the background once it is logged in. */
static int master_start(const struct remote *r, uint64_t end_ms, int cancel_fd, struct pst_err *err)
{
	const char *const first[] = { "-f", "-N", "-oControlMaster=yes", "-oControlPersist=" STR(PERSIST_S), "-S", r->control, NULL };
	static const char *const last[] = { NULL };
	uint64_t now = pst_mono_ms();
	const char *argv[ARGS];
	struct child_params p = { .argv = argv, .cancel_fd = cancel_fd };

	argv_fill(r, first, last, argv);
	p.timeout_ms = now < end_ms ? (uint32_t)PST_MIN(end_ms - now, (uint64_t)CONNECT_S * 2000) : 1;
	unlink(r->control); /* of one that was killed */
	return child_run(&p, err) < 0 ? failure_explain(r, err) : 0;
}

static int master_need(struct remote *r, uint64_t end_ms, int cancel_fd, struct pst_err *err)
{
	int rc = 0;

	if (r->control[0] == '\0')
		return 0;
	pthread_mutex_lock(&r->master);
	if (!master_answers(r))
		rc = master_start(r, end_ms, cancel_fd, err);
	pthread_mutex_unlock(&r->master);
	return rc;
}

static void on_said(void *arg, const char *text, size_t len)
{
	struct run *run = arg;

	if (pst_buf_append(run->out, text, len) < 0)
		eventfd_write(run->stop_fd, 1);
}

/* sshd carries ten sessions on a connection unless it is told otherwise: here they wait for their turn. */
static int turn_take(struct remote *r, uint64_t end_ms, int cancel_fd, struct pst_err *err)
{
	struct pollfd cancel = { .fd = cancel_fd, .events = POLLIN };
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	while (rc == 0 && r->busy >= r->sessions) {
		uint64_t until_ms = pst_mono_ms() + SLICE_MS;
		struct timespec until = { .tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000 };

		pthread_cond_timedwait(&r->freed, &r->lock, &until);
		if (poll(&cancel, 1, 0) == 1)
			rc = pst_err_set(err, PST_ECLOSED, "cancelled while waiting for its turn");
		else if (pst_mono_ms() >= end_ms)
			rc = pst_err_set(err, PST_ETIMEOUT, "%s: %u commands before it take too long", r->target, r->busy);
	}
	if (rc == 0)
		r->busy++;
	pthread_mutex_unlock(&r->lock);
	return rc;
}

static void turn_give(struct remote *r)
{
	pthread_mutex_lock(&r->lock);
	r->busy--;
	pthread_cond_signal(&r->freed);
	pthread_mutex_unlock(&r->lock);
}

static int client_run(struct remote *r, const char *script, uint64_t end_ms, int cancel_fd, struct pst_buf *out, struct pst_err *err)
{
	/* A client of a master that is gone connects by itself. */
	const char *const first[] = { "-oControlMaster=no", "-S", r->control[0] ? r->control : "none", NULL };
	static const char *const last[] = { "exec", "/bin/sh", "-s", NULL };
	uint64_t now = pst_mono_ms();
	struct run run = { .out = out, .stop_fd = cancel_fd };
	const char *argv[ARGS];
	struct child_params p = { .argv = argv, .cancel_fd = cancel_fd, .said = on_said, .arg = &run, .input = script, .input_len = strlen(script) };
	int rc;

	argv_fill(r, first, last, argv);
	p.timeout_ms = now < end_ms ? (uint32_t)PST_MIN(end_ms - now, (uint64_t)UINT32_MAX) : 1;
	rc = child_run(&p, err);
	if (out->failed)
		return pst_err_set(err, PST_ELIMIT, "%s: a command says more than %zu bytes: look at \"list\"", r->target, out->max);
	if (rc == PST_ETIMEOUT)
		return pst_err_set(err, rc, "%s: a command did not end in time; it was ended", r->target);
	if (rc == PST_ECLOSED)
		return pst_err_set(err, rc, "cancelled while a command ran on %s", r->target);
	return rc;
}

int remote_run(struct remote *r, const char *script, uint64_t end_ms, int cancel_fd, struct pst_buf *out, struct pst_err *err)
{
	int rc = turn_take(r, end_ms, cancel_fd, err);

	if (rc < 0)
		return rc;
	rc = master_need(r, end_ms, cancel_fd, err);
	if (rc == 0) {
		rc = client_run(r, script, end_ms, cancel_fd, out, err);
		if ((rc == PST_EIO || rc == PST_ENOTFOUND) && out->len == 0) /* nothing of the script has begun */
			rc = failure_explain(r, err);
	}
	turn_give(r);
	return rc;
}

const char *remote_name(const struct remote *r)
{
	return r->target;
}

static bool is_host(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-");

	return n > 0 && text[n] == '\0' && text[0] != '-';
}

static int target_set(struct remote *r, const char *host, struct pst_err *err)
{
	int n = snprintf(r->target, sizeof(r->target), "%s@%s", r->user, host);

	if (!is_host(host) || !is_host(r->user) || n >= (int)sizeof(r->target))
		return pst_err_set(err, PST_EINVAL, "host: \"%.80s\" and user: \"%.40s\" must be a host's name or address, and an account there", host,
			r->user);
	return 0;
}

/* The socket belongs to root alone; its name says whose connection it is. */
static int control_set(struct remote *r, struct pst_err *err)
{
	char what[1024], sum[PST_SHA256_HEX_SIZE];

	snprintf(what, sizeof(what), "%s\n%s\n%.300s\n%.300s", r->target, r->port, r->identity, r->known_hosts);
	pst_sha256_hex(what, strlen(what), sum);
	if (path_make(r->control, err, "%s/%.12s", r->dir, sum) < 0)
		return err->code;
	if (strlen(r->control) > CONTROL_MAX || strpbrk(r->control, " \t%\"'\\$"))
		r->control[0] = '\0';
	return 0;
}

/* ssh takes no path with a space or a percent sign for what it is. */
static int file_read(char out[PATH_MAX], const struct driver_params *p, const char *key, const char *fallback, const char *before, struct pst_err *err)
{
	const char *path = pst_conf_str(p->conf, p->section, key, fallback);

	if (path[0] != '/' || strpbrk(path, " \t%\"'\\$"))
		return pst_err_set(err, PST_EINVAL, "%s: \"%.100s\" must be an absolute path without spaces, quotes, '%%', '$' and '\\'", key, path);
	return path_make(out, err, "%s%s", before, path);
}

static int settings_read(struct remote *r, const struct driver_params *p, struct pst_err *err)
{
	const char *user = pst_conf_str(p->conf, p->section, "user", "root");
	uint32_t port;

	if (pst_strlcpy(r->user, sizeof(r->user), user) < 0)
		return pst_err_set(err, PST_EINVAL, "user: \"%.40s…\" is too long", user);
	if (path_make(r->dir, err, "%s/ssh", p->data) < 0 || file_read(r->program, p, "ssh", "/usr/bin/ssh", "", err) < 0 ||
		file_read(r->identity, p, "identity", "/etc/puesto/ssh/id_ed25519", "", err) < 0 ||
		file_read(r->known_hosts, p, "known_hosts", "/etc/puesto/ssh/known_hosts", "UserKnownHostsFile=", err) < 0 ||
		pst_conf_u32(p->conf, p->section, "port", 1, 65535, 22, &port, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "sessions", 1, 64, 8, &r->sessions, err) < 0)
		return err->code;
	snprintf(r->port, sizeof(r->port), "%u", port);
	return 0;
}

static struct remote *remote_alloc(struct pst_err *err)
{
	struct remote *r = pst_zalloc(1, sizeof(*r));
	pthread_condattr_t attr;

	if (!r) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	pthread_mutex_init(&r->master, NULL);
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->freed, &attr);
	pthread_condattr_destroy(&attr);
	return r;
}

struct remote *remote_create(const struct driver_params *p, const char *host, struct pst_err *err)
{
	struct remote *r = remote_alloc(err);

	if (!r)
		return NULL;
	if (!host)
		host = pst_conf_str(p->conf, p->section, "host", "");
	if (settings_read(r, p, err) < 0 || target_set(r, host, err) < 0 || pst_mkdirs(r->dir, 0700, err) < 0 || control_set(r, err) < 0) {
		remote_destroy(r);
		return NULL;
	}
	return r;
}

struct remote *remote_clone(const struct remote *r, const char *host, struct pst_err *err)
{
	struct remote *c = remote_alloc(err);

	if (!c)
		return NULL;
	memcpy(c->user, r->user, sizeof(c->user));
	memcpy(c->dir, r->dir, sizeof(c->dir));
	memcpy(c->program, r->program, sizeof(c->program));
	memcpy(c->identity, r->identity, sizeof(c->identity));
	memcpy(c->known_hosts, r->known_hosts, sizeof(c->known_hosts));
	memcpy(c->port, r->port, sizeof(c->port));
	c->sessions = r->sessions;
	if (target_set(c, host, err) < 0) {
		remote_destroy(c);
		return NULL;
	}
	return c;
}

static void master_end(struct remote *r)
{
	const char *const first[] = { "-O", "exit", "-S", r->control, NULL };
	static const char *const last[] = { NULL };
	struct pst_err ignored = PST_ERR_INIT;
	const char *argv[ARGS];
	struct child_params p = { .argv = argv, .cancel_fd = -1, .timeout_ms = EXIT_MS };

	if (r->control[0] == '\0' || !master_answers(r))
		return;
	argv_fill(r, first, last, argv);
	(void)child_run(&p, &ignored);
}

void remote_destroy(struct remote *r)
{
	if (!r)
		return;
	master_end(r);
	pthread_cond_destroy(&r->freed);
	pthread_mutex_destroy(&r->lock);
	pthread_mutex_destroy(&r->master);
	free(r);
}
