/* Rows of a query as a table. */
#include "grid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const char *const columns[] = {"id", "customer"};
static const char *const cells[] = {
    "1", "alice", "20", NULL, "3", "a name of more than forty columns, which is cut\x1b[2J"};

static void assert_grid(size_t row_count, size_t rows_max, const char *expected)
{
    const struct ob_rows rows = {
        .row_count = row_count, .column_count = 2, .columns = columns, .cells = cells};
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    ob_grid_put(&rows, rows_max, 2, false, &out);
    assert_string_equal(out.data, expected);
    ob_buf_clear(&out);
}

static void columns_stand_below_their_names(void **state)
{
    (void)state;
    assert_grid(2, 5, "  id  customer\n  1   alice\n  20  null\n  (2 rows)\n");
    assert_grid(1, 1, "  id  customer\n  1   alice\n  (1 row)\n");
    assert_grid(0, 5, "  id  customer\n  (0 rows)\n");
}

static void more_rows_than_wanted_are_said_to_be_there(void **state)
{
    (void)state;
    assert_grid(3, 1, "  id  customer\n  1   alice\n  and more\n");
}

static void a_long_cell_is_cut(void **state)
{
    (void)state;
    assert_grid(3, 3,
                "  id  customer\n  1   alice\n  20  null\n"
                "  3   a name of more than forty columns, wh...\n  (3 rows)\n");
}

static void without_columns_there_are_only_rows(void **state)
{
    (void)state;
    const struct ob_rows rows = {.row_count = 2};
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    ob_grid_put(&rows, 5, 2, true, &out);
    assert_string_equal(out.data, "  (2 rows)\n");
    ob_buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_stand_below_their_names),
        cmocka_unit_test(more_rows_than_wanted_are_said_to_be_there),
        cmocka_unit_test(a_long_cell_is_cut),
        cmocka_unit_test(without_columns_there_are_only_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
