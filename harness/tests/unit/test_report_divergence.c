/* Two sides of a step that was made again. */
#include "divergence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const clients[] = {"alice", "bob"};
static const struct ob_report_ended row = {
    .client = 1, .status = "done", .sqlstate = "00000", .message = "", .rows = 1, .digest = 0xab};
static const struct ob_report_note answer = {
    .client = 1, .kind = "answer", .data = "{\"status\": \"ok\"}"};
static const struct ob_report_step insert = {
    .client = 1,
    .kind = "sql",
    .text = "INSERT INTO booking VALUES ($1) RETURNING id",
    .params = "$1 = 'bob'",
    .ended = &row,
    .ended_count = 1,
    .notes = &answer,
    .note_count = 1,
};

static struct ob_report_timeline run_of(const struct ob_report_step *step, size_t count)
{
    return (struct ob_report_timeline){.clients = clients,
                                       .client_count = 2,
                                       .steps = step,
                                       .step_count = count,
                                       .end = "finished",
                                       .reason = ""};
}

static void assert_differs(const struct ob_report_step *now, const char *differs)
{
    struct ob_arena arena;
    const struct ob_report_timeline recorded = run_of(&insert, 1), again = run_of(now, 1);
    const struct ob_divergence divergence = {.recorded = &recorded, .now = &again};
    ob_arena_init(&arena);
    assert_string_equal(ob_divergence_differs(&arena, &divergence), differs);
    ob_arena_clear(&arena);
}

static void each_thing_that_differs_is_named(void **state)
{
    (void)state;
    struct ob_report_step now = insert;
    struct ob_report_ended ended = row;
    assert_differs(&now, "");
    now.client = 0;
    assert_differs(&now, "client, rows, SQLSTATE, notes"); /* whose they are is told with them */
    now = insert;
    now.text = "SELECT 1";
    now.params = "";
    assert_differs(&now, "statement, parameters");
    now = insert;
    now.kind = "run";
    assert_differs(&now, "statement");
    now = insert;
    now.ended = &ended;
    ended.rows = 2;
    assert_differs(&now, "rows");
    ended = row;
    ended.digest = 0xcd;
    assert_differs(&now, "rows");
    ended = row;
    memcpy(&ended, &(struct ob_report_ended){1, "done", "40001", "could not serialize", 0, 0},
           sizeof ended);
    assert_differs(&now, "rows, SQLSTATE");
    ended = row;
    ended.status = "session lost";
    ended.sqlstate = "";
    assert_differs(&now, "rows, SQLSTATE");
    now = insert;
    now.blocked = 1;
    assert_differs(&now, "waits");
    now = insert;
    now.woken = 1;
    assert_differs(&now, "woken");
    now = insert;
    now.gated = 2;
    assert_differs(&now, "at a gate");
    now = insert;
    now.note_count = 0;
    assert_differs(&now, "notes");
}

static void whom_a_client_waits_for_counts(void **state)
{
    (void)state;
    struct ob_arena arena;
    struct ob_report_step one = insert, other = insert;
    one.blocked = other.blocked = 2;
    one.holders = 1;
    other.holders = 0; /* in flight */
    const struct ob_report_timeline recorded = run_of(&one, 1), now = run_of(&other, 1);
    const struct ob_divergence divergence = {.recorded = &recorded, .now = &now};
    ob_arena_init(&arena);
    assert_string_equal(ob_divergence_differs(&arena, &divergence), "waits");
    ob_arena_clear(&arena);
}

static void the_text_of_an_error_is_shown_and_not_compared(void **state)
{
    (void)state;
    static const struct ob_report_ended errors[] = {
        {1, "done", "23505", "Key (id)=(1) exists", 0, 0},
        {1, "done", "23505", "Key (id)=(2) exists", 0, 0}};
    struct ob_report_step one = insert, other = insert;
    one.ended = &errors[0];
    other.ended = &errors[1];
    struct ob_arena arena;
    const struct ob_report_timeline recorded = run_of(&one, 1), now = run_of(&other, 1);
    const struct ob_divergence divergence = {.recorded = &recorded, .now = &now};
    ob_arena_init(&arena);
    assert_string_equal(ob_divergence_differs(&arena, &divergence), "");
    ob_arena_clear(&arena);
}

static void assert_drawn(const struct ob_divergence *divergence, struct ob_lanes_options how,
                         const char *expected)
{
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    ob_divergence_draw(divergence, &how, &out);
    assert_string_equal(out.data, expected);
    ob_buf_clear(&out);
}

static void both_sides_stand_beside_each_other(void **state)
{
    (void)state;
    static const struct ob_report_ended refused[] = {
        {1, "done", "23P01", "conflicting key value violates exclusion constraint", 0, 0}};
    struct ob_report_step waits = insert;
    waits.ended = refused;
    waits.blocked = 1;
    waits.note_count = 0;
    const struct ob_report_timeline recorded = run_of(&insert, 1), now = run_of(&waits, 1);
    const struct ob_divergence divergence = {.recorded = &recorded, .now = &now};
    assert_drawn(&divergence, (struct ob_lanes_options){.unicode = true, .width = 80},
                 "              recorded                        │ now\n"
                 "  client      bob                             │ bob\n"
                 "  statement   INSERT INTO booking VALUES ($1) │ INSERT INTO booking VALUES ($1)\n"
                 "              RETURNING id                    │ RETURNING id\n"
                 "  parameters  $1 = 'bob'                      │ $1 = 'bob'\n"
                 "≠ rows        1 row, digest 00000000000000ab  │\n"
                 "≠ SQLSTATE    00000                           │ 23P01\n"
                 "  message                                     │ conflicting key value violates\n"
                 "                                              │ exclusion constraint\n"
                 "≠ waits       nobody                          │ alice\n"
                 "≠ notes       answer status: ok               │\n");
}

static void with_a_token_alone_what_it_does_not_keep_is_a_question(void **state)
{
    (void)state;
    const struct ob_report_timeline now = run_of(&insert, 1);
    const struct ob_divergence divergence = {.now = &now, .client = "bob"};
    assert_drawn(&divergence, (struct ob_lanes_options){.width = INT_MAX},
                 "              recorded | now\n"
                 "  client      bob      | bob\n"
                 "  statement   ?        | INSERT INTO booking VALUES ($1) RETURNING id\n"
                 "  parameters  ?        | $1 = 'bob'\n"
                 "  rows        ?        | 1 row, digest 00000000000000ab\n"
                 "  SQLSTATE    ?        | 00000\n"
                 "  notes       ?        | answer status: ok\n");
}

static void a_side_without_the_step_says_why(void **state)
{
    (void)state;
    struct ob_report_step short_step = insert;
    short_step.text = "COMMIT";
    short_step.params = "";
    short_step.ended_count = short_step.note_count = 0;
    const struct ob_report_timeline one = run_of(&short_step, 1), none = run_of(NULL, 0);
    const struct ob_lanes_options how = {.width = 80};
    struct ob_divergence divergence = {.recorded = &one, .now = &none};
    assert_drawn(&divergence, how,
                 "              recorded | now\n"
                 "#                      | nothing: the run had ended\n"
                 "# client      bob      |\n"
                 "# statement   COMMIT   |\n");
    divergence.instead = "nothing: bob waits for a lock";
    assert_drawn(&divergence, how,
                 "              recorded | now\n"
                 "#                      | nothing: bob waits for a lock\n"
                 "# client      bob      |\n"
                 "# statement   COMMIT   |\n");
    divergence = (struct ob_divergence){.recorded = &none, .now = &one};
    assert_drawn(&divergence, how,
                 "              recorded                      | now\n"
                 "#             nothing: the record ends here |\n"
                 "# client                                    | bob\n"
                 "# statement                                 | COMMIT\n");
}

static void in_json_both_steps_stand_whole(void **state)
{
    (void)state;
    struct ob_report_step other = insert;
    other.text = "SELECT 1";
    const struct ob_report_timeline recorded = run_of(&insert, 1), now = run_of(&other, 1);
    struct ob_divergence divergence = {.recorded = &recorded, .now = &now};
    json_t *object = ob_divergence_json(&divergence);
    char *text = json_dumps(object, JSON_COMPACT);
    assert_string_equal(
        text, "{\"step\":0,\"differs\":[\"statement\"],\"recorded\":{\"client\":1,\"kind\":\"sql\","
              "\"text\":\"INSERT INTO booking VALUES ($1) RETURNING id\",\"params\":\"$1 = 'bob'\","
              "\"ended\":[{\"client\":1,\"status\":\"done\",\"sqlstate\":\"00000\",\"rows\":1,"
              "\"digest\":\"00000000000000ab\"}],\"notes\":[{\"client\":1,\"kind\":\"answer\","
              "\"data\":\"{\\\"status\\\": \\\"ok\\\"}\"}]},\"now\":{\"client\":1,\"kind\":\"sql\","
              "\"text\":\"SELECT 1\",\"params\":\"$1 = 'bob'\",\"ended\":[{\"client\":1,"
              "\"status\":\"done\",\"sqlstate\":\"00000\",\"rows\":1,"
              "\"digest\":\"00000000000000ab\"}],\"notes\":[{\"client\":1,\"kind\":\"answer\","
              "\"data\":\"{\\\"status\\\": \\\"ok\\\"}\"}]}}");
    free(text);
    json_decref(object);
    divergence.recorded = NULL;
    object = ob_divergence_json(&divergence);
    assert_true(json_is_null(json_object_get(object, "recorded")));
    assert_int_equal(json_array_size(json_object_get(object, "differs")), 0);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_thing_that_differs_is_named),
        cmocka_unit_test(whom_a_client_waits_for_counts),
        cmocka_unit_test(the_text_of_an_error_is_shown_and_not_compared),
        cmocka_unit_test(both_sides_stand_beside_each_other),
        cmocka_unit_test(with_a_token_alone_what_it_does_not_keep_is_a_question),
        cmocka_unit_test(a_side_without_the_step_says_why),
        cmocka_unit_test(in_json_both_steps_stand_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
