/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys that a Hyper-V host gives its guest, as hv_kvp_daemon(8) writes them down: /var/lib/hyperv/.kvp_pool_0, records of a
 * key of 512 bytes and a value of 2048, both filled up with zeros (linux/hyperv.h: HV_KVP_EXCHANGE_MAX_KEY_SIZE, …_VALUE_SIZE).
 */
#pragma once

#include <stddef.h>

#define KVP_SEED "org.puesto.seed"
#define KVP_KEY_SIZE 512
#define KVP_VALUE_SIZE 2048
#define KVP_POOL_MAX (1024 * (KVP_KEY_SIZE + KVP_VALUE_SIZE))

/* The value of that key, borrowed from pool and not terminated; NULL when there is none. A record that is cut is none. */
const char *kvp_find(const char *pool, size_t len, const char *key, size_t *ret_len);
