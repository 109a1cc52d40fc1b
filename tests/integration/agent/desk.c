/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starts and stops the real programs; plays broker and worker in one loop. */
#include "tests/integration/agent/desk.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/text.h"
#include "base/unixsock.h"

static struct desk *the_desk;

static void child_stop(pid_t *pid, int sig)
{
	if (*pid <= 0)
		return;
	kill(*pid, sig);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

void desk_abort(void)
{
	if (the_desk) {
		child_stop(&the_desk->agent, SIGTERM);
		child_stop(&the_desk->xvfb, SIGTERM);
	}
	_exit(1);
}

/* A child that dies with us, whatever happens. */
static pid_t child_start(char *const argv[], char *const env[], int keep_fd)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; env && env[i]; i++)
		putenv(env[i]);
	if (keep_fd >= 0)
		fcntl(keep_fd, F_SETFD, 0);
	execvp(argv[0], argv);
	_exit(127);
}

static void xvfb_start(struct desk *d)
{
	char fd_text[16], number[16] = "";
	int fds[2];

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	snprintf(fd_text, sizeof(fd_text), "%d", fds[1]);
	char *argv[] = { "Xvfb", "-displayfd", fd_text, "-screen", "0", "1600x1200x24", "-fbdir", d->dir,
		"-noreset", "-nolisten", "tcp", NULL };
	d->xvfb = child_start(argv, NULL, fds[1]);
	close(fds[1]);
	size_t n = 0;
	while (n < sizeof(number) - 1 && read(fds[0], number + n, 1) == 1 && number[n] != '\n')
		n++;
	close(fds[0]);
	number[n] = 0;
	CHECK(n > 0);
	snprintf(d->display, sizeof(d->display), ":%s", number);
	setenv("DISPLAY", d->display, 1);
}

void desk_agent_start(struct desk *d)
{
	const char *program = getenv("PUESTO_AGENT");
	char run[128], fbdir[128], level[] = "log.level=debug", set[] = "--set";
	char *argv[] = { (char *)(program ? program : "./puesto-agent"), set, level, NULL };

	snprintf(run, sizeof(run), "PUESTO_RUN=%s", d->run);
	snprintf(fbdir, sizeof(fbdir), "PUESTO_FBDIR=%s", d->with_fbdir ? d->dir : "");
	char uids[64];
	snprintf(uids, sizeof(uids), "PUESTO_GATEWAY_UIDS=%u", (unsigned)getuid());
	char *env[] = { run, fbdir, uids, NULL };
	d->agent = child_start(argv, env, -1);
}

void desk_agent_kill(struct desk *d, int sig)
{
	child_stop(&d->agent, sig);
}

static void reply_enrol(struct desk *d, struct pst_ctl *ctl, json_t *msg)
{
	char key[64];
	const char *token = pst_json_str(msg, "token", 64);

	CHECK(token && strcmp(token, "once") == 0);
	d->enrolments++;
	pst_base64_encode(d->key, sizeof(d->key), key, sizeof(key));
	pst_ctl_reply(ctl, msg, json_pack("{s:s}", "key", key));
}

static void on_broker_message(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	struct desk *d = arg;
	const char *op = pst_json_str(msg, "op", 32);

	CHECK(op);
	if (strcmp(op, "enrol") == 0) {
		reply_enrol(d, ctl, msg);
	} else if (strcmp(op, "hello") == 0) {
		d->hellos++;
		pst_ctl_reply(ctl, msg, NULL);
	} else if (strcmp(op, "report") == 0) {
		const char *event = pst_json_str(msg, "event", 32);
		size_t n = strlen(d->reports);
		CHECK(event);
		snprintf(d->reports + n, sizeof(d->reports) - n, "%s ", event);
	}
}

static void on_broker_closed(struct pst_ctl *ctl, const char *reason, void *arg)
{
	struct desk *d = arg;

	d->line = NULL;
}

static const struct pst_ctl_events broker_events = { .message = on_broker_message,
	.closed = on_broker_closed };

static void on_broker_accept(struct pst_ctl *ctl, void *arg)
{
	struct desk *d = arg;

	d->line = ctl;
	pst_ctl_set_events(ctl, &broker_events, d);
}

static void broker_open(struct desk *d)
{
	char path[200];
	struct pst_err err = PST_ERR_INIT;

	snprintf(path, sizeof(path), "%s/broker/agent.sock", d->run);
	d->broker = pst_ctl_listen(&d->loop, path, 0666, 8, on_broker_accept, d, &err);
	CHECK(d->broker);
}

static bool display_is_there(void *arg)
{
	struct desk *d = arg;
	char path[200];

	snprintf(path, sizeof(path), "%s/display.sock", d->run);
	return access(path, F_OK) == 0 && d->hellos > 0;
}

void desk_open(struct desk *d, bool with_fbdir)
{
	static const char enrol[] = "{\"desktop\":\"" DESK_UUID "\",\"token\":\"once\"}";
	char path[200];
	struct pst_err err = PST_ERR_INIT;

	memset(d, 0, sizeof(*d));
	the_desk = d;
	d->with_fbdir = with_fbdir;
	snprintf(d->dir, sizeof(d->dir), "/tmp/puesto-agent-test-XXXXXX");
	CHECK(mkdtemp(d->dir));
	snprintf(d->run, sizeof(d->run), "%s/run", d->dir);
	snprintf(path, sizeof(path), "%s/broker", d->run);
	CHECK(pst_mkdirs(path, 0755, &err) == 0);
	snprintf(path, sizeof(path), "%s/enrol.json", d->run);
	CHECK(pst_file_write(path, enrol, strlen(enrol), 0600, &err) == 0);
	pst_random(d->key, sizeof(d->key));
	uv_loop_init(&d->loop);
	xvfb_start(d);
	d->dpy = XOpenDisplay(d->display);
	CHECK(d->dpy);
	broker_open(d);
	desk_agent_start(d);
	desk_wait(d, display_is_there, d, "the agent's socket");
}

void desk_close(struct desk *d)
{
	char command[128];

	child_stop(&d->agent, SIGTERM);
	XCloseDisplay(d->dpy);
	child_stop(&d->xvfb, SIGTERM);
	pst_ctl_server_close(d->broker);
	pst_ctl_close(d->line);
	pst_loop_drain(&d->loop);
	snprintf(command, sizeof(command), "rm -rf %s", d->dir);
	CHECK(system(command) == 0);
	the_desk = NULL;
}

static void on_tick(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void on_tick_closed(uv_handle_t *handle)
{
	*(bool *)handle->data = true;
}

static void tick_close(struct desk *d, uv_timer_t *tick)
{
	bool is_closed = false;

	tick->data = &is_closed;
	uv_close((uv_handle_t *)tick, on_tick_closed);
	while (!is_closed)
		uv_run(&d->loop, UV_RUN_NOWAIT);
}

/* Conditions may look at the X server, which wakes no loop of ours: so they are looked at every few
 * milliseconds. */
void desk_wait(struct desk *d, bool (*is_true)(void *arg), void *arg, const char *what)
{
	uint64_t end = pst_mono_ms() + DESK_WAIT_MS;
	uv_timer_t tick;

	uv_timer_init(&d->loop, &tick);
	uv_timer_start(&tick, on_tick, 5, 5);
	while (!is_true(arg)) {
		if (pst_mono_ms() > end) {
			fprintf(stderr, "not ok: waited in vain for %s\n", what);
			desk_abort();
		}
		uv_run(&d->loop, UV_RUN_ONCE);
	}
	tick_close(d, &tick);
}

void desk_quiet(struct desk *d, unsigned ms)
{
	uint64_t end = pst_mono_ms() + ms;
	uv_timer_t tick;

	uv_timer_init(&d->loop, &tick);
	uv_timer_start(&tick, on_tick, 5, 5);
	while (pst_mono_ms() < end)
		uv_run(&d->loop, UV_RUN_ONCE);
	tick_close(d, &tick);
}

char *desk_grant_of(const uint8_t key[32], const char *desktop, const char *user, unsigned long long epoch,
	long long expires_in_ms, bool clipboard)
{
	json_t *o = json_pack("{s:i, s:s, s:s, s:s, s:I, s:I, s:{s:b, s:b, s:i, s:i}}", "v", 1, "desktop",
		desktop, "user", user, "session", "0b8c8a38-51f4-4b59-8a6b-5f2d2e2b7c22", "epoch",
		(json_int_t)epoch, "exp", (json_int_t)(pst_wall_ms() + expires_in_ms), "policy",
		"clipboard_in", clipboard, "clipboard_out", clipboard, "max_width", 3840, "max_height", 2160);
	char *text = json_dumps(o, JSON_COMPACT);
	char *grant = calloc(1, 4096);
	uint8_t mac[32];

	json_decref(o);
	long n = pst_base64url_encode(text, strlen(text), grant, 4000);
	CHECK(n > 0);
	pst_hmac_sha256(key, 32, grant, (size_t)n, mac);
	grant[n] = '.';
	CHECK(pst_base64url_encode(mac, sizeof(mac), grant + n + 1, 4000 - (size_t)n) > 0);
	free(text);
	return grant;
}

char *desk_grant(const struct desk *d, const char *user, unsigned long long epoch, long long expires_in_ms)
{
	return desk_grant_of(d->key, DESK_UUID, user, epoch, expires_in_ms, true);
}

/* ---- the viewer ---- */

static void on_surface(void *arg, const struct pixmap *screen)
{
	struct viewing *v = arg;

	v->screen = *screen;
	v->surfaces++;
}

static void on_damage(void *arg, const struct rect *rects, size_t n)
{
	struct viewing *v = arg;

	for (size_t i = 0; i < n; i++)
		v->damage = rect_union(&v->damage, &rects[i]);
	v->damages++;
	if (v->is_auto_ready)
		source_agent.ready(v->source);
}

static void on_cursor(void *arg, const struct cursor_image *image)
{
	struct viewing *v = arg;

	v->cursor = *image;
	v->cursors++;
}

static void on_pointer_moved(void *arg, int32_t x, int32_t y)
{
}

static void on_clipboard(void *arg, const char *utf8, size_t len)
{
	struct viewing *v = arg;

	free(v->text);
	v->text = calloc(1, len + 1);
	memcpy(v->text, utf8, len);
	v->text_len = len;
}

static void on_bell(void *arg)
{
	struct viewing *v = arg;

	v->bells++;
}

static void on_closed(void *arg, int code, const char *reason)
{
	struct viewing *v = arg;

	v->is_closed = true;
	v->code = code;
	snprintf(v->reason, sizeof(v->reason), "%s", reason);
}

static const struct source_events view_events = {
	.surface = on_surface,
	.damage = on_damage,
	.cursor = on_cursor,
	.pointer_moved = on_pointer_moved,
	.clipboard = on_clipboard,
	.bell = on_bell,
	.closed = on_closed,
};

static bool has_damage(void *arg)
{
	struct viewing *v = arg;

	return v->damages > 0 || v->is_closed;
}

void view_open(struct desk *d, struct viewing *v, char *grant, int32_t width, int32_t height, bool wait)
{
	char path[200];
	struct pst_err err = PST_ERR_INIT;

	memset(v, 0, sizeof(*v));
	v->is_auto_ready = true;
	snprintf(path, sizeof(path), "%s/display.sock", d->run);
	int fd = pst_unix_connect(path, &err);
	CHECK(fd >= 0);
	struct source_params p = { .loop = &d->loop, .fd = fd, .grant = grant, .width = width, .height = height };
	v->source = source_agent.open(&p, &view_events, v, &err);
	CHECK(v->source);
	free(grant);
	if (!wait)
		return;
	desk_wait(d, has_damage, v, "the first damage");
	if (v->is_closed)
		fprintf(stderr, "the agent closed: %s\n", v->reason);
	CHECK(!v->is_closed);
}

void view_close(struct viewing *v)
{
	if (v->source)
		source_agent.close(v->source, "test");
	v->source = NULL;
	free(v->text);
	v->text = NULL;
}

static bool is_closed(void *arg)
{
	return ((struct viewing *)arg)->is_closed;
}

void view_wait_closed(struct desk *d, struct viewing *v)
{
	desk_wait(d, is_closed, v, "the agent's good-bye");
}

void view_send(struct viewing *v, const struct input_event *ev)
{
	CHECK(source_agent.input(v->source, ev) == 0);
}

void view_key(struct viewing *v, bool is_down, uint32_t keysym, uint16_t keycode)
{
	struct input_event ev = { .kind = INPUT_KEY, .key = { is_down, keysym, keycode } };

	view_send(v, &ev);
}

void view_tap(struct viewing *v, uint32_t keysym, uint16_t keycode)
{
	view_key(v, true, keysym, keycode);
	view_key(v, false, keysym, keycode);
}

void view_text(struct viewing *v, const char *utf8)
{
	struct input_event ev = { .kind = INPUT_TEXT };

	ev.text.len = (uint16_t)strlen(utf8);
	memcpy(ev.text.utf8, utf8, ev.text.len);
	view_send(v, &ev);
}

struct word {
	struct desk *d;
	const char *event;
};

static bool has_report(void *arg)
{
	struct word *w = arg;

	return strstr(w->d->reports, w->event) != NULL;
}

void desk_wait_report(struct desk *d, const char *event)
{
	struct word w = { d, event };

	desk_wait(d, has_report, &w, event);
}

struct shell {
	FILE *pipe;
	char *text;
	size_t len;
	bool is_done;
};

static bool shell_is_done(void *arg)
{
	struct shell *s = arg;
	char buf[65536];

	for (;;) {
		ssize_t n = read(fileno(s->pipe), buf, sizeof(buf));
		if (n == 0)
			return true;
		if (n < 0)
			return false;
		s->text = realloc(s->text, s->len + (size_t)n + 1);
		memcpy(s->text + s->len, buf, (size_t)n);
		s->len += (size_t)n;
		s->text[s->len] = 0;
	}
}

char *desk_shell(struct desk *d, const char *command)
{
	struct shell s = { .pipe = popen(command, "r"), .text = calloc(1, 1) };

	CHECK(s.pipe);
	pst_fd_set_nonblock(fileno(s.pipe), 1);
	desk_wait(d, shell_is_done, &s, command);
	int status = pclose(s.pipe);
	if (status != 0)
		fprintf(stderr, "status %d of: %s\n", status, command);
	CHECK(status == 0);
	return s.text;
}
