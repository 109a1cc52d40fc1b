/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers its commands; remembers names of events only, since their data may be old when it is read. */
#include "broker/hypervisor/qemu/qmp.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/qemu/line.h"
#include "broker/hypervisor/qemu/qmp_message.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define EVENTS_MAX 16
#define EVENT_SIZE 40

struct qmp {
	struct line_conn conn;
	int64_t last_id;
	char events[EVENTS_MAX][EVENT_SIZE]; /* the newest, a ring */
	unsigned n_events;
};

static void event_keep(struct qmp *q, const char *name)
{
	pst_strlcpy(q->events[q->n_events++ % EVENTS_MAX], EVENT_SIZE, name);
}

static bool event_take(struct qmp *q, const char *name)
{
	bool is_there = false;

	for (size_t i = 0; i < EVENTS_MAX; i++) {
		if (strcmp(q->events[i], name) == 0) {
			q->events[i][0] = 0;
			is_there = true;
		}
	}
	return is_there;
}

static int message_receive(struct qmp *q, struct qmp_message *m, uint64_t deadline_ms, struct pst_err *err)
{
	char *text;
	size_t len;
	int rc = line_receive(&q->conn, deadline_ms, &text, &len, err);

	if (rc < 0)
		return rc;
	rc = qmp_message_read(text, len, m, err);
	free(text);
	if (rc == 0 && m->kind == QMP_EVENT)
		event_keep(q, m->text);
	return rc;
}

/* The answer to the last command; events and late answers are gone past. */
static int answer_receive(struct qmp *q, json_t **ret, uint64_t deadline_ms, struct pst_err *err)
{
	for (;;) {
		struct qmp_message m;
		int rc = message_receive(q, &m, deadline_ms, err);
		if (rc < 0)
			return rc;
		bool is_mine = m.kind != QMP_EVENT && m.id == q->last_id;
		if (is_mine && m.kind == QMP_ERROR)
			rc = pst_err_set(err, PST_ECONFLICT, "%s", m.text);
		else if (is_mine && ret)
			*ret = json_incref(m.value);
		qmp_message_finish(&m);
		if (is_mine)
			return rc;
	}
}

static int command_send(struct qmp *q, const char *command, json_t *arguments, int fd, uint64_t deadline_ms,
	struct pst_err *err)
{
	json_t *o = json_pack("{s:s, s:I}", "execute", command, "id", (json_int_t)++q->last_id);

	if (arguments && (!o || json_object_set_new(o, "arguments", arguments) < 0)) {
		json_decref(o);
		o = NULL;
	}
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory for a command");
	int rc = line_send(&q->conn, text, strlen(text), fd, deadline_ms, err);
	free(text);
	return rc < 0 ? rc : line_send(&q->conn, "\n", 1, -1, deadline_ms, err);
}

static int exchange(struct qmp *q, const char *command, json_t *arguments, int fd, json_t **ret,
	uint64_t deadline_ms, struct pst_err *err)
{
	int rc = command_send(q, command, arguments, fd, deadline_ms, err);

	if (rc == 0)
		rc = answer_receive(q, ret, deadline_ms, err);
	return rc < 0 ? pst_err_wrap(err, "QEMU, %s", command) : 0;
}

int qmp_call(struct qmp *q, const char *command, json_t *arguments, json_t **ret, uint64_t deadline_ms,
	struct pst_err *err)
{
	return exchange(q, command, arguments, -1, ret, deadline_ms, err);
}

int qmp_call_all(struct qmp *q, const json_t *commands, int fd, json_t **ret, uint64_t deadline_ms, struct pst_err *err)
{
	json_t *all = json_array(), *command;
	size_t i;
	int rc = all ? 0 : pst_err_set(err, PST_ENOMEM, "no memory for an answer");

	json_array_foreach((json_t *)(uintptr_t)commands, i, command) {
		const char *name = json_string_value(json_object_get(command, "execute"));
		json_t *one = NULL;

		if (rc < 0)
			break;
		rc = exchange(q, name ? name : "", json_incref(json_object_get(command, "arguments")), i == 0 ? fd : -1, &one, deadline_ms, err);
		json_array_append_new(all, one ? one : json_object());
	}
	if (rc == 0 && ret)
		*ret = json_incref(all);
	json_decref(all);
	return rc;
}

int qmp_quit(struct qmp *q, uint64_t deadline_ms, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int rc = qmp_call(q, "quit", NULL, NULL, deadline_ms, &why);

	if (rc == 0 || rc == PST_ECLOSED)
		return 0;
	return pst_err_set(err, rc, "%s", why.text);
}

int qmp_lend(struct qmp *q, const char *name, int fd, uint64_t deadline_ms, struct pst_err *err)
{
	return exchange(q, "getfd", json_pack("{s:s}", "fdname", name), fd, NULL, deadline_ms, err);
}

int qmp_wait(struct qmp *q, const char *event, uint64_t deadline_ms, struct pst_err *err)
{
	while (!event_take(q, event)) {
		struct qmp_message m;
		int rc = message_receive(q, &m, deadline_ms, err);
		if (rc < 0)
			return pst_err_wrap(err, "waiting for QEMU's %s", event);
		qmp_message_finish(&m);
	}
	return 0;
}

static int greet(struct qmp *q, uint64_t deadline_ms, struct pst_err *err)
{
	struct qmp_message m;
	int rc = message_receive(q, &m, deadline_ms, err);

	if (rc < 0)
		return rc;
	bool is_greeting = m.kind == QMP_GREETING;
	qmp_message_finish(&m);
	if (!is_greeting)
		return pst_err_set(err, PST_EPROTO, "QEMU's monitor did not greet");
	return qmp_call(q, "qmp_capabilities", NULL, NULL, deadline_ms, err);
}

struct qmp *qmp_open_fd(int fd, uint64_t deadline_ms, struct pst_err *err)
{
	struct qmp *q = pst_zalloc(1, sizeof(*q));

	if (!q) {
		pst_fd_close(&fd);
		pst_err_set(err, PST_ENOMEM, "no memory for QEMU's monitor");
		return NULL;
	}
	line_open_fd(&q->conn, fd, QMP_LINE_MAX);
	if (greet(q, deadline_ms, err) == 0)
		return q;
	qmp_close(q);
	return NULL;
}

struct qmp *qmp_open(const char *path, uint64_t deadline_ms, struct pst_err *err)
{
	struct qmp *q = pst_zalloc(1, sizeof(*q));

	if (!q) {
		pst_err_set(err, PST_ENOMEM, "no memory for QEMU's monitor");
		return NULL;
	}
	if (line_open(&q->conn, path, QMP_LINE_MAX, err) == 0 && greet(q, deadline_ms, err) == 0)
		return q;
	pst_err_wrap(err, "%s", path);
	qmp_close(q);
	return NULL;
}

void qmp_close(struct qmp *q)
{
	if (!q)
		return;
	line_close(&q->conn);
	free(q);
}

void qmp_cancel(struct qmp *q)
{
	shutdown(q->conn.fd, SHUT_RDWR);
}
