/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Methods of Hyper-V's services, and their jobs. */
#include "broker/hypervisor/hyperv/vm.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define JOB_STARTED 4096
#define JOB_FIRST_MS 100
#define JOB_LAST_MS 1000
#define GENERATION_2 "Microsoft:Hyper-V:SubType:2"

/* Return codes of the services (Msvm_VirtualSystemManagementService.DefineSystem and its neighbours). */
static const struct {
	uint64_t value;
	const char *words;
} returns[] = {
	{ 32768, "it failed" }, { 32769, "access is denied" }, { 32770, "it is not supported" }, { 32771, "its status is not known" },
	{ 32772, "a time ran out" }, { 32773, "a parameter is not right" }, { 32774, "the system is in use" }, { 32775, "the machine's state does not allow it" },
	{ 32776, "a data type is not right" }, { 32777, "the system is not available" }, { 32778, "memory is short" }, { 32779, "there is no such file" },
};

/* Msvm_ConcreteJob.JobState */
enum { JOB_COMPLETED = 7, JOB_TERMINATED = 8, JOB_SERVICE = 11, JOB_WARNED = 32768 };

enum vm_state vm_state_read(const char *text)
{
	static const struct {
		const char *text;
		enum vm_state state;
	} states[] = { { "2", VM_RUNNING }, { "3", VM_OFF }, { "6", VM_SAVED }, { "32769", VM_SAVED }, { "4", VM_MOVING }, { "10", VM_MOVING },
		{ "32770", VM_MOVING }, { "32771", VM_MOVING }, { "32773", VM_MOVING }, { "32774", VM_MOVING }, { "32777", VM_MOVING } };

	for (size_t i = 0; i < PST_ARRAY_LEN(states); i++) {
		if (strcmp(states[i].text, text) == 0)
			return states[i].state;
	}
	return VM_ODD;
}

/* libvirt's driver names the services by their class alone, and WMI finds the one that there is. */
static struct cim_ref service(const char *cls)
{
	struct cim_ref r = cim_ref(cls);

	cim_key_add(&r, "CreationClassName", cls);
	return r;
}

static struct cim_ref computer(const char *id)
{
	struct cim_ref r = cim_ref("Msvm_ComputerSystem");

	cim_key_add(&r, "CreationClassName", "Msvm_ComputerSystem");
	cim_key_add(&r, "Name", id);
	return r;
}

static struct cim_ref settings(const char *instance_id)
{
	struct cim_ref r = cim_ref("Msvm_VirtualSystemSettingData");

	cim_key_add(&r, "InstanceID", instance_id);
	return r;
}

/* 1 while it goes on. */
static int job_look(const struct wsman_op *op, const struct cim_ref *job, const char *method, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	struct soap *s = wsman_get(op, job, &why);
	const struct soap_node *n = s ? soap_body(s) : NULL;
	uint64_t state = soap_u64(n, "JobState");
	int rc = 1;

	/* One that ended well may be gone already. */
	if (!s)
		return why.code == PST_ENOTFOUND ? 0 : pst_err_pass(err, why.code, &why);
	if (state == JOB_COMPLETED || state == JOB_WARNED)
		rc = 0;
	else if (state >= JOB_TERMINATED && state != JOB_SERVICE)
		rc = pst_err_set(err, PST_EIO, "%s: \"%s\" failed: %.300s", wsman_name(op->w), method,
			*soap_text(n, "ErrorDescription") ? soap_text(n, "ErrorDescription") : "Hyper-V does not say why");
	soap_destroy(s);
	return rc;
}

static int job_await(const struct wsman_op *op, const struct soap_node *answer, const char *method, struct pst_err *err)
{
	uint64_t wait = JOB_FIRST_MS;
	struct cim_ref job;
	int rc = cim_ref_read(soap_child(answer, "Job"), &job, err);

	while (rc == 0 && (rc = job_look(op, &job, method, err)) == 1) {
		rc = wsman_pause(op, wait, err);
		wait = PST_MIN(wait * 2, (uint64_t)JOB_LAST_MS);
	}
	return rc < 0 ? rc : 0;
}

static int return_check(const struct wsman_op *op, const struct soap_node *answer, const char *method, struct pst_err *err)
{
	uint64_t value = 0;
	const char *words = "a code that we do not know";

	if (pst_parse_u64(soap_text(answer, "ReturnValue"), 0, UINT32_MAX, &value) < 0)
		return pst_err_set(err, PST_EPROTO, "%s: \"%s\" has no return value", wsman_name(op->w), method);
	if (value == 0)
		return 0;
	if (value == JOB_STARTED)
		return job_await(op, answer, method, err);
	for (size_t i = 0; i < PST_ARRAY_LEN(returns); i++) {
		if (returns[i].value == value)
			words = returns[i].words;
	}
	return pst_err_set(err, value == 32774 || value == 32775 ? PST_EBUSY : PST_EIO, "%s: \"%s\" was refused with %llu: %s", wsman_name(op->w), method,
		(unsigned long long)value, words);
}

/* Takes args. ret (or NULL) is the answer, owned. */
static int call(const struct wsman_op *op, const struct cim_ref *target, const char *method, struct pst_buf *args, struct soap **ret, struct pst_err *err)
{
	const char *text = pst_buf_cstr(args);
	struct soap *s = text && !args->failed ? wsman_invoke(op, target, method, text, err) : NULL;
	int rc;

	if (!text || args->failed)
		pst_err_set(err, PST_ELIMIT, "too long an argument");
	pst_buf_finish(args);
	if (!s)
		return err->code;
	rc = return_check(op, soap_body(s), method, err);
	if (rc == 0 && ret)
		*ret = s;
	else
		soap_destroy(s);
	return rc;
}

static void args_begin(struct pst_buf *args)
{
	pst_buf_init(args, 256u << 10);
}

static void memory_put(struct pst_buf *args, uint32_t mb)
{
	struct pst_buf in;

	cim_begin(&in, "Msvm_MemorySettingData");
	cim_put_number(&in, "ResourceType", "uint16", 4);
	cim_put(&in, "ResourceSubType", "string", "Microsoft:Hyper-V:Memory");
	cim_put(&in, "AllocationUnits", "string", "byte * 2^20");
	cim_put_number(&in, "VirtualQuantity", "uint64", mb);
	cim_put_number(&in, "Reservation", "uint64", mb);
	cim_put_number(&in, "Limit", "uint64", mb);
	cim_put(&in, "DynamicMemoryEnabled", "boolean", "false");
	cim_end(&in, args, "ResourceSettings");
}

static void processors_put(struct pst_buf *args, uint32_t n)
{
	struct pst_buf in;

	cim_begin(&in, "Msvm_ProcessorSettingData");
	cim_put_number(&in, "ResourceType", "uint16", 3);
	cim_put(&in, "ResourceSubType", "string", "Microsoft:Hyper-V:Processor");
	cim_put_number(&in, "VirtualQuantity", "uint64", n);
	cim_end(&in, args, "ResourceSettings");
}

int vm_define(const struct wsman_op *op, const struct vm_plan *p, char ret_id[VM_ID_SIZE], struct pst_err *err)
{
	struct cim_ref vmms = service("Msvm_VirtualSystemManagementService"), made;
	struct pst_buf args, in;
	struct soap *s = NULL;
	const char *id;
	int rc;

	args_begin(&args);
	cim_begin(&in, "Msvm_VirtualSystemSettingData");
	cim_put(&in, "ElementName", "string", p->name);
	cim_put(&in, "VirtualSystemSubType", "string", GENERATION_2);
	cim_put(&in, "SecureBootEnabled", "boolean", "false");
	cim_put_number(&in, "AutomaticStartupAction", "uint16", 2); /* none: the broker decides */
	cim_put_array(&in, "Notes", p->notes);
	cim_end(&in, &args, "SystemSettings");
	memory_put(&args, p->memory_mb);
	processors_put(&args, p->processors);
	rc = call(op, &vmms, "DefineSystem", &args, &s, err);
	if (rc < 0)
		return rc;
	rc = cim_ref_read(soap_child(soap_body(s), "ResultingSystem"), &made, err);
	soap_destroy(s);
	id = rc == 0 ? cim_key(&made, "Name") : NULL;
	if (rc == 0 && (!id || pst_strlcpy(ret_id, VM_ID_SIZE, id) < 0))
		rc = pst_err_set(err, PST_EPROTO, "%s made a machine and does not say which", wsman_name(op->w));
	return rc;
}

int vm_disk_make(const struct wsman_op *op, const struct vm_plan *p, struct pst_err *err)
{
	struct cim_ref images = service("Msvm_ImageManagementService");
	struct pst_buf args, in;

	args_begin(&args);
	cim_begin(&in, "Msvm_VirtualHardDiskSettingData");
	cim_put_number(&in, "Type", "uint16", 4);   /* differencing */
	cim_put_number(&in, "Format", "uint16", 3); /* VHDX */
	cim_put(&in, "Path", "string", p->disk);
	cim_put(&in, "ParentPath", "string", p->parent);
	if (p->disk_mb)
		cim_put_number(&in, "MaxInternalSize", "uint64", (uint64_t)p->disk_mb << 20);
	cim_end(&in, &args, "VirtualDiskSettingData");
	return call(op, &images, "CreateVirtualHardDisk", &args, NULL, err);
}

/* Adds the instance that is begun in in; ret is the path of what came of it. */
static int add(const struct wsman_op *op, const char *id, struct pst_buf *in, char *ret, size_t size, struct pst_err *err)
{
	struct cim_ref vmms = service("Msvm_VirtualSystemManagementService"), configuration, made;
	char instance_id[VM_INSTANCE_SIZE];
	struct soap *s = NULL;
	struct pst_buf args;
	int rc;

	snprintf(instance_id, sizeof(instance_id), "Microsoft:%s", id);
	configuration = settings(instance_id);
	args_begin(&args);
	cim_put_ref(&args, "AffectedConfiguration", &configuration);
	cim_end(in, &args, "ResourceSettings");
	rc = call(op, &vmms, "AddResourceSettings", &args, &s, err);
	if (rc < 0)
		return rc;
	rc = cim_ref_read(soap_child(soap_body(s), "ResultingResourceSettings"), &made, err);
	if (rc == 0)
		cim_path(&made, ret, size);
	soap_destroy(s);
	return rc;
}

static void resource_begin(struct pst_buf *in, const char *cls, unsigned type, const char *subtype)
{
	cim_begin(in, cls);
	cim_put_number(in, "ResourceType", "uint16", type);
	cim_put(in, "ResourceSubType", "string", subtype);
}

static int disk_attach(const struct wsman_op *op, const char *id, const char *disk, struct pst_err *err)
{
	char path[1024];
	struct pst_buf in;

	resource_begin(&in, "Msvm_ResourceAllocationSettingData", 6, "Microsoft:Hyper-V:Synthetic SCSI Controller");
	if (add(op, id, &in, path, sizeof(path), err) < 0)
		return err->code;
	resource_begin(&in, "Msvm_ResourceAllocationSettingData", 17, "Microsoft:Hyper-V:Synthetic Disk Drive");
	cim_put(&in, "Parent", "string", path);
	cim_put(&in, "AddressOnParent", "string", "0");
	if (add(op, id, &in, path, sizeof(path), err) < 0)
		return err->code;
	resource_begin(&in, "Msvm_StorageAllocationSettingData", 31, "Microsoft:Hyper-V:Virtual Hard Disk");
	cim_put(&in, "Parent", "string", path);
	cim_put_array(&in, "HostResource", disk);
	return add(op, id, &in, path, sizeof(path), err);
}

static int card_attach(const struct wsman_op *op, const char *id, const struct vm_plan *p, struct pst_err *err)
{
	char path[1024], mac[13];
	struct pst_buf in;
	size_t n = 0;

	for (const char *c = p->mac; *c && n + 1 < sizeof(mac); c++) {
		if (*c != ':')
			mac[n++] = *c >= 'a' ? (char)(*c - 'a' + 'A') : *c;
	}
	mac[n] = '\0';
	resource_begin(&in, "Msvm_SyntheticEthernetPortSettingData", 10, "Microsoft:Hyper-V:Synthetic Ethernet Port");
	cim_put(&in, "ElementName", "string", "Puesto");
	cim_put(&in, "Address", "string", mac);
	cim_put(&in, "StaticMacAddress", "boolean", "true");
	if (add(op, id, &in, path, sizeof(path), err) < 0)
		return err->code;
	resource_begin(&in, "Msvm_EthernetPortAllocationSettingData", 33, "Microsoft:Hyper-V:Ethernet Connection");
	cim_put(&in, "Parent", "string", path);
	cim_put_array(&in, "HostResource", p->switch_path);
	return add(op, id, &in, path, sizeof(path), err);
}

int vm_equip(const struct wsman_op *op, const char *id, const struct vm_plan *p, struct pst_err *err)
{
	if (disk_attach(op, id, p->disk, err) < 0)
		return err->code;
	return p->switch_path[0] ? card_attach(op, id, p, err) : 0;
}

int vm_destroy(const struct wsman_op *op, const char *id, struct pst_err *err)
{
	struct cim_ref vmms = service("Msvm_VirtualSystemManagementService"), vm = computer(id);
	struct pst_buf args;

	args_begin(&args);
	cim_put_ref(&args, "AffectedSystem", &vm);
	return call(op, &vmms, "DestroySystem", &args, NULL, err);
}

int vm_wish(const struct wsman_op *op, const char *id, enum vm_wish wish, struct pst_err *err)
{
	struct cim_ref vm = computer(id);
	struct pst_buf args;

	args_begin(&args);
	pst_buf_printf(&args, "<p:RequestedState>%d</p:RequestedState>", (int)wish);
	return call(op, &vm, "RequestStateChange", &args, NULL, err);
}

static int on_component(const struct soap_node *item, void *arg, struct pst_err *err)
{
	static const char *const keys[] = { "SystemCreationClassName", "SystemName", "CreationClassName", "DeviceID" };
	struct cim_ref *r = arg;

	*r = cim_ref("Msvm_ShutdownComponent");
	for (size_t i = 0; i < PST_ARRAY_LEN(keys); i++)
		cim_key_add(r, keys[i], soap_text(item, keys[i]));
	return 0;
}

int vm_ask(const struct wsman_op *op, const char *id, struct pst_err *err)
{
	struct cim_ref component = { .keys_n = 0 };
	char query[160];
	struct pst_buf args;

	snprintf(query, sizeof(query), "SELECT * FROM Msvm_ShutdownComponent WHERE SystemName = '%s'", id);
	if (wsman_enumerate(op, CIM_V2, query, on_component, &component, err) < 0)
		return err->code;
	if (component.keys_n == 0)
		return pst_err_set(err, PST_EBUSY, "its guest has no shutdown service");
	args_begin(&args);
	pst_buf_put_str(&args, "<p:Force>false</p:Force><p:Reason>Puesto</p:Reason>");
	return call(op, &component, "InitiateShutdown", &args, NULL, err);
}

static int modify(const struct wsman_op *op, struct pst_buf *in, struct pst_err *err)
{
	struct cim_ref vmms = service("Msvm_VirtualSystemManagementService");
	struct pst_buf args;

	args_begin(&args);
	cim_end(in, &args, "SystemSettings");
	return call(op, &vmms, "ModifySystemSettings", &args, NULL, err);
}

int vm_notes(const struct wsman_op *op, const char *instance_id, const char *notes, struct pst_err *err)
{
	struct pst_buf in;

	cim_begin(&in, "Msvm_VirtualSystemSettingData");
	cim_put(&in, "InstanceID", "string", instance_id);
	cim_put_array(&in, "Notes", notes);
	return modify(op, &in, err);
}

static int items_call(const struct wsman_op *op, const char *id, const char *method, const char *text, struct pst_err *err)
{
	struct cim_ref vmms = service("Msvm_VirtualSystemManagementService"), vm = computer(id);
	struct pst_buf args, in;

	args_begin(&args);
	cim_put_ref(&args, "TargetSystem", &vm);
	cim_begin(&in, "Msvm_KvpExchangeDataItem");
	cim_put(&in, "Name", "string", "org.puesto.seed");
	cim_put(&in, "Data", "string", text);
	cim_put_number(&in, "Source", "uint16", 0); /* the host's */
	cim_end(&in, &args, "DataItems");
	return call(op, &vmms, method, &args, NULL, err);
}

int vm_seed(const struct wsman_op *op, const char *id, const char *text, struct pst_err *err)
{
	struct pst_err gone = PST_ERR_INIT;

	if (strlen(text) > VM_SEED_MAX)
		return pst_err_set(err, PST_ELIMIT, "the seed has more than %d bytes, which a guest's key holds: agents_ca with one authority only", VM_SEED_MAX);
	/* One of that name is refused; there mostly is none. */
	(void)items_call(op, id, "RemoveKvpItems", "", &gone);
	if (gone.code == PST_ECLOSED || gone.code == PST_ETIMEOUT) {
		*err = gone;
		return err->code;
	}
	return items_call(op, id, "AddKvpItems", text, err);
}

int vm_snapshot(const struct wsman_op *op, const char *id, struct pst_err *err)
{
	struct cim_ref snapshots = service("Msvm_VirtualSystemSnapshotService"), vm = computer(id);
	struct pst_buf args;

	args_begin(&args);
	cim_put_ref(&args, "AffectedSystem", &vm);
	pst_buf_put_str(&args, "<p:SnapshotSettings></p:SnapshotSettings><p:SnapshotType>2</p:SnapshotType>"); /* full */
	return call(op, &snapshots, "CreateSnapshot", &args, NULL, err);
}

int vm_rename(const struct wsman_op *op, const char *instance_id, const char *name, struct pst_err *err)
{
	struct pst_buf in;

	cim_begin(&in, "Msvm_VirtualSystemSettingData");
	cim_put(&in, "InstanceID", "string", instance_id);
	cim_put(&in, "ElementName", "string", name);
	return modify(op, &in, err);
}

static int snapshot_call(const struct wsman_op *op, const char *instance_id, const char *method, const char *argument, struct pst_err *err)
{
	struct cim_ref snapshots = service("Msvm_VirtualSystemSnapshotService"), snapshot = settings(instance_id);
	struct pst_buf args;

	args_begin(&args);
	cim_put_ref(&args, argument, &snapshot);
	return call(op, &snapshots, method, &args, NULL, err);
}

int vm_snapshot_apply(const struct wsman_op *op, const char *instance_id, struct pst_err *err)
{
	return snapshot_call(op, instance_id, "ApplySnapshot", "Snapshot", err);
}

int vm_snapshot_drop(const struct wsman_op *op, const char *instance_id, struct pst_err *err)
{
	return snapshot_call(op, instance_id, "DestroySnapshot", "AffectedSnapshot", err);
}

#define FILES_AT_ONCE 64

struct files {
	char prefix[2 * VM_PATH_SIZE]; /* "D:\\puesto\\puesto-UUID" */
	struct cim_ref list[FILES_AT_ONCE];
	size_t n;
	bool is_more;
};

/* Whatever the server lists, none but ours goes. Windows knows no case. */
static int on_file(const struct soap_node *item, void *arg, struct pst_err *err)
{
	const char *name = soap_text(item, "Name");
	struct files *f = arg;
	struct cim_ref *r = &f->list[f->n];

	if (strncasecmp(name, f->prefix, strlen(f->prefix)) != 0 || strchr(name + strlen(f->prefix), '\\') || strlen(name) >= CIM_VALUE_SIZE)
		return 0;
	f->is_more = f->n == FILES_AT_ONCE;
	if (f->is_more)
		return 0;
	*r = cim_ref("CIM_DataFile");
	r->space = CIM_CIMV2;
	cim_key_add(r, "Name", name);
	f->n++;
	return 0;
}

static int files_remove(const struct wsman_op *op, struct files *f, const char *query, struct pst_err *err)
{
	int rc;

	f->n = 0;
	f->is_more = false;
	rc = wsman_enumerate(op, CIM_CIMV2, query, on_file, f, err);
	for (size_t i = 0; rc == 0 && i < f->n; i++) {
		struct pst_err why = PST_ERR_INIT;
		struct pst_buf args;

		args_begin(&args);
		pst_buf_put_str(&args, "");
		rc = call(op, &f->list[i], "Delete", &args, NULL, &why);
		rc = rc == PST_ENOTFOUND ? 0 : pst_err_pass(err, rc, &why);
	}
	return rc;
}

/* folder is "D:\puesto". A snapshot's part of a disk begins as the disk does. */
int vm_files_remove(const struct wsman_op *op, const char *folder, const char *name, struct pst_err *err)
{
	char path[2 * VM_PATH_SIZE], query[1024];
	struct files *f = pst_zalloc(1, sizeof(*f));
	int rc;

	if (!f)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	if (!cim_wql(folder + 2, path, sizeof(path))) {
		free(f);
		return pst_err_set(err, PST_ELIMIT, "too long a folder");
	}
	snprintf(f->prefix, sizeof(f->prefix), "%s\\%s", folder, name);
	snprintf(query, sizeof(query), "SELECT * FROM CIM_DataFile WHERE Drive = '%.2s' AND Path = '%s\\\\' AND FileName LIKE '%s%%'", folder, path, name);
	do
		rc = files_remove(op, f, query, err);
	while (rc == 0 && f->is_more);
	free(f);
	return rc;
}
