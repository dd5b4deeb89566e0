/* A spec as a scenario: by itself, with invariants given, and named by a scenario beside it. */
#include "scenario/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "fixtures/scenarios/"

static struct ob_scenario *load(const char *path, const char *const *invariants, size_t count)
{
    struct ob_error err;
    struct ob_scenario *scenario = NULL;
    if (ob_scenario_load_spec(path, invariants, count, &scenario, &err) != OB_OK)
        fail_msg("%s", err.message);
    return scenario;
}

static void a_spec_by_itself_is_a_scenario_that_nobody_is_stuck_in(void **state)
{
    (void)state;
    struct ob_scenario *scenario = load(FOLDER "deadlock.spec", NULL, 0);
    assert_int_equal(scenario->target, OB_TARGET_SPEC);
    assert_string_equal(scenario->name, "deadlock");
    assert_string_equal(scenario->variants[0].name, "default");
    assert_null(scenario->variants[0].violates);
    assert_int_equal(scenario->client_count, 2);
    assert_string_equal(scenario->clients[0].name, "ann");
    assert_int_equal(scenario->invariant_count, 1);
    assert_string_equal(scenario->invariants[0].name, "not-stuck");
    ob_scenario_free(scenario);
}

static void a_scenario_beside_it_that_names_it_is_taken(void **state)
{
    (void)state;
    struct ob_scenario *beside = load(FOLDER "lost-update.spec", NULL, 0);
    assert_string_equal(beside->file, FOLDER "lost-update.yaml");
    assert_string_equal(beside->spec_file, FOLDER "lost-update.spec");
    assert_string_equal(beside->clients[1].name, "bob and others");
    assert_int_equal(beside->variant_count, 2);
    ob_scenario_free(beside);
}

static void invariants_of_the_caller_come_before_the_scenario_beside_it(void **state)
{
    (void)state;
    static const char *const invariants[] = {"one: SELECT 1 WHERE false", "two:SELECT 2"};
    struct ob_scenario *with = load(FOLDER "lost-update.spec", invariants, 2);
    assert_string_equal(with->file, FOLDER "lost-update.spec");
    assert_int_equal(with->invariant_count, 3);
    assert_string_equal(with->invariants[0].name, "one");
    assert_string_equal(with->invariants[1].sql, "SELECT 2");
    struct ob_scenario *other = load(FOLDER "lost-update.spec", invariants, 1);
    assert_memory_equal(with->hash, other->hash, sizeof with->hash);
    ob_scenario_free(other);
    ob_scenario_free(with);
}

static void assert_refused(const char *path, const char *const *invariants, size_t count,
                           const char *message)
{
    struct ob_error err;
    struct ob_scenario *scenario = NULL;
    assert_int_equal(ob_scenario_load_spec(path, invariants, count, &scenario, &err), OB_INPUT);
    assert_null(scenario);
    assert_string_equal(err.message, message);
}

static void what_is_wrong_with_an_invariant_is_told_with_its_number(void **state)
{
    (void)state;
    static const char *const invariants[] = {"one: SELECT 1", "SELECT 2"};
    assert_refused(FOLDER "deadlock.spec", invariants, 2,
                   "--invariant:2:1: \"SELECT 2\" is no invariant");
}

static void a_mistake_in_the_spec_is_told_with_its_place(void **state)
{
    (void)state;
    char path[] = "/tmp/overbook-XXXXXX.spec", message[128];
    int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    static const char text[] = "session a\nstep s { SELECT 1 }\n  wrong\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    snprintf(message, sizeof message, "%s:3:3: syntax error at line 3", path);
    assert_refused(path, NULL, 0, message);
    assert_int_equal(remove(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spec_by_itself_is_a_scenario_that_nobody_is_stuck_in),
        cmocka_unit_test(a_scenario_beside_it_that_names_it_is_taken),
        cmocka_unit_test(invariants_of_the_caller_come_before_the_scenario_beside_it),
        cmocka_unit_test(what_is_wrong_with_an_invariant_is_told_with_its_number),
        cmocka_unit_test(a_mistake_in_the_spec_is_told_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
