# docs: what this directory adds to the build (lists are declared in the top Makefile.am).

dist_man_MANS += docs/man/puesto-gateway.8

dist_man_MANS += docs/man/puesto-broker.8 docs/man/puestoctl.1

# What people read.
EXTRA_DIST += \
	CONTRIBUTING.md \
	README.md \
	docs/architecture.md \
	docs/backups.md \
	docs/benchmarks.md \
	docs/broker-core.md \
	docs/containers.md \
	docs/disks.md \
	docs/storage.md \
	docs/display-link.md \
	docs/encoder.md \
	docs/flat-codec.md \
	docs/foreign-hosts.md \
	docs/hyperv.md \
	docs/xen.md \
	docs/hypervisors.md \
	docs/images/bench-bytes.svg \
	docs/images/bench-clip.svg \
	docs/images/bench-cpu.svg \
	docs/images/bench-latency.svg \
	docs/images/client.png \
	docs/images/console.png \
	docs/images/portal.png \
	docs/local-provider.md \
	docs/personal-disks.md \
	docs/rdp.md \
	docs/testing.md \
	docs/threat-model.md \
	docs/web-client.md \
	docs/web-protocol.md \
	docs/windows.md
