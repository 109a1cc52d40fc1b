/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Made by broker/api/gen-openapi.py. */
#pragma once

extern const char openapi_json[];
