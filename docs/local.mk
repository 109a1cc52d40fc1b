# docs: what this directory adds to the build (lists are declared in the top Makefile.am).

dist_man_MANS += docs/man/puesto-gateway.8

dist_man_MANS += docs/man/puesto-broker.8 docs/man/puestoctl.1
