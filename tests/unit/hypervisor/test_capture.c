/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of a desktop's files is in no image. The making itself: tests/integration/test_container_capture.py. */
#include "broker/hypervisor/oci/capture.h"

#include <criterion/criterion.h>

Test(capture, an_image_has_nothing_of_one_desktop)
{
	static const char *const out[] = { "etc/machine-id", "./etc/machine-id", "/etc/hostname", "home/user", "home/user/.bashrc", "././home/x", "tmp/a",
		"var/tmp/a/b", "run/puesto/x", "proc/1", "dev/null", "sys/kernel", "var/lib/puesto/agent/tls.key", "etc/ssh/ssh_host_rsa_key",
		"etc/ssh/ssh_host_ed25519_key.pub", ".dockerenv", "var/lib/dbus/machine-id", "etc/resolv.conf" };
	static const char *const in[] = { "", ".", "home", "home/", "tmp/", "run/", "etc/passwd", "etc/machine-id.d", "usr/home/user", "var/tmpfiles",
		"etc/ssh/sshd_config", "var/lib/puestos", "root/.bashrc", "homes/x", "var/lib/puesto/" };

	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		cr_expect(capture_leaves_out(out[i]), "%s", out[i]);
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		cr_expect(!capture_leaves_out(in[i]), "%s", in[i]);
}
