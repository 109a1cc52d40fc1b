/* SPDX-License-Identifier: GPL-3.0-or-later */
/* advapi32's services */
#include "agent/windows/service.h"

#include <windows.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/windows/journal.h"
#include "agent/windows/wide.h"
#include "base/mem.h"

#define NAME L"PuestoAgent"
#define PATH_SIZE 700
#define STOP_WAIT_MS 20000
#define EVENT_LOG_KEY L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\" NAME

static struct {
	const struct agent_params *params;
	struct agent *agent;
	SERVICE_STATUS_HANDLE status;
	int rc;
	struct pst_err *err;
} service;

/* ---- running ---------------------------------------------------------------------------- */

static void tell(DWORD state, DWORD error)
{
	SERVICE_STATUS s = { .dwServiceType = SERVICE_WIN32_OWN_PROCESS,
		.dwCurrentState = state,
		.dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_SESSIONCHANGE : 0,
		.dwWin32ExitCode = error,
		.dwWaitHint = state == SERVICE_RUNNING || state == SERVICE_STOPPED ? 0 : STOP_WAIT_MS };

	SetServiceStatus(service.status, &s);
}

static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *arg)
{
	switch (control) {
	case SERVICE_CONTROL_STOP:
	case SERVICE_CONTROL_SHUTDOWN:
		tell(SERVICE_STOP_PENDING, NO_ERROR);
		agent_stop(service.agent);
		return NO_ERROR;
	case SERVICE_CONTROL_SESSIONCHANGE:
		agent_wake(service.agent); /* what changed is looked at, not believed */
		return NO_ERROR;
	case SERVICE_CONTROL_INTERROGATE:
		return NO_ERROR;
	default:
		return ERROR_CALL_NOT_IMPLEMENTED;
	}
}

static void WINAPI service_main(DWORD argc, wchar_t **argv)
{
	service.agent = agent_create(service.params, service.err);
	service.status = RegisterServiceCtrlHandlerExW(NAME, on_control, NULL);
	if (!service.status || !service.agent) {
		service.rc = service.agent ? wide_err(service.err, PST_EIO, GetLastError(), "the service") : service.err->code;
	} else {
		tell(SERVICE_RUNNING, NO_ERROR);
		service.rc = agent_run(service.agent, service.err);
	}
	if (service.rc < 0)
		journal(JOURNAL_ERROR, "%s", service.err->text);
	/* An end that is a failure is one that the control manager may mend by a new start. */
	if (service.status)
		tell(SERVICE_STOPPED, service.rc < 0 ? ERROR_EXCEPTION_IN_SERVICE : NO_ERROR);
}

int service_run(const struct agent_params *p, struct pst_err *err)
{
	SERVICE_TABLE_ENTRYW table[] = { { (wchar_t *)(uintptr_t)NAME, service_main }, { NULL, NULL } };

	service.params = p;
	service.err = err;
	if (!StartServiceCtrlDispatcherW(table))
		return wide_err(err, PST_EIO, GetLastError(), "this is for Windows' service control manager; by hand: puesto-agent --console");
	agent_destroy(service.agent);
	return service.rc;
}

/* ---- installing -------------------------------------------------------------------------- */

/* EventCreate.exe, which every Windows has, brings a table whose texts are "%1". */
static void event_log_register(void)
{
	static const wchar_t file[] = L"%SystemRoot%\\System32\\EventCreate.exe";
	DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
	HKEY key;

	if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, EVENT_LOG_KEY, 0, NULL, 0, KEY_WRITE, NULL, &key, NULL) != ERROR_SUCCESS)
		return;
	RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ, (const BYTE *)file, sizeof(file));
	RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD, (const BYTE *)&types, sizeof(types));
	RegCloseKey(key);
}

static void describe(SC_HANDLE s)
{
	static wchar_t text[] = L"Tells Puesto's broker when this desktop is ready and who is logged on.";
	SERVICE_DESCRIPTIONW about = { text };
	SC_ACTION again[] = { { SC_ACTION_RESTART, 2000 }, { SC_ACTION_RESTART, 10000 }, { SC_ACTION_RESTART, 60000 } };
	SERVICE_FAILURE_ACTIONSW failures = { .dwResetPeriod = 3600, .cActions = PST_ARRAY_LEN(again), .lpsaActions = again };
	SERVICE_FAILURE_ACTIONS_FLAG also_errors = { TRUE };

	ChangeServiceConfig2W(s, SERVICE_CONFIG_DESCRIPTION, &about);
	ChangeServiceConfig2W(s, SERVICE_CONFIG_FAILURE_ACTIONS, &failures);
	ChangeServiceConfig2W(s, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &also_errors);
}

static int command_line(wchar_t out[PATH_SIZE], struct pst_err *err)
{
	wchar_t path[PATH_SIZE - 20];
	DWORD n = GetModuleFileNameW(NULL, path, ARRAYSIZE(path));

	if (n == 0 || n >= ARRAYSIZE(path))
		return pst_err_set(err, PST_ELIMIT, "the program's path is too long");
	_snwprintf(out, PATH_SIZE, L"\"%ls\" --service", path);
	return 0;
}

int service_install(struct pst_err *err)
{
	wchar_t line[PATH_SIZE];
	SC_HANDLE manager, s;

	if (command_line(line, err) < 0)
		return err->code;
	manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CREATE_SERVICE);
	if (!manager)
		return wide_err(err, PST_EDENIED, GetLastError(), "the service control manager");
	s = CreateServiceW(manager, NAME, L"Puesto agent", SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, line,
		NULL, NULL, NULL, NULL, NULL);
	if (!s && GetLastError() == ERROR_SERVICE_EXISTS) {
		s = OpenServiceW(manager, NAME, SERVICE_ALL_ACCESS);
		if (s)
			ChangeServiceConfigW(s, SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, line, NULL, NULL, NULL, NULL, NULL, NULL);
	}
	int rc = s ? 0 : wide_err(err, PST_EIO, GetLastError(), "the service cannot be registered");
	if (s) {
		describe(s);
		event_log_register();
		CloseServiceHandle(s);
	}
	CloseServiceHandle(manager);
	return rc;
}

static void stop_and_wait(SC_HANDLE s)
{
	uint64_t end = GetTickCount64() + STOP_WAIT_MS;
	SERVICE_STATUS status;

	if (!ControlService(s, SERVICE_CONTROL_STOP, &status))
		return;
	while (QueryServiceStatus(s, &status) && status.dwCurrentState != SERVICE_STOPPED && GetTickCount64() < end)
		Sleep(100); /* the control manager has no event for it */
}

int service_uninstall(struct pst_err *err)
{
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT), s;
	int rc = 0;

	if (!manager)
		return wide_err(err, PST_EDENIED, GetLastError(), "the service control manager");
	s = OpenServiceW(manager, NAME, SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE);
	if (s) {
		stop_and_wait(s);
		if (!DeleteService(s))
			rc = wide_err(err, PST_EIO, GetLastError(), "the service cannot be removed");
		CloseServiceHandle(s);
	} else if (GetLastError() != ERROR_SERVICE_DOES_NOT_EXIST) {
		rc = wide_err(err, PST_EIO, GetLastError(), "the service");
	}
	CloseServiceHandle(manager);
	RegDeleteTreeW(HKEY_LOCAL_MACHINE, EVENT_LOG_KEY);
	return rc;
}
