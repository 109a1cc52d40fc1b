# tests/unit/db: the tests of db/.
if CRITERION
check_PROGRAMS += tests/unit/db/test_db
TESTS += tests/unit/db/test_db
tests_unit_db_test_db_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_db_test_db_CFLAGS = $(CRITERION_TEST_CFLAGS)
tests_unit_db_test_db_SOURCES = tests/unit/db/test_db.c tests/unit/db/test_rollout.c
tests_unit_db_test_db_LDADD = db/libdb.a base/libbase.a \
	$(SQLITE_LIBS) $(CRITERION_LIBS) $(GNUTLS_LIBS) $(JANSSON_LIBS) $(UV_LIBS)
endif
