/* What a good file becomes: every key of both targets, with its value and its default. */
#include "scenario/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "scenario_support.h"

#define MINUTE INT64_C(60000000)
#define REFERENCE "name: x\nabout: A race.\ntarget: reference\n"
#define SQL "name: x\nabout: A race.\ntarget: sql\n"
#define BOOK "clients: [{name: alice, does: book, simulator: 1, slot: 2026-06-01T10:00/11:00}]\n"
#define END "invariants: [no-overlap]\nexpect: holds\n"
#define SQL_END "invariants: [{name: i, sql: SELECT 1}]\nexpect: holds\n"

static struct ob_scenario *load(const char *path)
{
    struct ob_error err;
    struct ob_scenario *scenario = NULL;
    enum ob_result result = ob_scenario_load(path, &scenario, &err);
    assert_int_equal(result, OB_OK);
    return scenario;
}

static struct ob_scenario *parse(const char *text)
{
    struct ob_error err;
    struct ob_scenario *scenario = NULL;
    if (ob_scenario_parse("x.yaml", text, strlen(text), &scenario, &err) != OB_OK)
        fail_msg("%s", err.message);
    return scenario;
}

static int load_reference(void **state)
{
    *state = load(REFERENCE_FILE);
    return 0;
}

static int load_sql(void **state)
{
    *state = load(SQL_FILE);
    return 0;
}

static int unload(void **state)
{
    ob_scenario_free(*state);
    return 0;
}

static int64_t time_us(const char *text)
{
    int64_t us;
    assert_true(ob_parse_time_us(text, &us));
    return us;
}

/* The settings as one line, "key=number" or "key=text", which is easy to compare. */
static void assert_settings(const struct ob_setting *settings, size_t count, const char *expected)
{
    struct ob_buf buf;
    ob_buf_init(&buf, 1024);
    for (size_t i = 0; i < count; i++) {
        ob_buf_printf(&buf, "%s%s=", i > 0 ? " " : "", settings[i].key);
        if (settings[i].kind == OB_VALUE_TEXT || settings[i].kind == OB_VALUE_WORD)
            ob_buf_puts(&buf, settings[i].text);
        else
            ob_buf_printf(&buf, "%" PRId64, settings[i].number);
    }
    assert_string_equal(buf.data, expected);
    ob_buf_clear(&buf);
}

static void assert_action(const struct ob_action *action, const char *verb, const char *settings)
{
    assert_string_equal(action->verb, verb);
    assert_settings(action->settings, action->setting_count, settings);
}

static void the_head_is_read(void **state)
{
    const struct ob_scenario *scenario = *state;
    static const uint8_t zero[32];
    assert_string_equal(scenario->file, REFERENCE_FILE);
    assert_string_equal(scenario->name, "everything");
    assert_string_equal(scenario->about, "Each key of the reference target, once.");
    assert_int_equal(scenario->target, OB_TARGET_REFERENCE);
    assert_true(scenario->start_us == time_us("2026-05-31T08:00:00Z"));
    assert_string_equal(scenario->setup, "");
    assert_memory_not_equal(scenario->hash, zero, sizeof zero);
}

static void variants_have_all_their_settings(void **state)
{
    const struct ob_scenario *scenario = *state;
    const struct ob_variant *variants = scenario->variants;
    assert_int_equal(scenario->variant_count, 2);
    assert_string_equal(variants[0].name, "legacy");
    assert_settings(variants[0].settings, variants[0].setting_count,
                    "flag=0 constraint=1 hold-for=600000000");
    assert_int_equal(variants[0].isolation, OB_SERIALIZABLE);
    assert_settings(variants[1].settings, variants[1].setting_count,
                    "flag=100 constraint=1 hold-for=900000000");
    assert_int_equal(variants[1].isolation, OB_READ_COMMITTED);
    assert_int_equal(variants[1].place.line, 6);
    assert_int_equal(ob_scenario_variant(scenario, "fixed"), 1);
    assert_true(ob_scenario_variant(scenario, "other") == SIZE_MAX);
}

static void expectations_go_to_their_variants(void **state)
{
    const struct ob_scenario *scenario = *state;
    assert_string_equal(scenario->variants[0].violates, "no-overlap");
    assert_null(scenario->variants[1].violates);
}

static void given_is_one_list_with_who_did_it(void **state)
{
    const struct ob_scenario *scenario = *state;
    assert_int_equal(scenario->given_count, 4);
    assert_int_equal(scenario->guest_count, 1);
    assert_string_equal(scenario->guests[0], "dora");
    const struct ob_setting *slot = &scenario->given[0].settings[1];
    assert_string_equal(slot->key, "slot");
    assert_int_equal(slot->kind, OB_VALUE_RANGE);
    assert_true(slot->number == time_us("2026-06-01T23:00Z"));
    assert_true(slot->end == time_us("2026-06-02T01:00Z"));
    assert_action(&scenario->given[1], "pay", "of=6 amount=4200 currency=EUR payment=2 as=6");
    assert_action(&scenario->given[2], "webhook",
                  "of=6 payment=1 event=new tamper=old type=refunded as=6");
    assert_action(&scenario->given[3], "clock", "advance=300000000");
}

/* What a variant may change of a client, of what is checked, and of what is expected. */
static void variants_choose_paths_schemas_and_invariants(void **state)
{
    (void)state;
    static const char text[] =
        "name: x\nabout: A race.\ntarget: reference\n"
        "variants: {old: {schema: 1, flag: 0}, new: {}}\n"
        "clients:\n"
        "  - {name: ann, does: cleanup, path: {old: legacy, new: fixed}}\n"
        "  - {name: ops, does: [{flag: {percent: 5}}, {migrate: {version: 9}}], only: old}\n"
        "invariants: [no-overlap, {name: liveness, only: new}]\n"
        "expect: {old: any, new: {violates: liveness}}\n";
    struct ob_error err;
    struct ob_scenario *scenario;
    if (ob_scenario_parse("x.yaml", text, sizeof text - 1, &scenario, &err) != OB_OK)
        fail_msg("%s", err.message);
    assert_settings(scenario->variants[0].settings, scenario->variants[0].setting_count,
                    "flag=0 schema=1 hold-for=900000000");
    assert_int_equal(scenario->clients[0].legacy, 1);
    assert_int_equal(scenario->clients[0].fixed, 2);
    assert_action(&scenario->clients[1].actions[0], "flag", "percent=5");
    assert_action(&scenario->clients[1].actions[1], "migrate", "version=9");
    assert_int_equal(scenario->invariants[0].variants, 3);
    assert_int_equal(scenario->invariants[1].variants, 2);
    assert_true(scenario->variants[0].any);
    assert_null(scenario->variants[0].violates);
    assert_false(scenario->variants[1].any);
    ob_scenario_free(scenario);
}

static void clients_do_what_the_file_says(void **state)
{
    const struct ob_scenario *scenario = *state;
    const struct ob_scenario_client *clients = scenario->clients;
    assert_int_equal(scenario->client_count, 6);
    assert_string_equal(clients[0].name, "alice");
    assert_settings(clients[0].settings, clients[0].setting_count, "customer=ann");
    assert_int_equal(clients[0].legacy, UINT64_MAX >> (64 - scenario->variant_count));
    assert_int_equal(clients[0].fixed, 0);
    assert_int_equal(clients[0].action_count, 1);
    assert_string_equal(clients[0].actions[0].verb, "book");
    assert_int_equal(clients[0].actions[0].settings[0].number, 1);
    assert_settings(clients[1].settings, clients[1].setting_count, "customer=bob");
    assert_int_equal(clients[1].action_count, 4);
    assert_string_equal(clients[1].actions[0].verb, "hold");
    assert_action(&clients[1].actions[1], "pay", "of=1 payment=1");
    assert_action(&clients[1].actions[2], "return", "of=1 payment=1");
    assert_action(&clients[1].actions[3], "cancel", "of=1 link=latest");
    assert_action(&clients[2].actions[0], "webhook",
                  "of=6 payment=2 event=same tamper=none type=succeeded");
    assert_action(&clients[4].actions[0], "clock", "to=1780308000000000");
    assert_action(&clients[5].actions[0], "cleanup", "");
    assert_int_equal(clients[5].place.line, 23);
}

static void only_selects_variants(void **state)
{
    const struct ob_scenario *scenario = *state;
    assert_int_equal(scenario->clients[0].variants, 3);
    assert_int_equal(scenario->clients[1].variants, 1);
    assert_int_equal(scenario->clients[3].variants, 2);
}

static void faults_exploration_and_invariants_are_read(void **state)
{
    const struct ob_scenario *scenario = *state;
    assert_int_equal(scenario->fault_budget, 2);
    assert_int_equal(scenario->fault_point_count, 2);
    assert_string_equal(scenario->fault_points[1], "webhook/duplicate");
    assert_string_equal(scenario->explore.strategy, "round-robin");
    assert_int_equal(scenario->explore.runs, 100);
    assert_int_equal(scenario->invariant_count, 3);
    assert_null(scenario->invariants[0].sql);
    assert_false(scenario->invariants[0].after_commit);
    assert_string_equal(scenario->invariants[1].name, "effects-once");
    assert_true(scenario->invariants[1].after_commit);
    assert_string_equal(scenario->invariants[2].sql, "SELECT 1 WHERE false");
}

/* Words are numbered as the vocabulary lists them, so that targets need not compare texts. */
static void a_word_carries_its_number(void **state)
{
    const struct ob_scenario *scenario = *state;
    const struct ob_action *webhook = &scenario->given[2];
    const struct ob_setting *tamper =
        ob_setting_find(webhook->settings, webhook->setting_count, "tamper");
    assert_int_equal(tamper->kind, OB_VALUE_WORD);
    assert_int_equal(tamper->number, 2);
    assert_int_equal(tamper->place.line, 13);
    assert_int_equal(tamper->place.column, 49);
    assert_null(ob_setting_find(webhook->settings, webhook->setting_count, "slot"));
}

static void what_a_file_leaves_out_has_its_default(void **state)
{
    (void)state;
    struct ob_scenario *scenario = parse(REFERENCE BOOK END);
    assert_true(scenario->start_us == time_us("2026-06-01T09:00:00Z"));
    assert_int_equal(scenario->variant_count, 1);
    assert_string_equal(scenario->variants[0].name, "default");
    assert_settings(scenario->variants[0].settings, scenario->variants[0].setting_count,
                    "flag=100 constraint=1 hold-for=900000000");
    assert_null(scenario->variants[0].violates);
    assert_int_equal(scenario->given_count, 0);
    assert_int_equal(scenario->guest_count, 0);
    assert_int_equal(scenario->fault_point_count, 0);
    assert_int_equal(scenario->fault_budget, 0);
    assert_string_equal(scenario->explore.strategy, "");
    assert_int_equal(scenario->explore.runs, 0);
    ob_scenario_free(scenario);
}

static void one_expectation_is_for_the_only_variant(void **state)
{
    (void)state;
    struct ob_scenario *scenario =
        parse(REFERENCE BOOK "invariants: [no-overlap]\nexpect: {violates: no-overlap}\n");
    assert_string_equal(scenario->variants[0].violates, "no-overlap");
    ob_scenario_free(scenario);
}

static void the_constraint_follows_the_flag(void **state)
{
    (void)state;
    struct ob_scenario *scenario = parse(
        REFERENCE "variants: {a: {flag: 0}, b: {flag: 1}, c: {flag: 50, constraint: false}}\n" BOOK
                  "invariants: [no-overlap]\nexpect: {a: holds, b: holds, c: holds}\n");
    static const int64_t expected[] = {0, 1, 0};
    for (size_t i = 0; i < 3; i++) {
        const struct ob_variant *variant = &scenario->variants[i];
        assert_int_equal(
            ob_setting_find(variant->settings, variant->setting_count, "constraint")->number,
            expected[i]);
    }
    ob_scenario_free(scenario);
}

/* Alice's hold is from before the race, so others may be about it wherever she races. */
static void a_client_may_act_before_the_race(void **state)
{
    (void)state;
    struct ob_scenario *scenario =
        parse(REFERENCE
              "given: [{as: alice, does: hold, simulator: 1, slot: 2026-06-01T10:00/11:00}]\n"
              "clients: [{name: bob, does: cancel, of: alice}, {name: alice, does: pay}]\n" END);
    assert_int_equal(scenario->guest_count, 0);
    assert_int_equal(scenario->given[0].settings[2].number, 1);
    assert_action(&scenario->clients[0].actions[0], "cancel", "of=1 link=latest");
    ob_scenario_free(scenario);
}

static void sql_variants_have_their_own_setup(void **state)
{
    const struct ob_scenario *scenario = *state;
    assert_int_equal(scenario->target, OB_TARGET_SQL);
    assert_string_equal(scenario->setup,
                        "CREATE TABLE t (n int, who text);\nINSERT INTO t VALUES (1, ':none');\n");
    assert_int_equal(scenario->variants[0].isolation, OB_REPEATABLE_READ);
    assert_string_equal(scenario->variants[0].setup, "");
    assert_string_equal(scenario->variants[1].setup, "CREATE INDEX ON t (n)");
    assert_int_equal(scenario->variants[0].setting_count, 0);
    assert_int_equal(scenario->fault_budget, 1);
}

static void sql_clients_have_variables_isolation_and_retries(void **state)
{
    const struct ob_scenario *scenario = *state;
    const struct ob_scenario_client *alice = &scenario->clients[0], *bob = &scenario->clients[1];
    assert_int_equal(alice->variable_count, 2);
    assert_string_equal(alice->variables[0].name, "slot");
    assert_string_equal(alice->variables[0].value, "1");
    assert_null(alice->variables[1].value);
    assert_true(alice->isolation_given);
    assert_int_equal(alice->isolation, OB_SERIALIZABLE);
    assert_int_equal(alice->retries, 3);
    assert_true(alice->retry_lost);
    assert_false(bob->retry_lost);
    assert_false(bob->isolation_given);
    assert_int_equal(bob->retries, 0);
    assert_int_equal(bob->variants, 2);
    assert_int_equal(bob->action_count, 0);
}

static void statements_have_parameters_and_captures(void **state)
{
    const struct ob_scenario *scenario = *state;
    const struct ob_sql_step *steps = scenario->clients[0].steps;
    assert_int_equal(scenario->clients[0].step_count, 8);
    assert_int_equal(steps[0].kind, OB_SQL_BEGIN);
    assert_int_equal(steps[1].kind, OB_SQL_STATEMENT);
    assert_string_equal(steps[1].sql, "SELECT n::text AS n FROM t WHERE n = $1");
    assert_int_equal(steps[1].variable_count, 1);
    assert_string_equal(steps[1].variables[0], "slot");
    assert_int_equal(steps[1].capture_count, 1);
    assert_string_equal(steps[1].captures[0].variable, "n");
    assert_string_equal(steps[1].captures[0].column, "n");
    assert_int_equal(steps[1].variants, 3);
    assert_int_equal(steps[1].place.line, 16);
    assert_int_equal(steps[1].place.column, 9);
}

static void a_statement_for_each_variant_is_a_step_for_each(void **state)
{
    const struct ob_scenario *scenario = *state;
    const struct ob_sql_step *steps = scenario->clients[0].steps;
    assert_string_equal(steps[2].sql, "INSERT INTO t VALUES (2, $1)");
    assert_string_equal(steps[2].variables[0], "client");
    assert_int_equal(steps[2].variants, 1);
    assert_string_equal(steps[3].sql, "SELECT 1");
    assert_int_equal(steps[3].variable_count, 0);
    assert_int_equal(steps[3].variants, 2);
    assert_string_equal(steps[3].guards[0].variable, "n");
}

static void guards_clocks_and_events_are_read(void **state)
{
    const struct ob_scenario *scenario = *state;
    const struct ob_sql_step *steps = scenario->clients[0].steps;
    const struct ob_sql_step *bob = scenario->clients[1].steps;
    assert_int_equal(steps[4].kind, OB_SQL_CLOCK);
    assert_true(steps[4].advances);
    assert_true(steps[4].time_us == MINUTE * 3 / 2);
    assert_int_equal(steps[4].variants, 1);
    assert_int_equal(steps[5].kind, OB_SQL_ROLLBACK);
    assert_int_equal(steps[5].guard_count, 2);
    assert_int_equal(steps[5].guards[1].compare, OB_IS_NULL);
    assert_int_equal(steps[6].kind, OB_SQL_COMMIT);
    assert_true(steps[6].guards[0].value_is_variable);
    assert_int_equal(steps[7].kind, OB_SQL_EVENT);
    assert_string_equal(steps[7].event_kind, "booked");
    assert_string_equal(steps[7].event_data,
                        "{\"slot\":\":slot\",\"at\":\":now\",\"paid\":12.5,\"late\":false}");
    assert_int_equal(bob[0].kind, OB_SQL_CLOCK);
    assert_false(bob[0].advances);
    assert_true(bob[0].time_us == time_us("2026-06-01T10:00:00Z"));
}

static void event_data_are_json_whatever_they_hold(void **state)
{
    (void)state;
    struct ob_scenario *scenario = parse(SQL "clients:\n  - name: a\n    steps:\n"
                                             "      - {event: e}\n"
                                             "      - event: e\n"
                                             "        data: {'a\"b': '</\"\\', n: 007, s: \"1\", "
                                             "u: '\\u0000', z: ~, big: 1e999}\n" SQL_END);
    assert_string_equal(scenario->clients[0].steps[0].event_data, "{}");
    assert_string_equal(scenario->clients[0].steps[1].event_data,
                        "{\"a\\\"b\":\"</\\\"\\\\\",\"n\":\"007\",\"s\":\"1\",\"u\":\"\\\\u0000\","
                        "\"z\":null,\"big\":\"1e999\"}");
    ob_scenario_free(scenario);
}

/* Branches that begin, commit or roll back: which is taken only the run shows. */
static void guarded_begins_and_ends_may_follow_each_other(void **state)
{
    (void)state;
    struct ob_scenario *scenario =
        parse(SQL "clients:\n  - name: a\n    vars: {n: 1}\n"
                  "    steps: [begin, {commit, when: n = 1}, {rollback, when: n = 2}, "
                  "{begin, when: n = 1}, {begin, when: n = 2}]\n" SQL_END);
    assert_int_equal(scenario->clients[0].step_count, 5);
    ob_scenario_free(scenario);
}

static void a_variable_may_be_captured_for_each_variant_by_itself(void **state)
{
    (void)state;
    struct ob_scenario *scenario =
        parse(SQL "variants: {a: , b: }\nclients:\n  - name: c\n    steps:\n"
                  "      - {sql: {a: SELECT 1 AS x, b: SELECT 2 AS x}, capture: {n: x}}\n"
                  "      - {sql: \"SELECT :n\"}\n"
                  "invariants: [{name: i, sql: SELECT 1}]\nexpect: {a: holds, b: holds}\n");
    assert_int_equal(scenario->clients[0].step_count, 3);
    assert_int_equal(scenario->clients[0].steps[2].variants, 3);
    ob_scenario_free(scenario);
}

static void a_statement_declares_what_it_touches(void **state)
{
    (void)state;
    struct ob_scenario *scenario =
        parse(SQL "clients:\n  - name: a\n    steps:\n"
                  "      - {sql: SELECT 1, touches: {read: [slot, my.slot/1/x], write: slot/2}}\n"
                  "      - {sql: SELECT 2}\n" SQL_END);
    const struct ob_sql_step *steps = scenario->clients[0].steps;
    assert_true(steps[0].declares && !steps[1].declares);
    assert_int_equal(steps[0].touch_count, 3);
    assert_int_equal(steps[0].touches[0].way, OB_DECLARED_READ);
    assert_string_equal(steps[0].touches[0].relation, "public.slot");
    assert_null(steps[0].touches[0].key);
    assert_string_equal(steps[0].touches[1].relation, "my.slot");
    assert_string_equal(steps[0].touches[1].key, "1/x");
    assert_int_equal(steps[0].touches[2].way, OB_DECLARED_WRITE);
    assert_string_equal(steps[0].touches[2].key, "2");
    ob_scenario_free(scenario);
}

/* Appends count times the format with the index. */
static void repeat(struct ob_buf *buf, const char *before, int count, const char *after)
{
    for (int i = 0; i < count; i++)
        ob_buf_printf(buf, "%s%d%s", before, i, after);
}

static enum ob_result parse_buf(struct ob_buf *buf, struct ob_error *err)
{
    struct ob_scenario *scenario = NULL;
    enum ob_result result = ob_scenario_parse("x.yaml", buf->data, buf->size, &scenario, err);
    ob_scenario_free(scenario);
    ob_buf_clear(buf);
    return result;
}

static enum ob_result parse_clients(int count, struct ob_error *err)
{
    struct ob_buf buf;
    ob_buf_init(&buf, 1 << 16);
    ob_buf_puts(&buf, REFERENCE "clients:\n");
    repeat(&buf, "  - {name: c", count, ", does: cleanup}\n");
    ob_buf_puts(&buf, END);
    return parse_buf(&buf, err);
}

static enum ob_result parse_variants(int count, struct ob_error *err)
{
    struct ob_buf buf;
    ob_buf_init(&buf, 1 << 16);
    ob_buf_puts(&buf, REFERENCE "variants:\n");
    repeat(&buf, "  v", count, ":\n");
    ob_buf_puts(&buf, "clients: [{name: a, does: cleanup}]\ninvariants: [no-overlap]\nexpect:\n");
    repeat(&buf, "  v", count, ": holds\n");
    return parse_buf(&buf, err);
}

static enum ob_result parse_vars(int count, struct ob_error *err)
{
    struct ob_buf buf;
    ob_buf_init(&buf, 1 << 16);
    ob_buf_puts(&buf, SQL "clients:\n  - name: a\n    steps: [begin, commit]\n    vars:\n");
    repeat(&buf, "      v", count, ":\n");
    ob_buf_puts(&buf, SQL_END);
    return parse_buf(&buf, err);
}

static enum ob_result parse_guests(int count, struct ob_error *err)
{
    struct ob_buf buf;
    ob_buf_init(&buf, 1 << 16);
    ob_buf_puts(&buf, REFERENCE "given:\n");
    repeat(&buf, "  - {as: g", count, ", does: cleanup}\n");
    ob_buf_puts(&buf, BOOK END);
    return parse_buf(&buf, err);
}

static void each_limit_can_be_reached_and_not_passed(void **state)
{
    (void)state;
    static const struct {
        enum ob_result (*parse)(int count, struct ob_error *err);
        int max;
        const char *message;
    } limits[] = {
        {parse_clients, 64, "x.yaml:5:3: more than 64 clients"},
        {parse_variants, 64, "x.yaml:5:3: more than 64 variants"},
        {parse_vars, 62, "x.yaml:70:7: more than 64 variables"},
        {parse_guests, 64, "x.yaml:69:10: more than 64 names beside the clients'"},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct ob_error err = {.message = ""};
        assert_int_equal(limits[i].parse(limits[i].max, &err), OB_OK);
        assert_int_equal(limits[i].parse(limits[i].max + 1, &err), OB_INPUT);
        assert_string_equal(err.message, limits[i].message);
    }
}

static void the_hash_is_of_the_bytes(void **state)
{
    (void)state;
    struct ob_scenario *one = parse(REFERENCE BOOK END);
    struct ob_scenario *same = parse(REFERENCE BOOK END);
    struct ob_scenario *other = parse(REFERENCE BOOK END "# a remark\n");
    assert_memory_equal(one->hash, same->hash, sizeof one->hash);
    assert_memory_not_equal(one->hash, other->hash, sizeof one->hash);
    ob_scenario_free(one);
    ob_scenario_free(same);
    ob_scenario_free(other);
}

static void a_file_that_cannot_be_read_is_refused(void **state)
{
    (void)state;
    struct ob_error err;
    struct ob_scenario *scenario = NULL;
    assert_int_equal(ob_scenario_load("/nonexistent.yaml", &scenario, &err), OB_INPUT);
    assert_string_equal(err.message,
                        "could not open \"/nonexistent.yaml\": No such file or directory");
    assert_int_equal(ob_scenario_load("/", &scenario, &err), OB_INPUT);
    assert_string_equal(err.message, "\"/\" is not a regular file");
    assert_string_not_equal(err.hint, "");
    assert_null(scenario);
}

/* Reading ends soon after the limit: this file never would. */
static void a_device_is_refused(void **state)
{
    (void)state;
    struct ob_error err;
    struct ob_scenario *scenario = NULL;
    assert_int_equal(ob_scenario_load("/dev/zero", &scenario, &err), OB_INPUT);
    assert_string_equal(err.message, "\"/dev/zero\" is not a regular file");
}

static void a_file_that_is_too_large_is_refused(void **state)
{
    (void)state;
    struct ob_error err;
    struct ob_scenario *scenario = NULL;
    char path[] = "/tmp/ob-scenario-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && ftruncate(fd, 1 << 30) == 0);
    enum ob_result result = ob_scenario_load(path, &scenario, &err);
    close(fd);
    unlink(path);
    assert_int_equal(result, OB_INPUT);
    assert_non_null(strstr(err.message, ":1:1: larger than 1048576 bytes"));
}

static void freeing_nothing_is_legal(void **state)
{
    (void)state;
    ob_scenario_free(NULL);
}

#define WITH_REFERENCE(test) cmocka_unit_test_setup_teardown(test, load_reference, unload)
#define WITH_SQL(test) cmocka_unit_test_setup_teardown(test, load_sql, unload)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_REFERENCE(the_head_is_read),
        WITH_REFERENCE(variants_have_all_their_settings),
        WITH_REFERENCE(expectations_go_to_their_variants),
        WITH_REFERENCE(given_is_one_list_with_who_did_it),
        WITH_REFERENCE(clients_do_what_the_file_says),
        cmocka_unit_test(variants_choose_paths_schemas_and_invariants),
        WITH_REFERENCE(only_selects_variants),
        WITH_REFERENCE(faults_exploration_and_invariants_are_read),
        WITH_REFERENCE(a_word_carries_its_number),
        cmocka_unit_test(what_a_file_leaves_out_has_its_default),
        cmocka_unit_test(one_expectation_is_for_the_only_variant),
        cmocka_unit_test(the_constraint_follows_the_flag),
        cmocka_unit_test(a_client_may_act_before_the_race),
        WITH_SQL(sql_variants_have_their_own_setup),
        WITH_SQL(sql_clients_have_variables_isolation_and_retries),
        WITH_SQL(statements_have_parameters_and_captures),
        WITH_SQL(a_statement_for_each_variant_is_a_step_for_each),
        WITH_SQL(guards_clocks_and_events_are_read),
        cmocka_unit_test(event_data_are_json_whatever_they_hold),
        cmocka_unit_test(guarded_begins_and_ends_may_follow_each_other),
        cmocka_unit_test(a_variable_may_be_captured_for_each_variant_by_itself),
        cmocka_unit_test(a_statement_declares_what_it_touches),
        cmocka_unit_test(each_limit_can_be_reached_and_not_passed),
        cmocka_unit_test(the_hash_is_of_the_bytes),
        cmocka_unit_test(a_file_that_cannot_be_read_is_refused),
        cmocka_unit_test(a_device_is_refused),
        cmocka_unit_test(a_file_that_is_too_large_is_refused),
        cmocka_unit_test(freeing_nothing_is_legal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
