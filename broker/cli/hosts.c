/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hosts and networks of a provider. */
#include "broker/cli/ctl.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_STEP_MS 500
#define WAIT_STEPS (12 * 3600 * 1000 / WAIT_STEP_MS)

static int number(const json_t *o, const char *key)
{
	return (int)json_integer_value(json_object_get(o, key));
}

static int list(struct ctl *c, const char *provider, const char *rest, const char *noun)
{
	json_t *answer = NULL;
	char path[2048];
	int rc = CTL_USAGE;

	if (object_path(path, sizeof(path), "providers", provider, rest))
		rc = request(c, "GET", path, NULL, &answer);
	if (rc == CTL_OK && c->options.json)
		print_json(json_object_get(answer, "items"));
	else if (rc == CTL_OK)
		print_list(noun, json_object_get(answer, "items"));
	json_decref(answer);
	return rc;
}

static bool host_path(char *out, size_t size, const char *provider, const char *host, const char *rest)
{
	char name[300], tail[400];

	if (!pst_url_escape(host, name, sizeof(name)))
		return false;
	snprintf(tail, sizeof(tail), "/hosts/%s%s", name, rest);
	return object_path(out, size, "providers", provider, tail);
}

/* Who is still there, and why. */
static void staying_print(const json_t *h)
{
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(h, "staying"), i, o) {
		const char *why = json_string_value(json_object_get(json_object_get(o, "reason"), "en"));

		if (why)
			fprintf(stderr, "  %s stays: %s\n", json_string_value(json_object_get(o, "name")), why);
	}
}

static int host_print(struct ctl *c, const json_t *h)
{
	if (c->options.json)
		print_json(h);
	else
		print_object("hosts", h);
	if (!c->options.json)
		staying_print(h);
	return CTL_OK;
}

static int act(struct ctl *c, const char *provider, const char *host, json_t *body)
{
	json_t *answer = NULL;
	char path[2048];
	int rc = CTL_USAGE;

	if (host_path(path, sizeof(path), provider, host, body ? "/maintenance" : ""))
		rc = request(c, body ? "POST" : "GET", path, body, &answer);
	if (rc == CTL_OK)
		rc = host_print(c, answer);
	json_decref(answer);
	json_decref(body);
	return rc;
}

/* "7 of 12 moved", each time that it changes, until the host is empty. */
static int drain_wait(struct ctl *c, const char *provider, const char *host)
{
	char path[2048];
	int rc = CTL_OK, told = -1;

	if (!host_path(path, sizeof(path), provider, host, ""))
		return CTL_USAGE;
	for (int step = 0; step < WAIT_STEPS; step++) {
		json_t *h = NULL, *m;
		bool is_over;

		rc = request(c, "GET", path, NULL, &h);
		if (rc != CTL_OK)
			return rc;
		m = json_object_get(h, "maintenance");
		is_over = json_is_null(m) || number(h, "desktops") == 0;
		if (json_is_object(m) && number(m, "moved") != told) {
			told = number(m, "moved");
			fprintf(stderr, "• %d of %d moved\n", told, number(m, "total"));
			staying_print(h);
		}
		if (is_over)
			rc = host_print(c, h);
		json_decref(h);
		if (is_over)
			return rc;
		nanosleep(&(struct timespec){.tv_nsec = WAIT_STEP_MS * 1000000L}, NULL);
	}
	return CTL_TIMEOUT;
}

static int maintenance(struct ctl *c, int argc, char **argv)
{
	static const char usage_text[] = "host maintenance PROVIDER HOST [at_once=N] [wait]";
	json_t *body = json_pack("{s:b}", "on", true);
	bool waits = false;

	for (int i = 4; i < argc; i++) {
		char *end = NULL;
		long n = strncmp(argv[i], "at_once=", 8) == 0 ? strtol(argv[i] + 8, &end, 10) : 0;

		if (strcmp(argv[i], "wait") == 0) {
			waits = true;
		} else if (end && end != argv[i] + 8 && !*end) {
			json_object_set_new(body, "at_once", json_integer(n));
		} else {
			json_decref(body);
			return usage(usage_text);
		}
	}
	int rc = act(c, argv[2], argv[3], body);
	return rc == CTL_OK && waits ? drain_wait(c, argv[2], argv[3]) : rc;
}

int command_host(struct ctl *c, int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (strcmp(verb, "list") == 0 && argc == 3)
		return list(c, argv[2], "/hosts", "hosts");
	if (strcmp(verb, "show") == 0 && argc == 4)
		return act(c, argv[2], argv[3], NULL);
	if (strcmp(verb, "maintenance") == 0 && argc >= 4)
		return maintenance(c, argc, argv);
	if (strcmp(verb, "resume") == 0 && argc == 4)
		return act(c, argv[2], argv[3], json_pack("{s:b}", "on", false));
	return usage("host list PROVIDER | host show|resume PROVIDER HOST | host maintenance PROVIDER HOST [at_once=N] [wait]");
}

int command_provider(struct ctl *c, int argc, char **argv)
{
	static char noun[] = "providers";
	char *const words[] = { argv[0], noun };

	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return command_list(c, 2, (char **)words);
	if (argc != 3 || strcmp(argv[1], "networks") != 0)
		return usage("provider list | provider networks PROVIDER");
	return list(c, argv[2], "/networks", "networks");
}
