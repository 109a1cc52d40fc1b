/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many of each noun the core holds; what comes on top of them is refused with a reason. */
#pragma once

#define CORE_DESKTOPS_MAX 100000
#define CORE_POOLS_MAX 1000
#define CORE_PROVIDERS_MAX 64
#define CORE_HOSTS_MAX 1024
#define CORE_NETWORKS_MAX 2048
#define CORE_IMAGES_MAX 1000
#define CORE_WAITERS_MAX 20000
#define CORE_ORPHANS_MAX 4096
#define CORE_BREAKERS_MAX 256
#define CORE_SETBACKS_MAX 1024
#define CORE_ROLLOUTS_MAX CORE_IMAGES_MAX
#define CORE_TIMINGS_MAX 4096
