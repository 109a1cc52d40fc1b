#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Writes C with every migration as a string: gen-migrations.sh FILE.sql... > migrations.c
# The number is the file name's first four digits; the order is theirs.
set -eu
echo '/* Made from db/schema/ by db/gen-migrations.sh; do not edit. */'
echo '#include "db/migrate.h"'
echo '#include <stddef.h>'
echo
echo 'const struct db_migration db_migrations[] = {'
for file in "$@"; do
	name=$(basename "$file" .sql)
	number=$(printf '%s' "$name" | sed 's/^0*\([0-9]*\)_.*/\1/')
	printf '\t{ %s, "%s",\n' "$number" "$name"
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/\t\t"/' -e 's/$/\\n"/' "$file"
	printf '\t},\n'
done
echo '	{ 0, NULL, NULL },'
echo '};'
