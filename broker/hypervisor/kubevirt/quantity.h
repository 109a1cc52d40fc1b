/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kubernetes' quantities ("4Gi", "4096Mi", "4e9"): apimachinery, pkg/api/resource. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* MB (2^20 bytes), rounded down; false for what is no quantity of bytes. */
bool quantity_mb(const char *text, uint64_t *ret);
