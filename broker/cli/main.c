/* SPDX-License-Identifier: GPL-3.0-or-later */
/* puestoctl: the command line over the same API as the console. */
#include "broker/cli/ctl.h"

#include "base/mem.h"
#include "base/text.h"

#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command {
	const char *word, *arguments, *summary;
	command_fn run;
};

static const struct command commands[] = {
	{"login", "USER", "ask for the password and keep a token", command_login},
	{"status", "", "what is wrong first, then how much there is", command_status},
	{"list", "NOUN [filter=value]…", "pools desktops sessions images datastores providers users groups entitlements", command_list},
	{"get", "NOUN NAME", "one object, with its reason and its timeline", command_get},
	{"create", "NOUN name=value… | -f FILE", "make an object", command_create},
	{"update", "NOUN NAME name=value… | -f FILE", "change an object", command_update},
	{"delete", "NOUN NAME", "delete an object", command_delete},
	{"drain", "pool|desktop NAME [on|off]", "no new users; those inside stay", command_drain},
	{"maintenance", "POOL [on|off]", "nobody may connect", command_maintenance},
	{"logoff", "DESKTOP", "end its user's session", command_desktop},
	{"restart", "DESKTOP", "restart it", command_desktop},
	{"refresh", "DESKTOP", "a new disk from the image", command_desktop},
	{"start", "DESKTOP", "start it where it was stopped or suspended", command_power},
	{"stop", "DESKTOP", "shut it down; nobody starts it but its owner or you", command_power},
	{"suspend", "DESKTOP", "keep its memory on disk; the same otherwise", command_power},
	{"snapshot", "list|take|revert|drop DESKTOP …", "keep a state of its disk, and go back to it", command_snapshot},
	{"resize", "DESKTOP [disk_mb=N] …", "more memory, processors or disk", command_resize},
	{"migrate", "DESKTOP [HOST]", "to another host, running", command_migrate},
	{"host", "list|show|maintenance|resume …", "hosts of a provider; empty one, and put it back", command_host},
	{"provider", "list | networks PROVIDER", "what makes desktops, and what each is checked against; the networks that a pool may name", command_provider},
	{"datastore", "list | maintenance|resume NAME", "where disks lie, and how full it is", command_datastore},
	{"backup", "list [DESKTOP] | now DESKTOP | restore|remove|cancel ID", "back-ups of desktops", command_backup},
	{"recycle", "list | restore ID | restore DATASTORE TOKEN | purge DATASTORE TOKEN", "removed desktops, users' disks and versions, kept for a while", command_recycle},
	{"personal", "list | grow USER POOL MB | remove …", "users' own disks, which outlive a refresh", command_personal},
	{"message", "DESKTOP TEXT", "show its user a message", command_message},
	{"console", "DESKTOP [look]", "the address of the machine's own screen, for a browser", command_console},
	{"watch", "SESSION", "a ticket to watch it; the person there is told", command_watch},
	{"publish", "IMAGE VERSION [path=…]", "make it the latest version; with fields, add it first", command_publish},
	{"image", "publish|rollout|import|capture|… IMAGE …", "versions: made on datastores, and on their way to the pools", command_image},
	{"member", "add|remove GROUP USER", "who is in a group", command_member},
	{"passwd", "[USER]", "set a password, yours or a user's", command_passwd},
	{"token", "create|list|delete USER …", "bearer tokens", command_token},
	{"unlock", "USER", "let in an account that wrong passwords have blocked", command_unlock},
	{"revoke", "USER | --all", "end log-ins and sessions at once", command_revoke},
	{"explain", "USER POOL", "why can, or cannot, this user open this pool", command_explain},
	{"wait", "NOUN NAME state=WORD|ready=N", "until it is so", command_wait},
	{"events", "[--follow] [kind=…]", "the audit, also live", command_events},
	{"audit", "verify", "check the audit's hash chain", command_audit},
	{"reap", "", "let the sweeper go on after it stopped itself", command_reap},
};

static void print_help(FILE *out)
{
	fputs("Usage: puestoctl [OPTION]… COMMAND [ARGUMENT]…\n\n", out);
	for (size_t i = 0; i < PST_ARRAY_LEN(commands); i++)
		fprintf(out, "  %-11s %-34s %s\n", commands[i].word, commands[i].arguments, commands[i].summary);
	fputs("\n  --url URL           https://HOST:PORT of the gateway\n"
	      "  --ca FILE           the CA that signed its certificate (DATA/pki/ca.pem)\n"
	      "  --credentials FILE  lines 'user=NAME password=PASSWORD'\n"
	      "  --user NAME         which of them (the first)\n"
	      "  --token-file FILE   a bearer token\n"
	      "  --config FILE       instead of ~/.config/puesto/ctl.conf\n"
	      "  -o json|table       the form of answers\n"
	      "  --help, --version\n\nSee puestoctl(1).\n",
		out);
}

enum { OPT_URL = 256, OPT_CA, OPT_CREDENTIALS, OPT_USER, OPT_TOKEN, OPT_CONFIG, OPT_VERSION };

static const struct option long_options[] = {
	{"url", required_argument, NULL, OPT_URL}, {"ca", required_argument, NULL, OPT_CA},
	{"credentials", required_argument, NULL, OPT_CREDENTIALS}, {"user", required_argument, NULL, OPT_USER},
	{"token-file", required_argument, NULL, OPT_TOKEN}, {"config", required_argument, NULL, OPT_CONFIG},
	{"output", required_argument, NULL, 'o'}, {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

struct command_line {
	struct ctl_options given; /* "" where nothing was */
	const char *config;
	bool is_over;
	int exit;
};

static void end(struct command_line *l, int code)
{
	l->is_over = true;
	l->exit = code;
}

static void take_option(struct command_line *l, int opt, const char *value)
{
	struct ctl_options *o = &l->given;

	switch (opt) {
	case OPT_URL:
		pst_strlcpy(o->url, sizeof(o->url), value);
		break;
	case OPT_CA:
		pst_strlcpy(o->ca, sizeof(o->ca), value);
		break;
	case OPT_CREDENTIALS:
		pst_strlcpy(o->credentials, sizeof(o->credentials), value);
		break;
	case OPT_USER:
		pst_strlcpy(o->user, sizeof(o->user), value);
		break;
	case OPT_TOKEN:
		pst_strlcpy(o->token_file, sizeof(o->token_file), value);
		break;
	case OPT_CONFIG:
		l->config = value;
		break;
	case 'o':
		o->json = strcmp(value, "json") == 0;
		if (!o->json && strcmp(value, "table") != 0)
			end(l, usage("-o json|table …"));
		break;
	case OPT_VERSION:
		puts("puestoctl " PACKAGE_VERSION);
		end(l, CTL_OK);
		break;
	case 'h':
		print_help(stdout);
		end(l, CTL_OK);
		break;
	default:
		end(l, CTL_USAGE);
	}
}

static void over(char *to, size_t size, const char *given)
{
	if (*given)
		pst_strlcpy(to, size, given);
}

static int settle(struct ctl_options *o, const struct command_line *l, struct pst_err *err)
{
	const struct ctl_options *g = &l->given;
	int rc = config_load(o, l->config, err);

	over(o->url, sizeof(o->url), g->url);
	over(o->ca, sizeof(o->ca), g->ca);
	over(o->credentials, sizeof(o->credentials), g->credentials);
	over(o->user, sizeof(o->user), g->user);
	over(o->token_file, sizeof(o->token_file), g->token_file);
	if (*g->token_file && !*g->credentials)
		o->credentials[0] = '\0';
	o->json = g->json;
	size_t len = strlen(o->url);
	while (len && o->url[len - 1] == '/')
		o->url[--len] = '\0';
	return rc;
}

static int run(const struct command_line *l, int argc, char **argv)
{
	struct ctl c = {.http = NULL};
	struct pst_err err = PST_ERR_INIT;
	const struct command *cmd = NULL;
	int rc = CTL_USAGE;

	for (size_t i = 0; i < PST_ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].word, argv[0]) == 0)
			cmd = &commands[i];
	}
	if (!cmd) {
		fprintf(stderr, "puestoctl: there is no command '%s'; see puestoctl --help\n", argv[0]);
		return CTL_USAGE;
	}
	if (settle(&c.options, l, &err) == 0)
		c.http = http_create(&c.options, &err);
	if (c.http)
		rc = cmd->run(&c, argc, argv);
	else
		fprintf(stderr, "puestoctl: %s\n", err.text);
	http_destroy(c.http);
	return rc;
}

int main(int argc, char **argv)
{
	struct command_line l = {.config = NULL};
	int opt;

	setlocale(LC_CTYPE, "");
	/* "+": options end at the command, whose own words may begin with "-". */
	while (!l.is_over && (opt = getopt_long(argc, argv, "+o:h", long_options, NULL)) != -1)
		take_option(&l, opt, optarg);
	/* "-o json" is welcome at the end as well. */
	if (!l.is_over && argc - optind > 2 && strcmp(argv[argc - 2], "-o") == 0) {
		take_option(&l, 'o', argv[argc - 1]);
		argc -= 2;
	}
	if (l.is_over)
		return l.exit;
	if (optind >= argc) {
		print_help(stderr);
		return CTL_USAGE;
	}
	return run(&l, argc - optind, argv + optind);
}
