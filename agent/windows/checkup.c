/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What it says goes into a file of the agent's folder. */
#include "agent/windows/checkup.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/windows/process.h"
#include "agent/windows/wide.h"
#include "base/mem.h"
#include "base/text.h"

#define SCRIPT "health.cmd"
#define SAID "health.out"
#define SAID_MAX (1 << 20)

struct checkup {
	struct disk disk;
	struct process run;
	uint64_t end_ms;
	bool is_known;
	char fault[CHECKUP_TEXT_SIZE];
};

static void know(struct checkup *c, const char *fault)
{
	pst_strlcpy(c->fault, sizeof(c->fault), fault);
	c->is_known = true;
	process_end(&c->run);
}

static HANDLE output_open(const struct disk *d)
{
	SECURITY_ATTRIBUTES inherit = { .nLength = sizeof(inherit), .bInheritHandle = TRUE };
	struct pst_err err = PST_ERR_INIT;
	char path[DISK_PATH_MAX];
	wchar_t *w = disk_path(d, SAID, path, &err) == 0 ? wide_from(path) : NULL;
	HANDLE file = w ? CreateFileW(w, GENERIC_WRITE, FILE_SHARE_READ, &inherit, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL) : INVALID_HANDLE_VALUE;

	free(w);
	return file;
}

static void start(struct checkup *c)
{
	char path[DISK_PATH_MAX], line[DISK_PATH_MAX + 64];
	struct pst_err err = PST_ERR_INIT;
	HANDLE output = output_open(&c->disk);

	disk_path(&c->disk, SCRIPT, path, &err);
	snprintf(line, sizeof(line), "cmd.exe /d /s /c \"\"%s\"\"", path);
	wchar_t *w = wide_from(line);
	if (!w || output == INVALID_HANDLE_VALUE || !process_start(&c->run, w, output, output))
		know(c, "the image's check cannot be started");
	free(w);
	if (output != INVALID_HANDLE_VALUE)
		CloseHandle(output);
}

struct checkup *checkup_start(const struct disk *d, uint64_t now_ms)
{
	struct checkup *c = pst_zalloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->disk = *d;
	c->end_ms = now_ms + CHECKUP_MS;
	if (disk_has(d, SCRIPT))
		start(c);
	else
		know(c, "");
	return c;
}

void checkup_destroy(struct checkup *c)
{
	if (c)
		process_end(&c->run);
	free(c);
}

/* Bytes that are no text for people become question marks: the line goes to administrators. */
static void line_take(const char *said, char out[CHECKUP_TEXT_SIZE])
{
	size_t n = 0;

	said += strspn(said, "\r\n");
	for (; *said && *said != '\r' && *said != '\n' && n + 1 < CHECKUP_TEXT_SIZE; said++)
		out[n++] = *said >= 0x20 && *said < 0x7f ? *said : '?';
	out[n] = '\0';
}

static void ended(struct checkup *c)
{
	struct pst_err err = PST_ERR_INIT;
	char line[CHECKUP_TEXT_SIZE] = "", *said = NULL;
	DWORD code = 1;
	size_t len;

	GetExitCodeProcess(c->run.process, &code);
	if (code != 0 && disk_read(&c->disk, SAID, SAID_MAX, &said, &len, &err) == 0)
		line_take(said, line);
	free(said);
	if (code != 0 && !line[0])
		snprintf(line, sizeof(line), "it ended with %lu", code);
	know(c, code == 0 ? "" : line);
}

bool checkup_step(struct checkup *c, uint64_t now_ms)
{
	char text[64];

	if (c->is_known)
		return false;
	if (WaitForSingleObject(c->run.process, 0) == WAIT_OBJECT_0) {
		ended(c);
		return true;
	}
	if (now_ms < c->end_ms)
		return false;
	snprintf(text, sizeof(text), "it did not end within %d s", CHECKUP_MS / 1000);
	know(c, text);
	return true;
}

void *checkup_event(const struct checkup *c)
{
	return c->run.process;
}

uint64_t checkup_next_ms(const struct checkup *c)
{
	return c->is_known ? UINT64_MAX : c->end_ms;
}

bool checkup_is_known(const struct checkup *c)
{
	return c->is_known;
}

const char *checkup_fault(const struct checkup *c)
{
	return c->fault;
}
