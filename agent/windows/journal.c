/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line for one event; at most JOURNAL_MAX bytes of them twice. */
#include "agent/windows/journal.h"

#include <windows.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/windows/wide.h"

#define JOURNAL_MAX (1 << 20)
#define EVENT_ID 1 /* of EventCreate.exe's table, which shows the text as it is */

static struct {
	HANDLE file, events;
	wchar_t *path, *older;
	long long len;
	bool is_service, is_open;
} log_;

static void file_open(void)
{
	LARGE_INTEGER size = { .QuadPart = 0 };

	log_.file = CreateFileW(log_.path, FILE_APPEND_DATA, FILE_SHARE_READ, NULL, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
	if (log_.file != INVALID_HANDLE_VALUE)
		GetFileSizeEx(log_.file, &size);
	log_.len = size.QuadPart;
}

void journal_open(const struct disk *d, bool is_service)
{
	struct pst_err err = PST_ERR_INIT;
	char path[DISK_PATH_MAX], older[DISK_PATH_MAX];

	if (disk_path(d, "agent.log", path, &err) < 0 || disk_path(d, "agent.log.1", older, &err) < 0)
		return;
	log_.path = wide_from(path);
	log_.older = wide_from(older);
	log_.is_service = is_service;
	log_.is_open = log_.path && log_.older;
	if (log_.is_open)
		file_open();
	if (is_service)
		log_.events = RegisterEventSourceW(NULL, JOURNAL_SOURCE);
}

void journal_close(void)
{
	if (log_.is_open && log_.file != INVALID_HANDLE_VALUE)
		CloseHandle(log_.file);
	if (log_.events)
		DeregisterEventSource(log_.events);
	free(log_.path);
	free(log_.older);
	ZeroMemory(&log_, sizeof(log_));
}

static void file_put(const char *line, size_t len)
{
	DWORD put;

	if (!log_.is_open || log_.file == INVALID_HANDLE_VALUE)
		return;
	if (log_.len > JOURNAL_MAX) {
		CloseHandle(log_.file);
		MoveFileExW(log_.path, log_.older, MOVEFILE_REPLACE_EXISTING);
		file_open();
	}
	if (WriteFile(log_.file, line, (DWORD)len, &put, NULL))
		log_.len += put;
}

static void event_put(enum journal_level level, const char *text)
{
	static const WORD types[] = { EVENTLOG_INFORMATION_TYPE, EVENTLOG_WARNING_TYPE, EVENTLOG_ERROR_TYPE };
	wchar_t *w = log_.events ? wide_from(text) : NULL;
	const wchar_t *list[] = { w };

	if (w)
		ReportEventW(log_.events, types[level], 0, EVENT_ID, NULL, 1, 0, list, NULL);
	free(w);
}

void journal(enum journal_level level, const char *fmt, ...)
{
	static const char *const words[] = { "info", "warn", "error" };
	char text[700], line[800];
	SYSTEMTIME t;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* What came from outside does not begin a line of its own. */
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20)
			*c = ' ';
	GetSystemTime(&t);
	int n = snprintf(line, sizeof(line), "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ %s %s\r\n", t.wYear, t.wMonth, t.wDay, t.wHour, t.wMinute, t.wSecond,
		t.wMilliseconds, words[level], text);
	if (n <= 0)
		return;
	file_put(line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
	if (log_.is_service)
		event_put(level, text);
	else
		fprintf(stderr, "%s", line);
}
