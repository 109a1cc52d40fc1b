/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the hosts driver share. */
#pragma once

#include "broker/hypervisor/calls.h"
#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/hosts/lease.h"
#include "broker/hypervisor/hosts/probe.h"
#include "broker/hypervisor/hosts/seats.h"
#include "broker/hypervisor/poller.h"
#include "broker/hypervisor/seed.h"
#include "broker/hypervisor/ssh/remote.h"
#include "broker/hypervisor/watches.h"

enum hosts_command { HOSTS_SEED, HOSTS_REFRESH, HOSTS_RESTART, HOSTS_OFF, HOSTS_COMMANDS };

/* A seat that did not answer, or could not be cleaned. */
struct hosts_fault {
	char seat[MACHINE_NAME_SIZE];
	char reason[160];
	uint64_t until_ms; /* it is taken last until then */
};

#define HOSTS_FAULTS_MAX 256

struct hosts {
	struct driver base;
	char path[PATH_MAX];   /* of the list of seats */
	char folder[PATH_MAX]; /* of the leases */
	char wake[SEAT_ADDRESS_SIZE]; /* where magic packets go */
	uint16_t wake_port, ssh_port;
	uint64_t wake_ms, deadline_ms;
	bool lends_foreign; /* seats without an agent of ours, too */
	char *commands[HOSTS_COMMANDS]; /* compiled, owned; NULL where not set */
	struct seed_site seed;
	struct rdp_site rdp;
	struct remote *remote; /* what its clones for seats are made of; NULL without commands */
	struct calls calls;
	struct watches *watches;
	struct poller *poller;
	pthread_mutex_t lock; /* guards taking dirty seats, and the faults */
	struct hosts_fault faults[HOSTS_FAULTS_MAX];
	size_t faults_n;
};

/* A command, with the lists as they were at its begin. */
struct hosts_op {
	struct hosts *h;
	struct call call;
	struct seats seats;
	struct leases leases;
};

struct hosts *hosts_of(struct driver *d);

/* op.c. desktop may be "". end follows a begin that returned 0. */
int hosts_op_begin(struct hosts_op *op, struct hosts *h, const char *desktop, uint64_t timeout_ms, struct pst_err *err);
void hosts_op_end(struct hosts_op *op);
/* The desktop's lease and its seat; PST_ENOTFOUND without a lease, PST_EIO when the seat is not listed any more. */
int hosts_need(struct hosts_op *op, struct lease **ret_lease, const struct seat **ret_seat, struct pst_err *err);
/*
 * Where it is seen whether the machine is there: an agent has no identity and listens to nobody until the broker, after the
 * create, has given it one; its seat is looked at by the sshd that it is told by. Else at the seat's own port.
 */
struct seat hosts_door(const struct hosts *h, const struct seat *s);
/* Does it answer there now? If not, why. */
bool hosts_answers(const struct hosts_op *op, const struct seat *s, char reason[96]);
/* Until it does (waking it), or does not; PST_ETIMEOUT at until_ms, PST_ECLOSED. */
int hosts_await(const struct hosts_op *op, const struct seat *s, bool answers, uint64_t until_ms, struct pst_err *err);
/* Runs a command on the seat; nothing where it is not set. seed may be NULL. */
int hosts_command(const struct hosts_op *op, const struct seat *s, enum hosts_command c, const struct machine_request *r, const char *seed,
	struct pst_err *err);
/* Gives the seat's agent its enrolment, where there is one to give. */
int hosts_seed(const struct hosts_op *op, const struct seat *s, const struct machine_request *r, struct pst_err *err);
const char *hosts_command_key(enum hosts_command c);

/* faults.c */
void hosts_fault_set(struct hosts *h, const char *seat, const char *reason);
void hosts_fault_clear(struct hosts *h, const char *seat);
bool hosts_fault_is(struct hosts *h, const char *seat, uint64_t now_ms);
/* Some of them in words, of listed seats; "" when there are none. */
void hosts_faults_text(struct hosts *h, const struct seats *seats, char *out, size_t size);

/* inventory.c */
void hosts_machine_fill(const struct lease *l, const struct seat *s, struct machine *m);
bool hosts_lends(const struct hosts *h, const struct seat *s);
int hosts_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err);
int hosts_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err);

/* take.c: finds a free seat, wakes, cleans and seeds it. ret is lent. */
int hosts_take(struct hosts_op *op, const struct machine_request *r, struct lease *ret, const struct seat **ret_seat, struct pst_err *err);
/* Gives it back; what cannot be cleaned now is kept until it can. */
int hosts_return(struct hosts_op *op, struct lease *l, struct pst_err *err);

/* life.c */
int hosts_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err);
int hosts_destroy(struct driver *d, const char *desktop, struct pst_err *err);
int hosts_restart(struct driver *d, const struct machine_request *r, bool refresh, struct machine *ret, struct pst_err *err);
int hosts_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err);
int hosts_console(struct driver *d, const char *desktop, bool is_shared, struct machine_screen *ret, struct pst_err *err);
int hosts_way(struct driver *d, const char *desktop, const char *pin, struct machine_endpoint *ret, json_t **ret_account, struct pst_err *err);
