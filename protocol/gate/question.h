/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a worker asks the broker through the gate: who is this (auth), and a desktop, please (connect). */
#pragma once

#include <jansson.h>

struct session;

/* msg is borrowed; the answer goes to the worker when it comes. */
void question_auth(struct session *s, json_t *msg);
void question_connect(struct session *s, json_t *msg);
/* The session or its channel ends: pending questions are forgotten. */
void question_drop_all(struct session *s);
