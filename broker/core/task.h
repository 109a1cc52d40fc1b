/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a provider is asked to do with one machine. Plain data.
 */
#pragma once

#include "broker/core/axes.h"

#define TASK_ARG_RESTORE "restore" /* of a create: the disk comes out of the recycle bin */

struct core_task { /* id "": none */
	char id[CORE_ID_SIZE], desktop_id[CORE_ID_SIZE];
	enum task_kind kind;
	enum task_state state;
	int attempts;
	int failures; /* answers that said no; a lost answer is not one */
	char arg[CORE_WORD_SIZE]; /* of an operation: a snapshot, a size, a host */
	char by[CORE_NAME_SIZE];  /* whose wish it was; not kept over a restart */
	char error_code[CORE_WORD_SIZE], error[CORE_TEXT_SIZE];
	int64_t due_ms; /* next send, or the time a lost answer is given up */
	int64_t created_wall;
};
