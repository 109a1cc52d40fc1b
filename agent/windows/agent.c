/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes the agent's pieces, waits for their events, and ends them in the other order. */
#include "agent/windows/agent_priv.h"

#include <winsock2.h>
#include <windows.h>

#include <stdlib.h>
#include <string.h>

#include "agent/windows/journal.h"
#include "agent/windows/wide.h"
#include "agent/windows/wts.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#define SETTINGS_MAX 4096
#define SEED_AGAIN_MS 2000 /* a seed drive that Windows has not mounted yet */
#define WAITED_MAX 5
#define BOOT_KEY L"SOFTWARE\\Puesto\\Boot"

uint64_t agent_now_ms(void)
{
	return GetTickCount64();
}

/* One boot of the desktop has one name, whatever becomes of the agent: it lies in a key that a reboot forgets. */
static void boot_name(char out[PST_UUID_SIZE])
{
	struct pst_uuid uuid = pst_uuid_make();
	wchar_t kept[PST_UUID_SIZE] = L"";
	char text[PST_UUID_SIZE];
	DWORD size = sizeof(kept) - sizeof(kept[0]);
	HKEY key;

	pst_uuid_text(&uuid, out);
	if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, BOOT_KEY, 0, NULL, REG_OPTION_VOLATILE, KEY_READ | KEY_WRITE, NULL, &key, NULL) != ERROR_SUCCESS)
		return;
	if (RegGetValueW(key, NULL, L"name", RRF_RT_REG_SZ, NULL, kept, &size) == ERROR_SUCCESS &&
		pst_uuid_parse(wide_to(kept, text, sizeof(text)), &uuid) == 0) {
		pst_strlcpy(out, PST_UUID_SIZE, text);
	} else {
		wchar_t *w = wide_from(out);

		if (w)
			RegSetValueExW(key, L"name", 0, REG_SZ, (const BYTE *)w, PST_UUID_SIZE * sizeof(*w));
		free(w);
	}
	RegCloseKey(key);
}

static int settings_load(struct agent *a, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	char *text = NULL;
	size_t len;
	int rc = disk_read(a->disk, "settings.json", SETTINGS_MAX, &text, &len, &why);

	settings_default(&a->settings);
	if (rc == 0)
		rc = settings_parse(text, len, &a->settings, &why);
	else if (rc == PST_ENOTFOUND)
		rc = 0;
	free(text);
	return rc < 0 ? pst_err_set(err, rc, "settings.json: %s", why.text) : 0;
}

struct agent *agent_create(const struct agent_params *p, struct pst_err *err)
{
	struct agent *a = pst_zalloc(1, sizeof(*a));
	WSADATA wsa;

	if (!a) {
		pst_err_set(err, PST_ENOMEM, "no memory for the agent");
		return NULL;
	}
	a->disk = p->disk;
	a->seed = p->seed;
	a->is_service = p->is_service;
	a->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
	a->wake = CreateEventW(NULL, FALSE, TRUE, NULL);
	int rc = WSAStartup(MAKEWORD(2, 2), &wsa);
	if (rc != 0)
		wide_err(err, PST_EIO, (DWORD)rc, "Windows' sockets");
	else if (settings_load(a, err) == 0 && a->stop && a->wake)
		return a;
	agent_destroy(a);
	return NULL;
}

void agent_destroy(struct agent *a)
{
	if (!a)
		return;
	line_destroy(a->line);
	talk_destroy(a->talk);
	identity_close(a->identity);
	probe_destroy(a->probe);
	checkup_destroy(a->checkup);
	if (a->stop)
		CloseHandle(a->stop);
	if (a->wake)
		CloseHandle(a->wake);
	WSACleanup();
	pst_wipe(a, sizeof(*a));
	free(a);
}

void agent_stop(struct agent *a)
{
	SetEvent(a->stop);
}

void agent_wake(struct agent *a)
{
	SetEvent(a->wake);
}

/* ---- starting ------------------------------------------------------------------------ */

/* 1: seeded. 0: stopped, or the computer restarts for its new name. */
static int seed_wait(struct agent *a, struct place *ret, struct pst_err *err)
{
	bool is_renamed = false, was_told = false;

	for (;;) {
		struct pst_err why = PST_ERR_INIT;
		int rc = seeding_run(a->disk, a->seed, &is_renamed, &why);

		if (rc == 0 && is_renamed && a->is_service)
			return wts_power(true, "Puesto: the computer gets its name", err) < 0 ? err->code : 0;
		/* A seed that is damaged is no reason to forget the one before; without one it is told once. */
		if (rc < 0 && !was_told)
			journal(rc == PST_ENOTFOUND ? JOURNAL_INFO : JOURNAL_ERROR, "%s", why.text);
		was_told = true;
		rc = seeding_place(a->disk, ret, &why);
		if (rc == 0)
			return 1;
		if (rc != PST_ENOTFOUND)
			return pst_err_set(err, rc, "%s", why.text);
		if (WaitForSingleObject(a->stop, SEED_AGAIN_MS) == WAIT_OBJECT_0)
			return 0;
	}
}

static int pieces_make(struct agent *a, const struct place *place, struct pst_err *err)
{
	a->identity = identity_open(a->disk, a->settings.key, err);
	if (!a->identity)
		return err->code;
	a->talk = talk_create(&orders_events, a);
	a->probe = probe_create(a->settings.rdp_port);
	a->checkup = checkup_start(a->disk, agent_now_ms());
	if (!a->talk || !a->probe || !a->checkup)
		return pst_err_set(err, PST_ENOMEM, "no memory for the agent");
	if (orders_open(a, place, err) < 0 || (!orders_is_enrolled(a) && identity_prepare(a->identity, err) < 0))
		return err->code;
	a->line = line_create(place->broker, a->identity, a->talk, err);
	return a->line ? 0 : err->code;
}

/* ---- running ------------------------------------------------------------------------- */

static void probe_look(struct agent *a, uint64_t now_ms)
{
	bool was_up = probe_is_up(a->probe);

	if (!probe_step(a->probe, now_ms))
		return;
	if (!was_up) {
		journal(JOURNAL_INFO, "Remote Desktop answers at port %u certificate=%s", a->settings.rdp_port, probe_pin(a->probe));
		orders_report(a, "ready", "", "", "");
		talk_greet(a->talk, now_ms);
	} else if (probe_is_up(a->probe)) {
		journal(JOURNAL_INFO, "Remote Desktop has another certificate");
		talk_greet(a->talk, now_ms);
	} else {
		journal(JOURNAL_ERROR, "Remote Desktop is down: %s", probe_reason(a->probe));
		orders_report(a, "failed", "", "", probe_reason(a->probe));
	}
}

static void checkup_look(struct agent *a, uint64_t now_ms)
{
	if (!checkup_step(a->checkup, now_ms))
		return;
	if (checkup_fault(a->checkup)[0])
		journal(JOURNAL_WARN, "the image's check failed: %s", checkup_fault(a->checkup));
	talk_greet(a->talk, now_ms);
}

static uint64_t step(struct agent *a)
{
	uint64_t now_ms = agent_now_ms(), next;

	probe_look(a, now_ms);
	checkup_look(a, now_ms);
	if (WaitForSingleObject(a->wake, 0) == WAIT_OBJECT_0 || now_ms >= a->look_ms || now_ms >= guard_next_ms(&a->guard))
		occupancy_look(a, now_ms);
	line_want(a->line, !orders_is_enrolled(a) || probe_is_up(a->probe) || checkup_fault(a->checkup)[0]);
	line_step(a->line, now_ms);
	next = PST_MIN(probe_next_ms(a->probe), checkup_next_ms(a->checkup));
	next = PST_MIN(next, PST_MIN(line_next_ms(a->line), a->look_ms));
	return PST_MIN(next, talk_is_greeted(a->talk) ? guard_next_ms(&a->guard) : UINT64_MAX);
}

/* The wake event is read by step, so that waiting for it does not lose it. */
static bool wait(struct agent *a, uint64_t until_ms)
{
	HANDLE list[WAITED_MAX] = { a->stop, a->wake, probe_event(a->probe) };
	uint64_t now_ms = agent_now_ms();
	DWORD n = 3, rc;

	if (line_event(a->line))
		list[n++] = line_event(a->line);
	if (checkup_event(a->checkup))
		list[n++] = checkup_event(a->checkup);
	rc = WaitForMultipleObjects(n, list, FALSE, until_ms > now_ms ? (DWORD)PST_MIN(until_ms - now_ms, (uint64_t)60000) : 0);
	if (rc == WAIT_OBJECT_0 + 1)
		SetEvent(a->wake);
	return rc != WAIT_OBJECT_0;
}

int agent_run(struct agent *a, struct pst_err *err)
{
	struct place place = { 0 };
	int rc = seed_wait(a, &place, err);

	if (rc <= 0)
		return rc;
	boot_name(a->boot);
	if (pieces_make(a, &place, err) < 0)
		return err->code;
	journal(JOURNAL_INFO, "begins desktop=%s broker=%s", place.desktop, place.broker);
	while (wait(a, step(a)))
		;
	journal(JOURNAL_INFO, "ends");
	return 0;
}
