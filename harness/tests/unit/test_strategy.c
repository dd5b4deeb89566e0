/* The strategies, asked about programs that never block. */
#include "explore/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/model/programs.h"

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* How many runs there are; each must be another one. */
static uint64_t exhaust(const struct ob_programs *programs)
{
    static char texts[40000][8 * OB_PROGRAMS_STEPS_MAX];
    struct ob_strategy *strategy =
        ob_strategy_new(OB_STRATEGY_EXHAUSTIVE, 0, programs->client_count);
    struct ob_chooser chooser = ob_strategy_chooser(strategy);
    uint64_t count = 0;
    while (ob_strategy_next(strategy, count)) {
        struct ob_choices choices;
        assert_false(ob_strategy_exhausted(strategy));
        ob_programs_run(programs, &chooser, &choices);
        assert_true(count < 40000);
        memcpy(texts[count++], choices.text, sizeof choices.text);
    }
    assert_true(ob_strategy_exhausted(strategy));
    ob_strategy_free(strategy);
    qsort(texts, count, sizeof *texts, compare);
    for (uint64_t i = 1; i < count; i++)
        assert_string_not_equal(texts[i - 1], texts[i]);
    return count;
}

static void exhausting_takes_every_interleaving_once(void **state)
{
    (void)state;
    assert_int_equal(exhaust(&(struct ob_programs){1, {5}, 0, 0, NULL}), 1);
    assert_int_equal(exhaust(&(struct ob_programs){2, {4, 4}, 0, 0, NULL}), 70);
    assert_int_equal(exhaust(&(struct ob_programs){3, {2, 2, 2}, 0, 0, NULL}), 90);
    assert_int_equal(exhaust(&(struct ob_programs){3, {4, 4, 4}, 0, 0, NULL}), 34650);
    assert_int_equal(exhaust(&(struct ob_programs){2, {1, 6}, 0, 0, NULL}), 7);
}

static void exhausting_takes_every_way_of_every_fault_once(void **state)
{
    (void)state;
    assert_int_equal(exhaust(&(struct ob_programs){1, {3}, 1, 1, NULL}), 8);
    assert_int_equal(exhaust(&(struct ob_programs){1, {2}, 1, 3, NULL}), 16);
    assert_int_equal(exhaust(&(struct ob_programs){2, {1, 1}, 2, 1, NULL}), 2 * 16);
}

static void a_prefix_that_leads_elsewhere_is_no_exhaustion(void **state)
{
    (void)state;
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_EXHAUSTIVE, 0, 2);
    struct ob_chooser chooser = ob_strategy_chooser(strategy);
    struct ob_programs programs = {2, {2, 2}, 0, 0, NULL};
    struct ob_choices choices;
    uint64_t count = 0;
    while (ob_strategy_next(strategy, count)) {
        programs.steps[1] = count++ == 2 ? 1 : 2; /* the third run is shorter than it should be */
        ob_programs_run(&programs, &chooser, &choices);
        assert_true(count < 20);
    }
    assert_false(ob_strategy_exhausted(strategy));
    ob_strategy_free(strategy);
}

/* The choices of a random strategy's run. */
static void lot(uint64_t seed, uint64_t number, bool alone, struct ob_choices *out)
{
    static const struct ob_programs programs = {3, {4, 4, 4}, 1, 2, NULL};
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_RANDOM, seed, 3);
    struct ob_chooser chooser = ob_strategy_chooser(strategy);
    for (uint64_t i = alone ? number : 0; i <= number; i++) {
        assert_true(ob_strategy_next(strategy, i));
        ob_programs_run(&programs, &chooser, out);
    }
    ob_strategy_free(strategy);
}

static void a_random_run_is_a_matter_of_seed_and_number_only(void **state)
{
    (void)state;
    struct ob_choices a, b;
    for (uint64_t number = 0; number < 20; number++) {
        lot(3, number, true, &a);
        lot(3, number, false, &b);
        assert_string_equal(a.text, b.text);
    }
    lot(4, 7, true, &b);
    lot(3, 7, true, &a);
    assert_string_not_equal(a.text, b.text);
    lot(3, 8, true, &b);
    assert_string_not_equal(a.text, b.text);
}

static void a_run_made_again_is_chosen_the_same(void **state)
{
    (void)state;
    static const struct ob_programs programs = {3, {4, 4, 4}, 1, 2, NULL};
    for (int kind = 0; kind < OB_STRATEGY_COUNT; kind++) {
        if (kind == OB_STRATEGY_PERMUTATIONS)
            continue;
        struct ob_strategy *strategy = ob_strategy_new((enum ob_strategy_kind)kind, 9, 3);
        struct ob_chooser chooser = ob_strategy_chooser(strategy);
        for (uint64_t i = 0; i < 3; i++) {
            struct ob_choices first, again;
            assert_true(ob_strategy_next(strategy, i));
            ob_programs_run(&programs, &chooser, &first);
            ob_programs_explore(&programs, strategy, &again);
            assert_string_equal(first.text, again.text);
        }
        ob_strategy_free(strategy);
    }
}

/* In how many of 40 runs two explorations choose differently. */
static unsigned differences(enum ob_strategy_kind kind, uint64_t seed, uint64_t other_seed)
{
    static const struct ob_programs programs = {3, {3, 3, 3}, 1, 2, NULL};
    struct ob_strategy *a = ob_strategy_new(kind, seed, 3),
                       *b = ob_strategy_new(kind, other_seed, 3);
    unsigned count = 0;
    for (uint64_t run = 0; run < 40; run++) {
        struct ob_choices one, other;
        bool more = ob_strategy_next(a, run);
        assert_int_equal(ob_strategy_next(b, run), more);
        if (!more)
            break;
        ob_programs_explore(&programs, a, &one);
        ob_programs_explore(&programs, b, &other);
        count += strcmp(one.text, other.text) != 0;
    }
    ob_strategy_free(a);
    ob_strategy_free(b);
    return count;
}

static void the_same_seed_gives_the_same_runs(void **state)
{
    (void)state;
    for (int i = 0; i < OB_STRATEGY_COUNT; i++) {
        enum ob_strategy_kind kind = (enum ob_strategy_kind)i;
        assert_int_equal(differences(kind, 5, 5), 0);
        if (ob_strategy_sampler(kind) < OB_STRATEGY_COUNT)
            assert_true(differences(kind, 5, 6) > 20);
    }
}

static const struct ob_order *get_order(void *self, uint64_t number)
{
    static const struct ob_launch launches[] = {{.name = "b", .client = 1, .what = 1},
                                                {.name = "a", .client = 0},
                                                {.name = "c", .client = 2}};
    static const struct ob_order all[] = {{.launches = launches, .count = 3},
                                          {.launches = launches + 1, .count = 2}};
    (void)self;
    return number < 2 ? &all[number] : NULL;
}

static const struct ob_orders orders = {.get = get_order};

/* Of an exploration with two orders the third run is the first of the strategy's own. */
static void given_orders_come_first(void **state)
{
    (void)state;
    static const size_t both[] = {0, 1};
    const struct ob_choice_point point = {
        .kind = OB_CHOICE_STEP, .option_count = 2, .clients = both, .previous = OB_NO_CLIENT};
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_ROUND_ROBIN, 1, 2);
    ob_strategy_begin_with(strategy, &orders);
    struct ob_chooser chooser = ob_strategy_chooser(strategy);
    for (uint64_t run = 0; run < 4; run++) {
        assert_true(ob_strategy_next(strategy, run));
        for (int again = 0; again < 2; again++) {
            chooser.restart(chooser.self);
            assert_int_equal(chooser.choose(chooser.self, &point), run == 0 || run == 3);
        }
        assert_int_equal(ob_strategy_order(strategy) != NULL, run < 2);
    }
    assert_false(ob_strategy_next(strategy, 4));
    ob_strategy_free(strategy);
}

static void permutations_are_the_given_orders_only(void **state)
{
    (void)state;
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_PERMUTATIONS, 1, 2);
    ob_strategy_begin_with(strategy, &orders);
    assert_true(ob_strategy_next(strategy, 0));
    assert_true(ob_strategy_next(strategy, 1));
    assert_false(ob_strategy_next(strategy, 2));
    assert_false(ob_strategy_exhausted(strategy));
    ob_strategy_free(strategy);
}

/* A program is what the clients do, not when. */
static void strategies_leave_the_clients_their_own_program(void **state)
{
    (void)state;
    const struct ob_choice_point point = {.kind = OB_CHOICE_PROGRAM, .option_count = 9};
    for (int kind = 0; kind < OB_STRATEGY_COUNT; kind++) {
        struct ob_strategy *strategy = ob_strategy_new((enum ob_strategy_kind)kind, 9, 3);
        struct ob_chooser chooser = ob_strategy_chooser(strategy);
        (void)ob_strategy_next(strategy, 0);
        chooser.restart(chooser.self);
        assert_int_equal(chooser.choose(chooser.self, &point), 0);
        ob_strategy_free(strategy);
    }
}

static void some_runs_have_many_faults_and_some_have_none(void **state)
{
    (void)state;
    unsigned none = 0, many = 0, second_way = 0;
    for (uint64_t number = 0; number < 200; number++) {
        struct ob_choices choices;
        lot(1, number, true, &choices);
        none += choices.faults == 0;
        many += choices.faults >= 4;
        second_way += strstr(choices.text, "!2") != NULL;
    }
    assert_true(none > 50);
    assert_true(many > 20);
    assert_true(second_way > 40);
}

static void every_client_goes_first_as_often_by_lot(void **state)
{
    (void)state;
    unsigned first[3] = {0};
    for (uint64_t number = 0; number < 300; number++) {
        struct ob_choices choices;
        lot(2, number, true, &choices);
        first[choices.text[0] - '0']++;
    }
    for (size_t i = 0; i < 3; i++)
        assert_true(first[i] > 70 && first[i] < 130);
}

static void round_robin_takes_turns_from_each_client_once(void **state)
{
    (void)state;
    static const char *const expected[] = {"012010101", "120101010", "201010101"};
    static const struct ob_programs programs = {3, {4, 4, 1}, 1, 1, NULL};
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_ROUND_ROBIN, 0, 3);
    struct ob_chooser chooser = ob_strategy_chooser(strategy);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct ob_choices choices;
        assert_true(ob_strategy_next(strategy, i));
        ob_programs_run(&programs, &chooser, &choices);
        assert_string_equal(choices.text, expected[i]);
    }
    assert_false(ob_strategy_next(strategy, 3));
    assert_false(ob_strategy_exhausted(strategy));
    ob_strategy_free(strategy);
}

static void strategies_are_known_by_their_words(void **state)
{
    (void)state;
    struct ob_error err;
    for (int i = 0; i < OB_STRATEGY_COUNT; i++) {
        enum ob_strategy_kind kind;
        unsigned argument;
        const char *word = ob_strategy_word((enum ob_strategy_kind)i);
        assert_int_equal(ob_strategy_parse(word, &kind, &argument, &err), OB_OK);
        assert_int_equal(kind, i);
        assert_int_equal(argument, ob_strategy_argument(kind)->usual);
        assert_true(strlen(ob_strategy_about(kind)) > 5);
    }
    enum ob_strategy_kind kind = OB_STRATEGY_STRESS;
    unsigned argument = 7;
    assert_int_equal(ob_strategy_parse("exaustive", &kind, &argument, &err), OB_USAGE);
    assert_int_equal(kind, OB_STRATEGY_STRESS);
    assert_int_equal(argument, 7);
    assert_string_equal(err.message, "unknown strategy \"exaustive\"");
    assert_string_equal(err.detail, "Known are random, round-robin, exhaustive, stress, "
                                    "permutations, bounded:N, pct:D, pos, urw, dpor, portfolio.");
    assert_string_equal(err.hint, "Did you mean \"exhaustive\"?");
    assert_int_equal(ob_strategy_parse("boundet:3", &kind, &argument, &err), OB_USAGE);
    assert_string_equal(err.hint, "Did you mean \"bounded\"?");
}

static void a_name_with_its_number_is_read_as_it_is_written(void **state)
{
    (void)state;
    static const char *const names[] = {"pct:1", "pct:16", "bounded:0", "bounded:1000", "urw"};
    struct ob_error err;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        enum ob_strategy_kind kind;
        unsigned argument;
        char name[OB_STRATEGY_NAME_SIZE];
        assert_int_equal(ob_strategy_parse(names[i], &kind, &argument, &err), OB_OK);
        ob_strategy_name(kind, argument, name);
        assert_string_equal(name, names[i]);
    }
}

static void a_number_that_is_none_is_refused_with_those_that_are(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message, *hint;
    } cases[] = {
        {"pct:0", "the strategy pct:D takes a whole number from 1 to 16, not \"0\"",
         "For example pct:2."},
        {"pct:17", "the strategy pct:D takes a whole number from 1 to 16, not \"17\"",
         "For example pct:2."},
        {"pct:", "the strategy pct:D takes a whole number from 1 to 16, not \"\"",
         "For example pct:2."},
        {"bounded:-1", "the strategy bounded:N takes a whole number from 0 to 1000, not \"-1\"",
         "For example bounded:2."},
        {"bounded:2:3", "the strategy bounded:N takes a whole number from 0 to 1000, not \"2:3\"",
         "For example bounded:2."},
        {"random:3", "the strategy random takes no number, and was given \"3\"",
         "Leave out what begins with the colon."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum ob_strategy_kind kind = OB_STRATEGY_STRESS;
        unsigned argument = 7;
        struct ob_error err;
        assert_int_equal(ob_strategy_parse(cases[i].text, &kind, &argument, &err), OB_USAGE);
        assert_string_equal(err.message, cases[i].message);
        assert_string_equal(err.hint, cases[i].hint);
        assert_int_equal(kind, OB_STRATEGY_STRESS);
        assert_int_equal(argument, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exhausting_takes_every_interleaving_once),
        cmocka_unit_test(exhausting_takes_every_way_of_every_fault_once),
        cmocka_unit_test(a_prefix_that_leads_elsewhere_is_no_exhaustion),
        cmocka_unit_test(a_random_run_is_a_matter_of_seed_and_number_only),
        cmocka_unit_test(a_run_made_again_is_chosen_the_same),
        cmocka_unit_test(the_same_seed_gives_the_same_runs),
        cmocka_unit_test(given_orders_come_first),
        cmocka_unit_test(permutations_are_the_given_orders_only),
        cmocka_unit_test(strategies_leave_the_clients_their_own_program),
        cmocka_unit_test(some_runs_have_many_faults_and_some_have_none),
        cmocka_unit_test(every_client_goes_first_as_often_by_lot),
        cmocka_unit_test(round_robin_takes_turns_from_each_client_once),
        cmocka_unit_test(strategies_are_known_by_their_words),
        cmocka_unit_test(a_name_with_its_number_is_read_as_it_is_written),
        cmocka_unit_test(a_number_that_is_none_is_refused_with_those_that_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
