/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The broker's configuration file, as values. */
#pragma once

#include "base/conf.h"
#include "broker/control/control.h"

struct settings {
	char data[CONTROL_PATH_MAX];     /* the data directory */
	char database[CONTROL_PATH_MAX];
	char lock[CONTROL_PATH_MAX];     /* a pid file: one broker for each database */
	bool drop;                       /* become user before anything is opened */
	uid_t uid;
	gid_t gid;
	struct control_settings control;
};

/* Wipes what is secret. */
void settings_finish(struct settings *s);

int settings_read(struct pst_conf *conf, struct settings *s, struct pst_err *err);
