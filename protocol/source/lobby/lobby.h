/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lobby: a source that draws pages (protocol/source/page.h) in a framebuffer of its own, for viewers
 * whose protocol has no words while there is no desktop to show. It wakes once a second while a page shows
 * time, and never otherwise.
 */
#pragma once

#include "protocol/source/source.h"

extern const struct source_type source_lobby;

/* The largest screen; a wish above it gets this. */
#define LOBBY_WIDTH_MAX 5120
#define LOBBY_HEIGHT_MAX 2880
