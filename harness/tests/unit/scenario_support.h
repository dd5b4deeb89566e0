/*
 * scenario_support.h - what the tests of scenario files share.
 */
#ifndef OB_TESTS_SCENARIO_SUPPORT_H
#define OB_TESTS_SCENARIO_SUPPORT_H

#include "base/alloc.h"
#include "base/buf.h"

/* A good file of each target, in which every key comes. */
#define REFERENCE_FILE "harness/tests/fuzz/corpus/fuzz_scenario/reference.yaml"
#define SQL_FILE "harness/tests/fuzz/corpus/fuzz_scenario/sql.yaml"

/* The file's bytes, to be cleared by the caller; the test fails when it cannot be read.  Paths are
 * relative to the project's root, where make runs the tests. */
struct ob_buf read_file(const char *path);

/* An arena for a group of tests, with its group's setup and teardown. */
extern struct ob_arena test_arena;
int open_arena(void **state);
int close_arena(void **state);

#endif
