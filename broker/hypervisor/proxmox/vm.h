/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls of the Proxmox VE API, and one machine of it. Any thread; everything ends with its operation. */
#pragma once

#include "broker/hypervisor/proxmox/vmconfig.h"
#include "broker/hypervisor/rest/rest.h"

#define PVE_API "/api2/json"

/* A machine as it stands. */
struct pve_vm {
	uint32_t id;
	char node[VMCONFIG_NAME_SIZE];
	char lock[24]; /* Proxmox VE's word, "suspended" for what lies on disk; "" for none */
	bool is_running;
};

/* pve.c: calls. Each gives what is under "data", owned. */
int pve_refusal(const struct http_answer *a, char words[REST_WORDS_SIZE]);
json_t *pve_get(struct rest_op *op, const char *path, json_type type, struct pst_err *err);
/* Does it, and waits for the task if it became one. */
int pve_do(struct rest_op *op, const struct rest_call *c, const char *path, struct pst_err *err);
int pve_send(struct rest_op *op, const char *method, const char *path, const json_t *json, struct pst_err *err);

/* vm.c */
int pve_vm_path(const struct pve_vm *vm, const char *rest, char out[REST_PATH_SIZE], struct pst_err *err);
/* Fills is_running and lock; PST_ENOTFOUND. */
int pve_vm_look(struct rest_op *op, struct pve_vm *vm, struct pst_err *err);
/* As look, until nothing goes on with it. */
int pve_vm_settle(struct rest_op *op, struct pve_vm *vm, struct pst_err *err);
json_t *pve_vm_config(struct rest_op *op, const struct pve_vm *vm, struct pst_err *err);
/* json is taken. */
int pve_vm_configure(struct rest_op *op, const struct pve_vm *vm, json_t *json, struct pst_err *err);

/*
 * Something to be reached by one call, which may be lost, done twice, or said to be done: looks before, and
 * again after each try.
 */
struct pve_goal {
	struct pve_vm *vm;
	const char *what;    /* "start it" */
	const char *method;
	const char *path;    /* below the machine's, "" for its own */
	const json_t *json;  /* borrowed */
	/* 1 when reached, 0, or an error. The machine has just been looked at. */
	int (*is_reached)(struct rest_op *op, const struct pve_goal *g, struct pst_err *err);
	const void *arg;
};
int pve_reach(struct rest_op *op, const struct pve_goal *g, struct pst_err *err);

/* power.c: both are done when it is so already. */
int pve_vm_start(struct rest_op *op, struct pve_vm *vm, struct pst_err *err);
int pve_vm_stop(struct rest_op *op, struct pve_vm *vm, struct pst_err *err);
/* A suspended machine is locked: nothing is written on it before its memory is gone. 0 for any other. */
int pve_vm_forget(struct rest_op *op, struct pve_vm *vm, struct pst_err *err);
