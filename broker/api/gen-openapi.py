#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/api/openapi.yaml as JSON inside a C string: gen-openapi.py openapi.yaml > out.c"""
import json
import sys

try:
    import yaml
except ImportError:
    sys.exit("gen-openapi.py: PyYAML is missing: apt-get install python3-yaml")


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as f:
        text = json.dumps(yaml.safe_load(f), ensure_ascii=True, separators=(",", ":"))
    print("/* Made from docs/api/openapi.yaml: do not edit. */")
    print('#include "broker/api/openapi.h"\n')
    print("const char openapi_json[] =")
    for at in range(0, len(text), 100):
        piece = text[at:at + 100].replace("\\", "\\\\").replace('"', '\\"').replace("??", "?\\?")
        print(f'\t"{piece}"')
    print("\t;")


main()
