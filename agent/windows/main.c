/* SPDX-License-Identifier: GPL-3.0-or-later */
/* puesto-agent.exe: what it is asked to be. See docs/windows.md. */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/windows/identity.h"
#include "agent/windows/journal.h"
#include "agent/windows/seeding.h"
#include "agent/windows/service.h"
#include "base/mem.h"

static const char usage[] =
	"Usage: puesto-agent [--data DIR] --service | --console [SEED] | --seed [FILE] | --forget | --install | --uninstall | --version\n"
	"  --service     what Windows' service control manager starts\n"
	"  --console     the same by hand, until Ctrl+C\n"
	"  --seed        applies the seed of this machine (FILE, DIR\\seed.json, puesto.json on a drive called CIDATA, VMware's or Hyper-V's) and ends\n"
	"  --forget      removes everything that is this machine's alone, before its disk becomes an image\n"
	"  --install     registers the service; --uninstall removes it\n"
	"  --data DIR    its folder (ProgramData\\Puesto)\n";

struct program {
	struct disk disk;
	const char *dir, *file;
};

static struct agent *by_hand;

static BOOL WINAPI on_ctrl(DWORD type)
{
	agent_stop(by_hand);
	return TRUE;
}

static int on_console(struct program *m, struct pst_err *err)
{
	const struct agent_params params = { .disk = &m->disk, .seed = m->file };
	int rc;

	by_hand = agent_create(&params, err);
	if (!by_hand)
		return err->code;
	SetConsoleCtrlHandler(on_ctrl, TRUE);
	rc = agent_run(by_hand, err);
	SetConsoleCtrlHandler(on_ctrl, FALSE);
	agent_destroy(by_hand);
	return rc;
}

static int on_service(struct program *m, struct pst_err *err)
{
	const struct agent_params params = { .disk = &m->disk, .is_service = true };

	return service_run(&params, err);
}

static int on_seed(struct program *m, struct pst_err *err)
{
	bool is_renamed;

	return seeding_run(&m->disk, m->file, &is_renamed, err);
}

static int on_forget(struct program *m, struct pst_err *err)
{
	identity_forget(&m->disk);
	seeding_forget(&m->disk);
	return 0;
}

static int on_install(struct program *m, struct pst_err *err)
{
	return service_install(err);
}

static int on_uninstall(struct program *m, struct pst_err *err)
{
	return service_uninstall(err);
}

static int on_version(struct program *m, struct pst_err *err)
{
	puts("puesto-agent " PUESTO_VERSION);
	return 0;
}

static const struct mode {
	const char *option;
	int (*run)(struct program *m, struct pst_err *err);
	bool needs_disk, is_service, may_have_file;
} modes[] = {
	{ "--service", on_service, true, true, false },
	{ "--console", on_console, true, false, true },
	{ "--seed", on_seed, true, false, true },
	{ "--forget", on_forget, true, false, false },
	{ "--install", on_install, false, false, false },
	{ "--uninstall", on_uninstall, false, false, false },
	{ "--version", on_version, false, false, false },
};

static const struct mode *options_parse(struct program *m, int argc, char **argv)
{
	const struct mode *mode = NULL;
	int i = 1;

	if (argc > 2 && strcmp(argv[1], "--data") == 0) {
		m->dir = argv[2];
		i = 3;
	}
	for (size_t k = 0; i < argc && k < PST_ARRAY_LEN(modes) && !mode; k++)
		if (strcmp(argv[i], modes[k].option) == 0)
			mode = &modes[k];
	if (mode && i + 1 < argc && mode->may_have_file)
		m->file = argv[++i];
	return i + 1 == argc ? mode : NULL;
}

static int run(struct program *m, const struct mode *mode, struct pst_err *err)
{
	int rc;

	if (!mode->needs_disk)
		return mode->run(m, err);
	if (disk_open(&m->disk, m->dir, err) < 0)
		return err->code;
	/* What is forgotten is the log, too. */
	if (mode->run != on_forget)
		journal_open(&m->disk, mode->is_service);
	rc = mode->run(m, err);
	journal_close();
	return rc;
}

/* Windows' arguments are UTF-16; a program's end frees them. */
static char **arguments(int argc, wchar_t **wide)
{
	char **argv = calloc((size_t)argc + 1, sizeof(*argv));

	for (int i = 0; argv && i < argc; i++) {
		int n = WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, NULL, 0, NULL, NULL);

		argv[i] = calloc(1, (size_t)n + 1);
		if (!argv[i])
			return NULL;
		WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, argv[i], n, NULL, NULL);
	}
	return argv;
}

int wmain(int argc, wchar_t **wide)
{
	struct pst_err err = PST_ERR_INIT;
	struct program m = { .dir = NULL };
	char **argv = arguments(argc, wide);
	const struct mode *mode = argv ? options_parse(&m, argc, argv) : NULL;

	/* A library of that name in the folder of whoever starts this is not ours. */
	SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
	if (!mode) {
		fputs(usage, stderr);
		return 2;
	}
	int rc = run(&m, mode, &err);
	if (rc < 0)
		fprintf(stderr, "puesto-agent: %s\n", err.text);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
