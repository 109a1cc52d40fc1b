/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The axes of a desktop, each its own enum with the words of the schema and of
 * the API, and the small shared types of the core.
 *
 *	lifecycle  creating ──► live ──► deleting ──► deleted
 *	               │          ▲│         ▲
 *	               └► failed ─┘└─────────┘   (failed ► deleting as well)
 *	lease      free ──► held ──► ending ──► free
 *	session    none ──► granted ──► connected ◄──► disconnected ──► none
 *	hygiene    clean ──► dirty ──► cleaning ──► clean   (dirty at the first grant)
 *	personal   none ──► wanted ──► attached ──► mounted ──► leaving ──► left ──► none   (personal.c)
 *	sleep      awake ──► suspended ──► resuming ──► awake (a spare of the second tier: spare.c)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CORE_ID_SIZE 37   /* a uuid in text and its end */
#define CORE_NAME_SIZE 129
#define CORE_WORD_SIZE 65
#define CORE_TEXT_SIZE 320
#define CORE_ENDPOINT_SIZE 1024

enum lifecycle { LIFECYCLE_CREATING, LIFECYCLE_LIVE, LIFECYCLE_FAILED, LIFECYCLE_DELETING, LIFECYCLE_DELETED };
enum power { POWER_UNKNOWN, POWER_OFF, POWER_STARTING, POWER_ON };
enum agent { AGENT_NONE, AGENT_READY, AGENT_LOST };
enum lease { LEASE_FREE, LEASE_HELD, LEASE_ENDING };
enum session { SESSION_NONE, SESSION_GRANTED, SESSION_CONNECTED, SESSION_DISCONNECTED };
enum hygiene { HYGIENE_CLEAN, HYGIENE_DIRTY, HYGIENE_CLEANING };
enum sleep { SLEEP_AWAKE, SLEEP_SUSPENDED, SLEEP_RESUMING };
enum pool_kind { POOL_FLOATING, POOL_DEDICATED };
enum on_logoff { ON_LOGOFF_DELETE, ON_LOGOFF_REFRESH, ON_LOGOFF_KEEP };
enum protocol { PROTOCOL_WS, PROTOCOL_RFB, PROTOCOL_RDP };
enum task_kind {
	TASK_CREATE, TASK_DESTROY, TASK_RESTART, TASK_REFRESH,
	TASK_START, TASK_STOP, TASK_SUSPEND, TASK_SNAPSHOT, TASK_REVERT, TASK_DROP, TASK_RESIZE, TASK_MIGRATE, /* operation.c */
	TASK_ATTACH, TASK_DETACH, /* personal.c */
	TASK_KIND_COUNT,
};
enum task_state { TASK_PENDING, TASK_SENT, TASK_DONE, TASK_FAILED };
enum personal { PERSONAL_NONE, PERSONAL_WANTED, PERSONAL_ATTACHED, PERSONAL_MOUNTED, PERSONAL_LEAVING, PERSONAL_LEFT };
enum stage { STAGE_QUEUE, STAGE_CREATE, STAGE_START, STAGE_AGENT };

const char *lifecycle_text(enum lifecycle v);
const char *power_text(enum power v);
const char *agent_text(enum agent v);
const char *lease_text(enum lease v);
const char *session_text(enum session v);
const char *hygiene_text(enum hygiene v);
const char *sleep_text(enum sleep v);
const char *pool_kind_text(enum pool_kind v);
const char *on_logoff_text(enum on_logoff v);
const char *protocol_text(enum protocol v);
const char *task_kind_text(enum task_kind v);
const char *task_state_text(enum task_state v);
const char *personal_text(enum personal v);
const char *stage_text(enum stage v);

/* Each returns false, and leaves *ret alone, for a word that it does not know. */
bool lifecycle_parse(const char *text, enum lifecycle *ret);
bool power_parse(const char *text, enum power *ret);
bool agent_parse(const char *text, enum agent *ret);
bool lease_parse(const char *text, enum lease *ret);
bool session_parse(const char *text, enum session *ret);
bool hygiene_parse(const char *text, enum hygiene *ret);
bool sleep_parse(const char *text, enum sleep *ret);
bool pool_kind_parse(const char *text, enum pool_kind *ret);
bool on_logoff_parse(const char *text, enum on_logoff *ret);
bool protocol_parse(const char *text, enum protocol *ret);
bool task_kind_parse(const char *text, enum task_kind *ret);
bool task_state_parse(const char *text, enum task_state *ret);
bool personal_parse(const char *text, enum personal *ret);

/* Both clocks of one moment. Decisions use mono_ms, people read wall_ms. */
struct core_now {
	int64_t mono_ms, wall_ms;
};

/* A code for programs and one sentence for people, in both languages. An empty
 * code means that there is nothing to explain. */
struct core_reason {
	char code[CORE_WORD_SIZE];
	char en[CORE_TEXT_SIZE], es[CORE_TEXT_SIZE];
};

/* Who asked; for the audit. kind is a word of events.actor_kind. */
struct core_actor {
	char kind[16];
	char id[CORE_ID_SIZE];
	char name[CORE_NAME_SIZE];
	char remote[64];
};
