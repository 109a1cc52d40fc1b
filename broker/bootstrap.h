/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * First users, images and pools from one JSON file. What stands already (by its name) is left as
 * it is, so the same file may be given at every start; each object passes the API's own checks.
 *
 *	{"providers": [{"name", …}], "images": [{"name", …, "versions": [{"version", "base", "path"}],
 *	 "publish": "1"}], "pools": [{…}], "users": [{"name", "password", "role"}],
 *	 "groups": [{"name", "members": ["ana"]}], "entitlements": [{"pool", "user" | "group"}]}
 */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <uv.h>

struct api;

/* Runs the loop until all is done. */
int bootstrap_run(uv_loop_t *loop, struct api *api, const json_t *doc, struct pst_err *err);
