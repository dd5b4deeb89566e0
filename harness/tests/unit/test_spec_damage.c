/*
 * Damaged specs never crash the reader: each prefix of a full example, and the example with any one
 * bit flipped, is read or is refused in full form.  Meant for the sanitizers.
 */
#include "scenario/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "scenario_support.h"

#define FULL_FILE "harness/tests/fuzz/corpus/fuzz_spec/full.spec"

/* Returns whether the data is read; what is not has a place and a cure. */
static bool is_read(const char *data, size_t size)
{
    struct ob_error err;
    struct ob_spec *spec = NULL;
    /* On the heap and of that size, so that reading past it is seen. */
    char *part = memcpy(ob_alloc(size), data, size);
    enum ob_result result = ob_spec_parse("x.spec", part, size, &spec, &err);
    free(part);
    if (result == OB_OK) {
        ob_spec_free(spec);
        return true;
    }
    assert_int_equal(result, OB_INPUT);
    assert_int_equal(err.code, OB_INPUT);
    assert_null(spec);
    assert_string_not_equal(err.message, "");
    assert_int_equal(strncmp(err.detail, "x.spec:", 7), 0);
    assert_string_not_equal(err.hint, "");
    return false;
}

/* A file can end after any of its steps, so many of its prefixes are specs: but none before the
 * first step, and the whole with or without its last newline. */
static void truncated_specs_do_no_harm(void **state)
{
    (void)state;
    struct ob_buf data = read_file(FULL_FILE);
    const char *first_end = strstr(data.data, "step look {");
    assert_non_null(first_end);
    for (size_t size = 0; size <= data.size; size++) {
        bool read = is_read(data.data, size);
        assert_false(read && data.data + size <= first_end);
        assert_true(read || size + 1 < data.size);
    }
    ob_buf_clear(&data);
}

static void flipped_bits_do_no_harm(void **state)
{
    (void)state;
    size_t refused = 0;
    struct ob_buf data = read_file(FULL_FILE);
    for (size_t bit = 0; bit < data.size * 8; bit++) {
        data.data[bit / 8] = (char)(data.data[bit / 8] ^ 1 << bit % 8);
        refused += !is_read(data.data, data.size);
        data.data[bit / 8] = (char)(data.data[bit / 8] ^ 1 << bit % 8);
    }
    assert_true(refused > data.size);
    ob_buf_clear(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncated_specs_do_no_harm),
        cmocka_unit_test(flipped_bits_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
