/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The contract against a double of Kubernetes with KubeVirt that tests/integration/test_kubevirt.py starts, and settings that are refused.
 * Covers: broker/hypervisor/kubevirt/settings.c broker/hypervisor/kubevirt/kubevirt.c
 */
#include "tests/unit/hypervisor/rest_double.h"

#include <criterion/criterion.h>

Test(kubevirt, double_keeps_the_contract, .timeout = 120)
{
	rest_double_contract("kubevirt", "ref:pvc:golden");
}

Test(kubevirt, pods_keep_the_contract, .timeout = 120)
{
	rest_double_contract("kubevirt", "ref:registry.example/desk:12");
}

Test(kubevirt, settings_that_cannot_be_are_refused)
{
	static const struct {
		const char *more, *word;
	} cases[] = { { "namespace = A/b\n", "namespace" }, { "namespace = ../x\n", "namespace" }, { "service = NodePort\n", "service" }, { "pin = x\n", "pin" },
		{ "network = /x\n", "network" }, { "url = http://x\n", "https" }, { "token_file = /nowhere\n", "token_file" }, { "capacity = 0\n", "capacity" }, { "workload = job\n", "workload" }, { "workload = pod\n", "agents" } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		rest_double_refuses("kubevirt", "url = https://127.0.0.1:1\n", cases[i].more, cases[i].word);
}
