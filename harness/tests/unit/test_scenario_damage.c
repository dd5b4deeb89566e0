/*
 * Damaged files never crash the loader: each prefix of the good examples, and each of them with one
 * bit flipped, loads or is refused in full form.  Meant for the sanitizers.
 */
#include "scenario/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario_support.h"

static const char *const files[] = {REFERENCE_FILE, SQL_FILE};

/* "x.yaml:LINE:COLUMN: …" */
static void assert_has_place(const char *message)
{
    char *rest;
    assert_int_equal(strncmp(message, "x.yaml:", 7), 0);
    assert_true(strtol(message + 7, &rest, 10) >= 1);
    assert_int_equal(*rest, ':');
    assert_true(strtol(rest + 1, &rest, 10) >= 1);
    assert_int_equal(strncmp(rest, ": ", 2), 0);
}

/* Returns whether the data loads; what does not has a place and a cure. */
static bool loads(const char *data, size_t size)
{
    struct ob_error err;
    struct ob_scenario *scenario = NULL;
    if (ob_scenario_parse("x.yaml", data, size, &scenario, &err) == OB_OK) {
        ob_scenario_free(scenario);
        return true;
    }
    assert_int_equal(err.code, OB_INPUT);
    assert_null(scenario);
    assert_has_place(err.message);
    assert_string_not_equal(err.hint, "");
    return false;
}

static void examples_that_are_whole_load(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct ob_buf data = read_file(files[i]);
        assert_true(loads(data.data, data.size));
        ob_buf_clear(&data);
    }
}

/* Only the last line's end can be missing without harm. */
static void truncated_files_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct ob_buf data = read_file(files[i]);
        for (size_t size = 0; size + 1 < data.size; size++) {
            /* On the heap and of that size, so that reading past it is seen. */
            char *part = memcpy(ob_alloc(size), data.data, size);
            assert_false(loads(part, size));
            free(part);
        }
        ob_buf_clear(&data);
    }
}

static void flipped_bits_do_no_harm(void **state)
{
    (void)state;
    size_t refused = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct ob_buf data = read_file(files[i]);
        for (size_t bit = 0; bit < data.size * 8; bit += 3) {
            data.data[bit / 8] = (char)(data.data[bit / 8] ^ 1 << bit % 8);
            refused += !loads(data.data, data.size);
            data.data[bit / 8] = (char)(data.data[bit / 8] ^ 1 << bit % 8);
        }
        assert_true(refused > data.size);
        ob_buf_clear(&data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_that_are_whole_load),
        cmocka_unit_test(truncated_files_are_refused),
        cmocka_unit_test(flipped_bits_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
