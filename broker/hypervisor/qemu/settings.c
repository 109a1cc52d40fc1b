/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The provider's section, and what this host has. */
#include "broker/hypervisor/qemu/qemu_priv.h"
#include "broker/hypervisor/qemu/tap.h"
#include "broker/hypervisor/qemu/tpm.h"

#include "base/conf.h"
#include "base/daemon.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/child.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PORT_MIN 1024
#define UID_LOWEST 6000000
#define MACHINE_MB 1024 /* memory that one desktop is reckoned with */
#define DISK_FREE_MIN_MB 512
#define PROBE_MS 20000
#define HELP_MAX (64u << 10)
#define FLAGS_MAX (16u << 10)

struct words {
	char text[HELP_MAX];
	size_t n;
};

static void on_said(void *arg, const char *text, size_t len)
{
	struct words *w = arg;
	size_t n = PST_MIN(len, sizeof(w->text) - 1 - w->n);

	memcpy(w->text + w->n, text, n);
	w->n += n;
	w->text[w->n] = '\0';
}

/* "q35   Standard PC … (alias of pc-q35-7.2)" */
static void alias_read(const char *help, char *out, size_t size)
{
	const char *line = strstr(help, "\nq35 "), *at = line ? strstr(line, "(alias of ") : NULL;
	size_t n = at ? strcspn(at + 10, ")\n") : 0;

	if (at && n > 0 && n < size && strspn(at + 10, "abcdefghijklmnopqrstuvwxyz0123456789.-_") >= n)
		snprintf(out, size, "%.*s", (int)n, at + 10);
}

/* What it says of its own options, or NULL; owned. */
static struct words *program_ask(const struct qm_settings *s, const char *option)
{
	const char *const argv[] = { s->program, option, "help", NULL };
	struct words *w = pst_zalloc(1, sizeof(*w));
	struct child_params p = { .argv = argv, .timeout_ms = PROBE_MS, .cancel_fd = -1, .said = on_said, .arg = w };
	struct pst_err ignored = PST_ERR_INIT;

	if (w && child_run(&p, &ignored) == 0)
		return w;
	free(w);
	return NULL;
}

/* Which QEMU it is; without one, machine stays "". */
static void program_probe(struct qm_settings *s)
{
	struct words *machines = program_ask(s, "-M"), *displays = program_ask(s, "-display"), *devices = program_ask(s, "-device");
	struct stat st;

	if (machines && stat(s->program, &st) == 0) {
		alias_read(machines->text, s->machine, sizeof(s->machine));
		snprintf(s->mark, sizeof(s->mark), "%" PRIu64 ":%" PRId64, (uint64_t)st.st_size, (int64_t)st.st_mtim.tv_sec);
	}
	s->has_display = displays && strstr(displays->text, "\ndbus\n");
	s->knows_tpm = devices && strstr(devices->text, "\"tpm-crb\"");
	free(devices);
	free(machines);
	free(displays);
}

/* A /dev/kvm alone says little: a processor without virtualisation may have one of a kind that runs no stock guest. */
static bool has_virtualisation(void)
{
	char text[FLAGS_MAX];
	int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	pst_fd_close(&fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, " vmx") || strstr(text, " svm");
}

static bool kvm_works(void)
{
	int fd = has_virtualisation() ? open("/dev/kvm", O_RDWR | O_CLOEXEC) : -1, vm = -1;

	if (fd >= 0 && ioctl(fd, KVM_GET_API_VERSION, 0) == KVM_API_VERSION)
		vm = ioctl(fd, KVM_CREATE_VM, 0);
	pst_fd_close(&fd);
	if (vm < 0)
		return false;
	close(vm);
	return true;
}

static int accel_read(struct qm_settings *s, const struct driver_params *p, struct pst_err *err)
{
	const char *word = pst_conf_str(p->conf, p->section, "accel", "auto");
	struct stat st;

	if (strcmp(word, "kvm") != 0 && strcmp(word, "tcg") != 0 && strcmp(word, "auto") != 0)
		return pst_err_set(err, PST_EINVAL, "accel: \"%.20s\" must be auto, kvm or tcg", word);
	s->is_kvm = strcmp(word, "kvm") == 0 || (strcmp(word, "auto") == 0 && kvm_works());
	if (s->is_kvm && stat("/dev/kvm", &st) == 0)
		s->kvm_gid = st.st_gid;
	return 0;
}

static int bridge_read(struct qemu *q, const struct driver_params *p, const char *bridge, struct pst_err *err)
{
	const char *addresses = pst_conf_str(p->conf, p->section, "addresses", NULL);

	if (!tap_bridge_valid(bridge))
		return pst_err_set(err, PST_EINVAL, "network: \"%.40s\" is no name of a bridge", bridge);
	if (!addresses)
		return pst_err_set(
			err, PST_EINVAL, "network = bridge:%s needs addresses = FIRST-LAST: guests are not asked for theirs", bridge);
	q->set.network = QM_NET_BRIDGE;
	pst_strlcpy(q->set.bridge, sizeof(q->set.bridge), bridge);
	return lv_addresses_init(&q->addresses, addresses, err);
}

static int network_read(struct qemu *q, const struct driver_params *p, struct pst_err *err)
{
	static const char bridge[] = "bridge:";
	const char *network = pst_conf_str(p->conf, p->section, "network", "user");

	if (pst_str_starts(network, bridge))
		return bridge_read(q, p, network + strlen(bridge), err);
	q->set.network = strcmp(network, "user") == 0 ? QM_NET_USER : QM_NET_NONE;
	if (q->set.network == QM_NET_NONE && strcmp(network, "none") != 0)
		return pst_err_set(err, PST_EINVAL, "network: \"%.40s\" must be user, bridge:NAME or none", network);
	return 0;
}

/* Ports below are the host's own, where machines share its loopback. */
static int agents_read(struct qm_settings *s, const struct driver_params *p, struct pst_err *err)
{
	if (seed_site_read(&s->seed, p, err) < 0 || rdp_site_read(&s->rdp, p, err) < 0 || windows_site_read(&s->windows, p, err) < 0)
		return err->code;
	return s->seed.agent_port < PORT_MIN ? pst_err_set(err, PST_EINVAL, "agent_port: must be %d to 65535", PORT_MIN) : 0;
}

static int times_read(struct qm_settings *s, const struct driver_params *p, struct pst_err *err)
{
	const struct {
		const char *key;
		uint32_t min, max, fallback, unit_ms;
		uint64_t *ret;
	} times[] = {
		{ "deadline_s", 10, 3600, 120, 1000, &s->deadline_ms },
		{ "stop_wait_s", 1, 3600, 60, 1000, &s->stop_ms },
		{ "parent_boot_s", 10, 3600, 300, 1000, &s->parent_boot_ms },
		{ "parent_wait_s", 0, 3600, 60, 1000, &s->parent_wait_ms },
	};
	uint32_t value, hours;

	for (size_t i = 0; i < PST_ARRAY_LEN(times); i++) {
		if (pst_conf_u32(p->conf, p->section, times[i].key, times[i].min, times[i].max, times[i].fallback, &value, err) < 0)
			return err->code;
		*times[i].ret = (uint64_t)value * times[i].unit_ms;
	}
	if (pst_conf_u32(p->conf, p->section, "recycle_h", 0, 24 * 365, 0, &hours, err) < 0)
		return err->code;
	s->recycle_ms = (int64_t)hours * 3600 * 1000;
	return 0;
}

static int directory_read(struct qm_settings *s, const struct driver_params *p, struct pst_err *err)
{
	static const char *const folders[] = { "desktops", "parents", "images", "recycle", "dhcp" };
	char path[PATH_MAX], fallback[PATH_MAX];

	if (path_make(fallback, err, "%s/qemu/%s", p->data, p->name) < 0 ||
		path_make(s->directory, err, "%s", pst_conf_str(p->conf, p->section, "directory", fallback)) < 0)
		return err->code;
	if (s->directory[0] != '/' || strlen(s->directory) > QM_DIRECTORY_MAX || strpbrk(s->directory, ",:\n"))
		return pst_err_set(err, PST_EINVAL, "directory: \"%.80s\" must be an absolute path of at most %d bytes without ',' and ':'",
			s->directory, QM_DIRECTORY_MAX);
	for (size_t i = 0; i < PST_ARRAY_LEN(folders); i++) {
		if (path_make(path, err, "%s/%s", s->directory, folders[i]) < 0 ||
			pst_mkdirs(path, strcmp(folders[i], "dhcp") == 0 ? 0755 : 0711, err) < 0)
			return err->code;
	}
	return 0;
}

static int uids_read(struct qemu *q, const struct driver_params *p, struct pst_err *err)
{
	char salt[PATH_MAX + MACHINE_NAME_SIZE];
	struct pst_err none = PST_ERR_INIT;
	uint32_t base, count;

	snprintf(salt, sizeof(salt), "%s\n%s", p->data, p->name);
	if (pst_conf_u32(p->conf, p->section, "uid_base", 10000, INT32_MAX - UIDS_MAX, uids_base_default(salt, UID_LOWEST), &base, err) <
			0 ||
		pst_conf_u32(p->conf, p->section, "uid_count", 2, UIDS_MAX, 500, &count, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "capacity", 0, count - 1, 0, &q->set.capacity, err) < 0)
		return err->code;
	if ((base & 0xffffff) < 10000 || (base & 0xffffff) + count > 0xffffff)
		return pst_err_set(err, PST_EINVAL,
			"uid_base: the last three bytes of %u are an address of the loopback: choose a multiple of 10000 below 16 million",
			base);
	uids_init(&q->uids, base, count);
	/* Without that account the gateway runs as root. */
	if (pst_user_find(pst_conf_str(p->conf, p->section, "gateway_user", "puesto-gateway"), &q->set.gateway_uid, &q->set.gateway_gid,
		    &none) < 0)
		q->set.gateway_uid = q->set.gateway_gid = 0;
	return 0;
}

static int programs_read(struct qm_settings *s, const struct driver_params *p, struct pst_err *err)
{
	const struct {
		const char *key, *fallback;
		char *out;
	} files[] = { { "program", "/usr/bin/qemu-system-x86_64", s->program }, { "image_program", "/usr/bin/qemu-img", s->image_program },
		{ "tpm_program", "/usr/bin/swtpm", s->tpm_program },
		{ "firmware", "/usr/share/OVMF/OVMF_CODE_4M.fd", s->firmware.code }, { "firmware_variables", "/usr/share/OVMF/OVMF_VARS_4M.fd", s->firmware.variables },
		{ "secure_firmware", "/usr/share/OVMF/OVMF_CODE_4M.ms.fd", s->secure.code },
		{ "secure_variables", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", s->secure.variables } };

	for (size_t i = 0; i < PST_ARRAY_LEN(files); i++) {
		if (path_make(files[i].out, err, "%s", pst_conf_str(p->conf, p->section, files[i].key, files[i].fallback)) < 0)
			return err->code;
	}
	return 0;
}

int qm_settings_read(struct qemu *q, const struct driver_params *p, struct pst_err *err)
{
	struct qm_settings *s = &q->set;
	uint64_t mb = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) >> 20;

	if (strchr(p->name, '/') || strchr(p->name, ','))
		return pst_err_set(err, PST_EINVAL, "a provider of kind qemu has no '/' and no ',' in its name");
	if (programs_read(s, p, err) < 0 || accel_read(s, p, err) < 0 || network_read(q, p, err) < 0 || agents_read(s, p, err) < 0 || times_read(s, p, err) < 0 ||
		pst_conf_bool(p->conf, p->section, "instant", true, &s->is_instant, err) < 0 || directory_read(s, p, err) < 0 ||
		uids_read(q, p, err) < 0)
		return err->code;
	q->base.rdp_wait_ms = s->rdp.wait_ms;
	s->is_instant = s->is_instant && s->seed.agents[0]; /* a clone has to be told who it is */
	if (!s->capacity)
		s->capacity = (uint32_t)PST_CLAMP(mb / MACHINE_MB, (uint64_t)2, (uint64_t)q->uids.count - 1);
	program_probe(s);
	return 0;
}

void qm_settings_faults(const struct qemu *q, char *out, size_t size)
{
	const struct qm_settings *s = &q->set;
	struct statvfs fs;

	out[0] = '\0';
	if (geteuid() != 0)
		snprintf(out, size, "the qemu provider needs root: run puesto-provisioner as root");
	else if (s->machine[0] == '\0')
		snprintf(out, size,
			"%.200s is missing or knows no machine q35: apt-get install qemu-system-x86, then restart puesto-provisioner",
			s->program);
	else if (access(s->image_program, X_OK) < 0)
		snprintf(out, size, "%.200s is missing: apt-get install qemu-utils", s->image_program);
	else if (s->is_kvm && access("/dev/kvm", R_OK | W_OK) < 0)
		snprintf(out, size, "accel = kvm, and /dev/kvm cannot be used: %s", strerror(errno));
	else if (s->seed.agents[0] && access(s->seed.agents_ca, R_OK) < 0)
		snprintf(out, size, "agents_ca: %.200s cannot be read: %s", s->seed.agents_ca, strerror(errno));
	else if (s->network == QM_NET_BRIDGE && if_nametoindex(s->bridge) == 0)
		snprintf(out, size, "there is no bridge %.16s: make it, as docs/hypervisors.md says", s->bridge);
	else if (statvfs(s->directory, &fs) < 0)
		snprintf(out, size, "%.200s cannot be read: %s", s->directory, strerror(errno));
	else if ((uint64_t)fs.f_bavail * fs.f_frsize < (uint64_t)DISK_FREE_MIN_MB << 20)
		snprintf(out, size, "less than %d MB are free in %.200s: make room", DISK_FREE_MIN_MB, s->directory);
	else
		(void)qm_tpm_fault(s, out, size);
}
