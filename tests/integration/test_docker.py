#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What test_containers.py proves with Podman, with a dockerd of its own. Needs root; where docker.io is not installed, it is laid over /usr for this test alone.

Run alone: top_builddir=build python3 tests/integration/test_docker.py"""
import os
import sys

import test_containers
from engine_harness import Docker

if __name__ == "__main__":
    if int(os.environ.get("PUESTO_TIER", "1")) < 2:
        print("SKIP: tier 2; see docs/testing.md")
        sys.exit(77)
    test_containers.ENGINE = Docker
    sys.exit(test_containers.main("test_containers"))
