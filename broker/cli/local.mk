# broker/cli: what this directory adds to the build (lists are declared in the top Makefile.am).
