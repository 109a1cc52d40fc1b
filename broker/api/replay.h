/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Idempotency-Key: a POST that made something (201) and is sent again by the same user with the
 * same key and body gets the first answer again, for a day. Answers with secrets are not kept.
 */
#pragma once

#include "broker/api/call.h"

/* 0: go on. Else the call is answered: from before, or because the key is wrong. */
int replay_find(struct api_call *call, const json_t *body_text);
/* Keeps the answer if it is one to keep. */
void replay_keep(struct api_call *call);
