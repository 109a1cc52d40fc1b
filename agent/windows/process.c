/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CreateProcess, suspended until the job has it. */
#include "agent/windows/process.h"

#include <windows.h>

bool process_start(struct process *p, wchar_t *line, void *output, void *errors)
{
	STARTUPINFOW how = { .cb = sizeof(how), .dwFlags = STARTF_USESTDHANDLES, .hStdOutput = output, .hStdError = errors };
	PROCESS_INFORMATION made;

	if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED | CREATE_NO_WINDOW, NULL, NULL, &how, &made))
		return false;
	p->job = CreateJobObjectW(NULL, NULL);
	if (p->job)
		AssignProcessToJobObject(p->job, made.hProcess);
	p->process = made.hProcess;
	ResumeThread(made.hThread);
	CloseHandle(made.hThread);
	return true;
}

void process_end(struct process *p)
{
	if (p->job)
		TerminateJobObject(p->job, 1);
	if (p->process)
		CloseHandle(p->process);
	if (p->job)
		CloseHandle(p->job);
	p->process = p->job = NULL;
}
