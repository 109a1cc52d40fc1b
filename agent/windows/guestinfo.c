/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program is run, and what it says is read through a pipe, with a ceiling and a deadline. */
#include "agent/windows/guestinfo.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/windows/journal.h"
#include "agent/windows/process.h"
#include "agent/windows/wide.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#define SEED L"guestinfo.puesto.seed"
#define TOOL_MS 10000
#define FOLDER_MAX 260
#define TOOL_LINE_MAX (FOLDER_MAX + 120)

struct tool {
	struct process run;
	volatile LONG is_late;
};

/* As its installer wrote it down, where administrators alone write. */
static bool tool_line(const wchar_t *command, wchar_t line[TOOL_LINE_MAX])
{
	wchar_t folder[FOLDER_MAX];
	DWORD size = sizeof(folder);

	if (RegGetValueW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\VMware, Inc.\\VMware Tools", L"InstallPath", RRF_RT_REG_SZ, NULL, folder, &size) != ERROR_SUCCESS)
		return false;
	for (size_t n = wcslen(folder); n > 0 && folder[n - 1] == L'\\'; n--)
		folder[n - 1] = L'\0';
	return _snwprintf(line, TOOL_LINE_MAX, L"\"%ls\\vmtoolsd.exe\" --cmd \"%ls\"", folder, command) > 0 && line[TOOL_LINE_MAX - 1] == L'\0';
}

static void tool_kill(struct tool *t)
{
	if (!t->run.job || !TerminateJobObject(t->run.job, 1))
		TerminateProcess(t->run.process, 1);
}

static void CALLBACK on_late(void *arg, BOOLEAN is_timer)
{
	struct tool *t = arg;

	InterlockedExchange(&t->is_late, 1);
	tool_kill(t);
}

/* Until it has ended, which the timer sees to. */
static int words_read(struct tool *t, HANDLE pipe, struct pst_buf *b, struct pst_err *err)
{
	HANDLE timer = NULL;
	char bytes[4096];
	DWORD n = 0;

	if (!CreateTimerQueueTimer(&timer, NULL, on_late, t, TOOL_MS, 0, WT_EXECUTEONLYONCE))
		return wide_err(err, PST_EIO, GetLastError(), "a timer");
	while (ReadFile(pipe, bytes, sizeof(bytes), &n, NULL) && n > 0 && pst_buf_append(b, bytes, n) == 0)
		;
	if (b->failed)
		tool_kill(t);
	(void)WaitForSingleObject(t->run.process, INFINITE);
	DeleteTimerQueueTimer(NULL, timer, INVALID_HANDLE_VALUE);
	pst_wipe(bytes, sizeof(bytes));
	if (t->is_late)
		return pst_err_set(err, PST_ETIMEOUT, "VMware Tools do not answer");
	return b->failed ? pst_err_set(err, PST_EINVAL, "the seed is too long") : 0;
}

/* What is not set is an error of the program's. */
static int tool_code(struct tool *t)
{
	DWORD code = 1;

	return GetExitCodeProcess(t->run.process, &code) && code == 0 ? 0 : PST_ENOTFOUND;
}

static int tool_run(const wchar_t *command, struct pst_buf *b, struct pst_err *err)
{
	SECURITY_ATTRIBUTES inherit = { .nLength = sizeof(inherit), .bInheritHandle = TRUE };
	struct tool t = { .is_late = 0 };
	wchar_t line[TOOL_LINE_MAX] = L"";
	HANDLE ours, its;
	int rc;

	if (!tool_line(command, line))
		return PST_ENOTFOUND;
	if (!CreatePipe(&ours, &its, &inherit, 0))
		return wide_err(err, PST_EIO, GetLastError(), "a pipe");
	SetHandleInformation(ours, HANDLE_FLAG_INHERIT, 0);
	bool is_started = process_start(&t.run, line, its, NULL);
	DWORD error = GetLastError();
	CloseHandle(its);
	rc = is_started ? words_read(&t, ours, b, err) : wide_err(err, PST_EIO, error, "VMware Tools cannot be asked");
	if (rc == 0)
		rc = tool_code(&t);
	process_end(&t.run);
	CloseHandle(ours);
	return rc;
}

static int base64_take(const char *text, size_t max, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	size_t len = strcspn(text, "\r\n");
	char *out = len > 0 ? pst_zalloc(1, max + 1) : NULL;
	long n = out ? pst_base64_decode(text, len, out, max) : 0;

	if (len == 0)
		return PST_ENOTFOUND;
	if (out && n > 0) {
		*ret_text = out;
		*ret_len = (size_t)n;
		return 0;
	}
	free(out);
	return out ? pst_err_set(err, PST_EINVAL, "the seed is no base64, or too long") : pst_err_set(err, PST_ENOMEM, "no memory for the seed");
}

int guestinfo_read(size_t max, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	struct pst_buf b;
	int rc;

	pst_buf_init(&b, PST_BASE64_LEN(max) + 3); /* an end of line, and of text */
	rc = tool_run(L"info-get " SEED, &b, err);
	if (rc == 0)
		rc = pst_buf_cstr(&b) ? base64_take((const char *)b.data, max, ret_text, ret_len, err) : PST_ENOTFOUND;
	if (b.data)
		pst_wipe(b.data, b.len);
	pst_buf_finish(&b);
	return rc;
}

void guestinfo_clear(void)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_buf b;

	pst_buf_init(&b, 4096);
	if (tool_run(L"info-set " SEED L" ", &b, &err) < 0)
		journal(JOURNAL_WARN, "the seed stays in guestinfo.puesto.seed until the next start: VMware Tools did not empty it");
	pst_buf_finish(&b);
}
