/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the core decided in one round: rows to write, in this order and in one
 * transaction; commands to send once that is committed; and the means to undo it
 * all in memory when it could not be committed.
 */
#pragma once

#include "broker/core/event.h"
#include "broker/core/state.h"

#define CORE_ROUND_MAX 1000000 /* changes or commands of one round */

enum change_kind {
	CHANGE_ASSIGNMENT,     /* a new one: desktop, a */
	CHANGE_ASSIGNMENT_END, /* a.id, code */
	CHANGE_SESSION,        /* a new one: desktop, a, s */
	CHANGE_SESSION_START,  /* s.id */
	CHANGE_SESSION_END,    /* s.id, code, text, text_es */
	CHANGE_TASK,           /* t, as it is now */
	CHANGE_POOL_NUMBER,    /* pool_id, number */
	CHANGE_POOL_GONE,      /* pool_id */
	CHANGE_PROVIDER,       /* health of provider_id */
	CHANGE_SNAPSHOT,       /* a new one, or the same again: desktop_id, its name in text, who in code */
	CHANGE_SNAPSHOT_GONE,  /* desktop_id, text; text "": all of it */
	CHANGE_HOST,           /* provider_id, its host in text; code "maintenance" or "": number at once, total; actor */
	CHANGE_ROLLOUT,        /* the present one of the image desktop_id, as it is now */
	CHANGE_PUBLISHED,      /* the image desktop_id, its version in text */
	CHANGE_VERSION,        /* what verifying has shown: the image desktop_id, version in text, state in code */
	CHANGE_TIMING,         /* the image desktop_id, version in text, what in code, number in ms */
	CHANGE_PERSONAL,       /* the disk of a.user_id in pool_id, of provider_id: what became of it in code */
	CHANGE_AUDIT,          /* word, object, actor, and what helps to read it */
};

struct core_change {
	enum change_kind kind;
	char desktop_id[CORE_ID_SIZE], pool_id[CORE_ID_SIZE], provider_id[CORE_ID_SIZE];
	int number, total;
	char code[CORE_WORD_SIZE], text[CORE_TEXT_SIZE], text_es[CORE_TEXT_SIZE];
	struct core_assignment a;
	struct core_session s;
	struct core_task t;
	struct core_actor actor; /* audit */
	const char *word, *object_kind; /* audit; literals */
};

enum command_kind { COMMAND_PROVISION, COMMAND_INVENTORY, COMMAND_AGENT, COMMAND_END_SESSION, COMMAND_WAITER };

struct core_command {
	enum command_kind kind;
	char desktop_id[CORE_ID_SIZE], session_id[CORE_ID_SIZE], user_id[CORE_ID_SIZE], pool_id[CORE_ID_SIZE];
	char gateway[CORE_WORD_SIZE], user_name[CORE_NAME_SIZE];
	enum agent_tell tell;
	int64_t epoch;
	struct core_task t;
	struct core_reason reason;
};

struct core_touched {
	char id[CORE_ID_SIZE], pool_id[CORE_ID_SIZE]; /* outlive the desktop */
	struct core_desktop *desktop;
	struct core_desktop *before; /* owned; NULL: made in this round */
};

struct core_kept_host { /* as it was before the round */
	bool is_kept;
	struct core_host before;
};

struct core_out {
	int code;                /* 0, or PST_E… with the reason below */
	struct core_reason refusal;
	struct connect_answer answer; /* of EVENT_CONNECT */
	char session_id[CORE_ID_SIZE]; /* of EVENT_GRANT */
	int64_t epoch;
	int64_t wake_ms; /* monotonic; 0: nothing to wait for */
	bool failed;     /* out of memory: undo */
	struct core_touched *touched; /* desktops whose rows are written before the changes */
	struct core_kept_host kept_host;
	struct core_change *changes;
	struct core_command *commands;
	size_t touched_count, change_count, command_count;
	struct core_rollout *rollouts; /* copies from before their first change; owned, NULL: none has changed */
	struct core_image *images;
	size_t rollout_count;
};

void core_out_finish(struct core_out *out);

/* After the commit: forgets what is deleted and served. */
void core_commit(struct core_state *st, struct core_out *out);
/* When there was none: the state is as before the round. */
void core_undo(struct core_state *st, struct core_out *out);
