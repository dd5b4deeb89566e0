/* Checks against a port that answers what the test says. */
#include "check/check_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A database that answers each query with the same rows, or fails those that contain a word. */
struct fake {
    const char *cells[32]; /* pairs of item and row, in order */
    size_t row_count;
    const char *fails_with; /* a query that contains this fails with code */
    enum ob_result code;
    size_t query_count;
    char sql[4096], history[4096]; /* of the last query */
    int param_count;
};

static enum ob_result answer(void *self, const char *sql, int param_count,
                             const char *const *params, struct ob_arena *arena, struct ob_rows *out,
                             struct ob_error *err)
{
    struct fake *fake = self;
    (void)arena;
    fake->query_count++;
    fake->param_count = param_count;
    snprintf(fake->sql, sizeof fake->sql, "%s", sql);
    snprintf(fake->history, sizeof fake->history, "%s", param_count > 0 ? params[0] : "");
    if (fake->fails_with && strstr(sql, fake->fails_with))
        return ob_error_set(err, fake->code, "syntax error");
    *out = (struct ob_rows){.row_count = fake->row_count, .column_count = 2, .cells = fake->cells};
    return OB_OK;
}

static const struct ob_check_item items[] = {
    {.name = "first", .sql = "SELECT one FROM history", .after_commit = true},
    {.name = "second", .sql = "SELECT two;"},
    {.name = "third", .sql = "SELECT three", .after_commit = true},
};

static const char *const names[] = {"alice", "bob \"b\" \xc3\xbc"};

struct fixture {
    struct fake fake;
    struct ob_query_port port;
    struct ob_check *check;
    struct ob_trace trace;
    struct ob_error err;
};

static int set_up(void **state)
{
    struct fixture *f = ob_alloc(sizeof *f);
    f->port = (struct ob_query_port){.self = &f->fake, .query = answer};
    f->check = ob_check_new(items, 3, &f->port);
    ob_check_begin(f->check);
    ob_trace_init(&f->trace);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    ob_check_free(f->check);
    ob_trace_clear(&f->trace);
    free(f);
    return 0;
}

static void add_row(struct fixture *f, const char *item, const char *row)
{
    f->fake.cells[2 * f->fake.row_count] = item;
    f->fake.cells[2 * f->fake.row_count + 1] = row;
    f->fake.row_count++;
}

static enum ob_result run_at_end(struct fixture *f)
{
    return ob_check_run(f->check, &f->trace, names, true, 7, &f->err);
}

static enum ob_result run_after(struct fixture *f, size_t step)
{
    return ob_check_run(f->check, &f->trace, names, false, step, &f->err);
}

static void no_rows_mean_that_all_hold(void **state)
{
    struct fixture *f = *state;
    size_t count;
    assert_int_equal(run_at_end(f), OB_OK);
    ob_check_broken(f->check, &count);
    assert_int_equal(count, 0);
    assert_int_equal(f->fake.query_count, 1);
}

static void a_row_breaks_its_item(void **state)
{
    struct fixture *f = *state;
    size_t count;
    add_row(f, "1", "{\"what\": \"booking 2 overlaps 1\"}");
    assert_int_equal(run_at_end(f), OB_OK);
    const struct ob_broken *broken = ob_check_broken(f->check, &count);
    assert_int_equal(count, 1);
    assert_int_equal(broken[0].item, 1);
    assert_int_equal(broken[0].step, SIZE_MAX);
    assert_string_equal(broken[0].rows, "booking 2 overlaps 1");
}

static void rows_of_one_item_become_one_text(void **state)
{
    struct fixture *f = *state;
    size_t count;
    add_row(f, "0", "{\"a\": 1}");
    add_row(f, "0", "{\"a\": 2}");
    add_row(f, "2", "{\"id\": 7, \"name\": null, \"free\": true, \"price\": 12.5}");
    assert_int_equal(run_at_end(f), OB_OK);
    const struct ob_broken *broken = ob_check_broken(f->check, &count);
    assert_int_equal(count, 2);
    assert_string_equal(broken[0].rows, "1; 2");
    assert_int_equal(broken[1].item, 2);
    assert_string_equal(broken[1].rows, "id 7, name null, free true, price 12.5");
}

static void more_rows_than_are_told_are_hinted_at(void **state)
{
    struct fixture *f = *state;
    size_t count;
    for (int i = 0; i < OB_BROKEN_ROWS_MAX + 1; i++)
        add_row(f, "0", "{\"a\": 1}");
    assert_int_equal(run_at_end(f), OB_OK);
    assert_string_equal(ob_check_broken(f->check, &count)[0].rows, "1; 1; 1; \xe2\x80\xa6");
}

static void a_long_row_is_cut_at_a_character(void **state)
{
    struct fixture *f = *state;
    struct ob_buf row;
    size_t count;
    ob_buf_init(&row, SIZE_MAX);
    ob_buf_puts(&row, "{\"a\": \"x");
    for (size_t i = 0; i < 300; i++)
        ob_buf_puts(&row, "\xc3\xbc");
    ob_buf_puts(&row, "\"}");
    add_row(f, "0", row.data);
    assert_int_equal(run_at_end(f), OB_OK);
    const char *rows = ob_check_broken(f->check, &count)[0].rows;
    /* One byte of x and whole two-byte characters leave 497 bytes before the three of the ellipsis.
     */
    assert_int_equal(strlen(rows), 497 + 3);
    assert_string_equal(rows + 497 - 2, "\xc3\xbc\xe2\x80\xa6");
    ob_buf_clear(&row);
}

static void a_text_that_just_fits_is_whole(void **state)
{
    (void)state;
    struct ob_buf text;
    ob_buf_init(&text, SIZE_MAX);
    for (int i = 0; i < OB_BROKEN_SIZE_MAX; i++)
        ob_buf_putc(&text, 'x');
    ob_check_shorten(&text);
    assert_int_equal(text.size, OB_BROKEN_SIZE_MAX);
    ob_buf_putc(&text, 'x');
    ob_check_shorten(&text);
    assert_int_equal(text.size, OB_BROKEN_SIZE_MAX);
    assert_string_equal(text.data + OB_BROKEN_SIZE_MAX - 4, "x\xe2\x80\xa6");
    ob_buf_clear(&text);
}

static void only_marked_items_are_asked_after_a_commit(void **state)
{
    struct fixture *f = *state;
    size_t count;
    add_row(f, "2", "{\"a\": 1}");
    assert_int_equal(run_after(f, 4), OB_OK);
    assert_non_null(strstr(f->fake.sql, "SELECT one"));
    assert_null(strstr(f->fake.sql, "SELECT two"));
    assert_non_null(strstr(f->fake.sql, "SELECT three"));
    const struct ob_broken *broken = ob_check_broken(f->check, &count);
    assert_int_equal(broken[0].item, 2);
    assert_int_equal(broken[0].step, 4);
}

static void without_marked_items_nothing_is_asked_after_a_commit(void **state)
{
    struct fixture *f = *state;
    struct ob_check *check = ob_check_new(&items[1], 1, &f->port);
    assert_int_equal(ob_check_run(check, &f->trace, names, false, 0, &f->err), OB_OK);
    assert_int_equal(f->fake.query_count, 0);
    ob_check_free(check);
}

static bool is_reached(const struct ob_trace *trace)
{
    return trace->event_count > 0;
}

static void what_is_wanted_is_reached_and_never_broken(void **state)
{
    struct fixture *f = *state;
    static const struct ob_check_item wanted[] = {
        {.name = "first", .sql = "SELECT one"},
        {.name = "by itself", .wanted = true, .reached = is_reached},
        {.name = "asked for", .sql = "SELECT two", .wanted = true},
        {.name = "not reached", .sql = "SELECT three", .wanted = true},
    };
    struct ob_check *check = ob_check_new(wanted, 4, &f->port);
    size_t count;
    add_row(f, "0", "{\"a\": 1}");
    add_row(f, "2", "{}");
    ob_check_begin(check);
    assert_int_equal(ob_check_run(check, &f->trace, names, true, 0, &f->err), OB_OK);
    assert_int_equal(ob_check_reached(check), 2);
    ob_check_broken(check, &count);
    assert_int_equal(count, 1);
    f->fake.row_count = 0;
    ob_trace_add_event(&f->trace, 0, "told", "{}");
    ob_check_begin(check);
    assert_int_equal(ob_check_reached(check), 0);
    assert_int_equal(ob_check_run(check, &f->trace, names, true, 0, &f->err), OB_OK);
    assert_int_equal(ob_check_reached(check), 1);
    ob_check_free(check);
}

static void a_check_without_items_asks_nothing(void **state)
{
    struct fixture *f = *state;
    struct ob_check *check = ob_check_new(NULL, 0, &f->port);
    assert_int_equal(ob_check_run(check, &f->trace, names, true, 0, &f->err), OB_OK);
    assert_int_equal(f->fake.query_count, 0);
    ob_check_free(check);
    ob_check_free(NULL);
}

static void an_item_is_broken_once_in_a_run(void **state)
{
    struct fixture *f = *state;
    size_t count;
    add_row(f, "0", "{\"a\": 1}");
    assert_int_equal(run_after(f, 2), OB_OK);
    assert_int_equal(run_after(f, 5), OB_OK);
    add_row(f, "1", "{\"a\": 9}");
    assert_int_equal(run_at_end(f), OB_OK);
    const struct ob_broken *broken = ob_check_broken(f->check, &count);
    assert_int_equal(count, 2);
    assert_int_equal(broken[0].step, 2);
    assert_int_equal(broken[1].item, 1);
    ob_check_begin(f->check);
    ob_check_broken(f->check, &count);
    assert_int_equal(count, 0);
    assert_int_equal(run_after(f, 1), OB_OK);
    ob_check_broken(f->check, &count);
    assert_int_equal(count, 2);
}

static void the_statement_is_the_same_text_every_time(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_at_end(f), OB_OK);
    char *first = ob_strdup(f->fake.sql);
    add_row(f, "0", "{\"a\": 1}");
    assert_int_equal(run_at_end(f), OB_OK);
    assert_int_equal(run_at_end(f), OB_OK);
    assert_string_equal(f->fake.sql, first);
    free(first);
}

static void an_invariant_that_does_not_run_is_named(void **state)
{
    struct fixture *f = *state;
    size_t count;
    f->fake.fails_with = "SELECT two";
    f->fake.code = OB_SQL;
    assert_int_equal(run_at_end(f), OB_SQL);
    assert_string_equal(f->err.message, "could not check invariant \"second\": syntax error");
    ob_check_broken(f->check, &count);
    assert_int_equal(count, 0);
    assert_int_equal(run_after(f, 0), OB_OK);
}

static void invariants_that_only_fail_together_are_an_error_too(void **state)
{
    struct fixture *f = *state;
    f->fake.fails_with = "UNION ALL";
    f->fake.code = OB_SQL;
    assert_int_equal(run_at_end(f), OB_SQL);
    assert_string_equal(f->err.message, "could not check the invariants together: syntax error");
    assert_int_equal(f->fake.query_count, 4);
}

static void a_server_that_went_away_is_not_asked_again(void **state)
{
    struct fixture *f = *state;
    f->fake.fails_with = "SELECT";
    f->fake.code = OB_SERVER;
    assert_int_equal(run_at_end(f), OB_SERVER);
    assert_int_equal(f->fake.query_count, 1);
}

static void an_answer_that_makes_no_sense_is_an_error(void **state)
{
    static const char *const wrong[][2] = {{"3", "{}"},  {"x", "{}"},  {"-1", "{}"},
                                           {NULL, "{}"}, {"0", "[1]"}, {"0", "{\"a\": "}};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        f->fake.row_count = 0;
        add_row(f, wrong[i][0], wrong[i][1]);
        assert_int_equal(run_at_end(f), OB_INTERNAL);
    }
}

static json_t *history_sent(const struct fixture *f)
{
    assert_int_equal(f->fake.param_count, 1);
    json_t *history = json_loads(f->fake.history, 0, NULL);
    assert_true(json_is_array(history));
    return history;
}

static void the_history_is_sent_as_json(void **state)
{
    struct fixture *f = *state;
    ob_trace_add_event(&f->trace, OB_NO_CLIENT, "start", "{}");
    ob_trace_add_step(&f->trace);
    ob_trace_add_event(&f->trace, 0, "answer", "{\"status\":\"ok\",\"hold\":3}");
    ob_trace_add_step(&f->trace);
    ob_trace_add_event(&f->trace, 1, "odd \"kind\"\n", "{\"text\":\"\xc3\xbc\"}");
    assert_int_equal(run_at_end(f), OB_OK);
    json_t *actual = history_sent(f);
    json_t *expected = json_pack(
        "[{s:i, s:i, s:n, s:s, s:{}}, {s:i, s:i, s:s, s:s, s:{s:s, s:i}},"
        " {s:i, s:i, s:s, s:s, s:{s:s}}]",
        "seq", 0, "step", -1, "client", "kind", "start", "data", "seq", 1, "step", 0, "client",
        "alice", "kind", "answer", "data", "status", "ok", "hold", 3, "seq", 2, "step", 1, "client",
        "bob \"b\" \xc3\xbc", "kind", "odd \"kind\"\n", "data", "text", "\xc3\xbc");
    assert_non_null(expected);
    assert_true(json_equal(actual, expected));
    json_decref(actual);
    json_decref(expected);
}

static void an_empty_history_is_an_empty_array(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_at_end(f), OB_OK);
    json_t *history = history_sent(f);
    assert_int_equal(json_array_size(history), 0);
    json_decref(history);
}

static void a_name_that_is_not_utf8_is_an_error(void **state)
{
    struct fixture *f = *state;
    ob_trace_add_event(&f->trace, 0, "caf\xe9", "{}");
    assert_int_equal(run_at_end(f), OB_INTERNAL);
    assert_non_null(strstr(f->err.message, "not UTF-8"));
    assert_int_equal(f->fake.query_count, 0);
}

static void invariants_over_the_state_alone_send_no_history(void **state)
{
    struct fixture *f = *state;
    struct ob_check *check = ob_check_new(&items[1], 1, &f->port);
    ob_trace_add_event(&f->trace, 0, "answer", "{}");
    assert_int_equal(ob_check_run(check, &f->trace, names, true, 0, &f->err), OB_OK);
    assert_int_equal(f->fake.param_count, 0);
    assert_null(strstr(f->fake.sql, "$1"));
    ob_check_free(check);
}

static void the_end_of_a_statement_is_found(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"SELECT 1", "SELECT 1"},
        {"SELECT 1;", "SELECT 1"},
        {"SELECT 1 ; ", "SELECT 1 "},
        {"SELECT 1;;\n;", "SELECT 1"},
        {"SELECT 1; -- done; really", "SELECT 1"},
        {"SELECT 1 /* ; */; /* a /* nested; */ one */", "SELECT 1 /* ; */"},
        {"SELECT ';'", "SELECT ';'"},
        {"SELECT 'it''s;';", "SELECT 'it''s;'"},
        {"SELECT E'\\';' ;", "SELECT E'\\';' "},
        {"SELECT '\\';", "SELECT '\\'"},
        {"SELECT name'\\';", "SELECT name'\\'"},
        {"SELECT \"a;\"\"b;\";", "SELECT \"a;\"\"b;\""},
        {"SELECT $$;$$;", "SELECT $$;$$"},
        {"SELECT $tag$ ; $$ ; $tag$;", "SELECT $tag$ ; $$ ; $tag$"},
        {"SELECT $1;", "SELECT $1"},
        {"SELECT a$b$;", "SELECT a$b$"},
        {"SELECT 1; SELECT 2;", "SELECT 1; SELECT 2"},
        {"SELECT 4 - 2 / 1 * 3;", "SELECT 4 - 2 / 1 * 3"},
        {"SELECT 'open;", "SELECT 'open;"},
        {"SELECT /* open;", "SELECT /* open;"},
        {"SELECT $$open;", "SELECT $$open;"},
        {"SELECT E'open\\", "SELECT E'open\\"},
        {"-- ;", "-- ;"},
        {";", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = ob_check_sql_size(cases[i][0]);
        char *found = ob_asprintf("%.*s", (int)size, cases[i][0]);
        assert_string_equal(found, cases[i][1]);
        free(found);
    }
}

static void every_built_in_invariant_can_be_found_by_its_name(void **state)
{
    (void)state;
    size_t count;
    const struct ob_invariant *all = ob_invariant_builtin(&count);
    assert_int_equal(count, 17);
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(ob_invariant_find(all[i].name), &all[i]);
        assert_int_equal(all[i].code[0], 'I');
        assert_int_equal(all[i].about[strlen(all[i].about) - 1], '.');
        assert_null(strchr(all[i].sql, ';'));
        assert_non_null(strstr(all[i].sql, "ORDER BY"));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(all[i].code, all[j].code);
    }
    assert_null(ob_invariant_find("no-such-invariant"));
}

#define WITH_CHECK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CHECK(no_rows_mean_that_all_hold),
        WITH_CHECK(a_row_breaks_its_item),
        WITH_CHECK(rows_of_one_item_become_one_text),
        WITH_CHECK(more_rows_than_are_told_are_hinted_at),
        WITH_CHECK(a_long_row_is_cut_at_a_character),
        cmocka_unit_test(a_text_that_just_fits_is_whole),
        WITH_CHECK(only_marked_items_are_asked_after_a_commit),
        WITH_CHECK(without_marked_items_nothing_is_asked_after_a_commit),
        WITH_CHECK(a_check_without_items_asks_nothing),
        WITH_CHECK(what_is_wanted_is_reached_and_never_broken),
        WITH_CHECK(an_item_is_broken_once_in_a_run),
        WITH_CHECK(the_statement_is_the_same_text_every_time),
        WITH_CHECK(an_invariant_that_does_not_run_is_named),
        WITH_CHECK(invariants_that_only_fail_together_are_an_error_too),
        WITH_CHECK(a_server_that_went_away_is_not_asked_again),
        WITH_CHECK(an_answer_that_makes_no_sense_is_an_error),
        WITH_CHECK(the_history_is_sent_as_json),
        WITH_CHECK(an_empty_history_is_an_empty_array),
        WITH_CHECK(a_name_that_is_not_utf8_is_an_error),
        WITH_CHECK(invariants_over_the_state_alone_send_no_history),
        cmocka_unit_test(the_end_of_a_statement_is_found),
        cmocka_unit_test(every_built_in_invariant_can_be_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
