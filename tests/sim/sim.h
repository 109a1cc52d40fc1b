/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The simulator: the real core, the real reconciler and the real SQL (in memory),
 * in a world of modelled provisioner, machines, agents, gateway and users, driven
 * by one seed. Time jumps from message to message. Everything that happens goes
 * into a hash, so that the same seed is the same run, byte for byte.
 */
#pragma once

#include "base/err.h"
#include "broker/reconciler.h"
#include "broker/core/state.h"
#include "db/db.h"
#include "tests/sim/sim_message.h"

#include <stdbool.h>
#include <stdint.h>

#define MACHINES_MAX 64
#define HOSTS_MAX 4
#define USERS_MAX 8
#define POOLS_MAX 3
#define VERSIONS_MAX 5
#define BIN_MAX 16
#define RESTORED_MAX 64
#define STORM_MS 240000   /* faults happen for so long */
#define CALM_MS 2400000   /* after that, everything must come to rest */

/* Of an image version: its agent never comes up; its session ends at once; it takes long; no viewer ever sees a picture. */
enum trait { TRAIT_GOOD, TRAIT_DEAD, TRAIT_DIES, TRAIT_SLOW, TRAIT_BLACK };

struct machine { /* on the host; survives everything but its destruction */
	bool exists, running, ghost;
	char id[CORE_ID_SIZE], task[CORE_ID_SIZE]; /* the task that was done last */
	int host;        /* -1: there is only one */
	bool moved, mounted;
	int64_t uid, busy_until, heard_until, told_until, told_epoch; /* told_epoch: of the lease that its agent heard of last */
	int disk_user, disk_pool; /* whose own disk is attached; -1: none */
	int disk_owner;  /* user who has written to the disk; -1: new */
	int occupant;    /* user logged on; -1: none */
	char session[CORE_ID_SIZE]; /* live display session, or "" */
	int64_t session_epoch;
	char token[44], boot[CORE_ID_SIZE];
	bool agent, connected, keyed;
	bool slept;      /* suspended: its memory is there */
	bool unanswered; /* since it was suspended, nobody has said that it is back */
	bool said_asleep; /* by the broker, after the last step */
	bool had_agent;  /* when it was suspended */
	char slept_boot[CORE_ID_SIZE];
	char version[8]; /* of the disk */
	int64_t told_at; /* when its user was told of a new version */
	uint8_t key[32];
	int64_t highest;
};

enum user_state { USER_IDLE, USER_ASKING, USER_TICKET, USER_WORKING };

struct user {
	enum user_state state;
	int pool;
	int64_t since;  /* of asking */
	char ticket[44], desktop[CORE_ID_SIZE], session[CORE_ID_SIZE];
	int served;
};

struct epoch_seen { /* the highest epoch granted on each desktop that ever was */
	char id[CORE_ID_SIZE];
	int64_t epoch;
};

struct binned { /* a disk in the recycle bin */
	char id[CORE_ID_SIZE], version[8];
	int disk_owner;
};

struct restored { /* a desktop that came back */
	char id[CORE_ID_SIZE];
	bool is_excused; /* its user has had it, or somebody has done something to it, or it has failed */
};

struct faults { /* per mille */
	int crash_before, crash_after, crash_amid, write_fails;
	int task_fails, task_dies, answer_lost, answer_doubled, slow;
	int sleep_lies, sleep_ends; /* a suspend that is none; a resume that ends in nothing */
};

struct sim_host {
	int64_t silent_until;
	int capacity; /* 0: none */
};

struct world {
	uint64_t seed, rand, hash, seq, steps;
	int64_t now, wall_offset, wake_at; /* wake_at -1: never */
	int64_t silent_until, empty_until; /* the host cannot be asked; it says that it has nothing */
	struct db *db;
	struct reconciler *rec; /* NULL: the broker is down */
	int broker, provisioner; /* lives so far */
	bool provisioner_up, calm, dying, verbose;
	bool write_failed;  /* by our own hand, since the last result */
	int amid;           /* commands until death, while dying amid them */
	struct faults faults;
	struct message queue[MESSAGES_MAX];
	int queued;
	struct sim_host hosts[HOSTS_MAX];
	int host_count;  /* 0: one without a name */
	bool host_moves; /* live migration is carried */
	struct machine machines[MACHINES_MAX];
	struct user users[USERS_MAX];
	int user_count, pool_count;
	const char *mutate; /* the rule that is broken, or "" */
	bool agentless; /* its machines have a screen's server and no agent */
	struct epoch_seen seen[1024];
	int seen_count, grants, crashes, replaced, forced, rollouts, reverted, brought;
	int slept, woken; /* desktops at rest, and resumed for somebody */
	enum trait traits[VERSIONS_MAX + 1];
	bool worked[VERSIONS_MAX + 1]; /* a desktop of it that nobody could get has reported */
	bool meddles; /* there is an administrator who does this and that */
	unsigned pools_set; /* bits of those that he has changed */
	struct binned bin[BIN_MAX];
	struct restored restored[RESTORED_MAX];
	char deleted[BIN_MAX][CORE_ID_SIZE]; /* the last desktops that were */
	int binned, restored_count, deletions;
	char violation[400]; /* "" while all is well */
};

/* sim_rand.c */
uint64_t sim_random(struct world *w);
int sim_below(struct world *w, int n);
int64_t sim_between(struct world *w, int64_t low, int64_t high);
bool sim_chance(struct world *w, int per_mille); /* never, once it is calm */
void sim_uuid(struct world *w, char ret[CORE_ID_SIZE]);
void sim_trace(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sim_violation(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* sim_broker.c */
extern const struct reconciler_ops sim_ops;
int broker_make_rows(struct world *w, struct pst_err *err);
void broker_unhook(struct world *w);
void broker_start(struct world *w);
void broker_after(struct world *w); /* after each call: bury it if it died */
void broker_die(struct world *w);
void broker_allow(struct world *w); /* the administrator, who has looked at the host */
void broker_result(struct world *w, int rc, const struct pst_err *err, const char *what);

/* sim_machine.c */
struct machine *machine_find(struct world *w, const char *id);
void machine_stop(struct world *w, struct machine *m, const char *why);
void host_on_command(struct world *w, const struct message *m);
void host_on_done(struct world *w, const struct message *m);
void host_on_answer(struct world *w, const struct message *m);
void host_on_inventory_ask(struct world *w, const struct message *m);
void host_on_inventory(struct world *w, const struct message *m);
void host_on_start(struct world *w, const struct message *m);

/* sim_agent.c */
void agent_boot(struct world *w, struct machine *m);
void guest_on_start(struct world *w, const struct message *m);
void guest_on_connect(struct world *w, const struct message *m);
void guest_on_told(struct world *w, const struct message *m);
void guest_on_says(struct world *w, const struct message *m);
void guest_on_cut(struct world *w, const struct message *m);
void agent_log_off(struct world *w, struct machine *m);

/* sim_user.c */
void user_on_acts(struct world *w, const struct message *m);
void viewer_on_end(struct world *w, const struct message *m);
void viewer_on_says(struct world *w, const struct message *m);
void session_lost(struct world *w, struct machine *m, const char *code);
void gateway_on_hello(struct world *w, const struct message *m);

/* sim_fault.c */
void fault_choose(struct world *w);
void fault_on(struct world *w, const struct message *m);

/* sim_check.c */
void check_step(struct world *w);
void check_rest(struct world *w);
void check_grant(struct world *w, int user, const struct grant *g);
