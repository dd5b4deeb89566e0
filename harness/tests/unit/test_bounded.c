/* bounded:N, on programs that never block and on those of the model. */
#include "explore/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/model/golden_model.h"
#include "tests/model/programs.h"

#define RUNS_MAX 40000
#define LARGE 1000

struct search {
    struct ob_strategy *strategy;
    struct ob_chooser chooser;
    uint64_t runs;
};

static void begin(struct search *search, enum ob_strategy_kind kind, unsigned argument,
                  size_t client_count)
{
    *search = (struct search){.strategy = ob_strategy_new(kind, 0, client_count)};
    ob_strategy_set_argument(search->strategy, argument);
    search->chooser = ob_strategy_chooser(search->strategy);
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

struct count {
    uint64_t runs;
    bool within_bound, exhausted;
};

/* How many runs there are; each must be another one, within the bound, and those of fewer
 * preemptions come first. */
static struct count count(const struct ob_programs *programs, unsigned bound)
{
    static char texts[RUNS_MAX][8 * OB_PROGRAMS_STEPS_MAX];
    struct search search;
    unsigned before = 0;
    begin(&search, OB_STRATEGY_BOUNDED, bound, programs->client_count);
    while (ob_strategy_next(search.strategy, search.runs)) {
        struct ob_choices choices;
        assert_false(ob_strategy_within_bound(search.strategy));
        ob_programs_run(programs, &search.chooser, &choices);
        assert_true(choices.preemptions <= bound);
        assert_true(choices.preemptions >= before);
        before = choices.preemptions;
        assert_true(search.runs < RUNS_MAX);
        memcpy(texts[search.runs++], choices.text, sizeof choices.text);
    }
    struct count count = {.runs = search.runs,
                          .within_bound = ob_strategy_within_bound(search.strategy),
                          .exhausted = ob_strategy_exhausted(search.strategy)};
    ob_strategy_free(search.strategy);
    qsort(texts, count.runs, sizeof *texts, compare);
    for (uint64_t i = 1; i < count.runs; i++)
        assert_string_not_equal(texts[i - 1], texts[i]);
    return count;
}

/* Of two clients with four steps: nobody is preempted in 2; in 3 + 3 one is, after its first,
 * second or third step, whereupon the other one does all; and so on. */
static void the_runs_within_a_bound_are_as_many_as_by_hand(void **state)
{
    (void)state;
    static const struct ob_programs fours = {2, {4, 4}, 0, 0, NULL}, twos = {2, {2, 2}, 0, 0, NULL},
                                    three = {3, {2, 2, 2}, 0, 0, NULL};
    static const struct {
        const struct ob_programs *programs;
        uint64_t bound, runs;
        bool exhausted;
    } cases[] = {
        {&fours, 0, 2, false},  {&fours, 1, 8, false},  {&fours, 2, 26, false},
        {&fours, 3, 44, false}, {&fours, 4, 62, false}, {&fours, 5, 68, false},
        {&fours, 6, 70, true},  {&twos, 0, 2, false},   {&twos, 1, 4, false},
        {&twos, 2, 6, true},    {&three, 0, 6, false},  {&three, 1, 24, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct count found = count(cases[i].programs, (unsigned)cases[i].bound);
        assert_int_equal(found.runs, cases[i].runs);
        assert_true(found.within_bound);
        assert_int_equal(found.exhausted, cases[i].exhausted);
    }
}

/* How many of all schedules have so many preemptions at the most. */
static uint64_t count_all(const struct ob_programs *programs, unsigned bound)
{
    struct search search;
    uint64_t found = 0;
    begin(&search, OB_STRATEGY_EXHAUSTIVE, 0, programs->client_count);
    while (ob_strategy_next(search.strategy, search.runs++)) {
        struct ob_choices choices;
        ob_programs_run(programs, &search.chooser, &choices);
        found += choices.preemptions <= bound;
    }
    assert_true(ob_strategy_exhausted(search.strategy));
    ob_strategy_free(search.strategy);
    return found;
}

static void a_bound_takes_just_those_of_all_schedules_that_are_within_it(void **state)
{
    (void)state;
    static const struct ob_programs cases[] = {
        {1, {5}, 0, 0, NULL},       {2, {1, 6}, 0, 0, NULL}, {3, {2, 3, 1}, 0, 0, NULL},
        {1, {3}, 1, 1, NULL},       {2, {2, 2}, 1, 2, NULL}, {3, {1, 1, 2}, 2, 1, NULL},
        {3, {3, 3, 2}, 0, 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned bound = 0; bound < 4; bound++)
            assert_int_equal(count(&cases[i], bound).runs, count_all(&cases[i], bound));
        struct count all = count(&cases[i], LARGE);
        assert_int_equal(all.runs, count_all(&cases[i], LARGE));
        assert_true(all.exhausted);
    }
}

static void what_leads_elsewhere_is_no_proof(void **state)
{
    (void)state;
    struct ob_programs programs = {2, {2, 2}, 0, 0, NULL};
    struct search search;
    begin(&search, OB_STRATEGY_BOUNDED, 2, 2);
    while (ob_strategy_next(search.strategy, search.runs)) {
        struct ob_choices choices;
        programs.steps[1] =
            search.runs++ == 4 ? 1 : 2; /* where the fifth run branches off is no more */
        ob_programs_run(&programs, &search.chooser, &choices);
        assert_true(search.runs < 20);
    }
    assert_true(ob_strategy_changed(search.strategy));
    assert_false(ob_strategy_within_bound(search.strategy));
    assert_false(ob_strategy_exhausted(search.strategy));
    ob_strategy_free(search.strategy);
}

static void a_run_that_ends_before_its_path_is_no_proof(void **state)
{
    (void)state;
    struct ob_programs programs = {1, {3}, 1, 1, NULL};
    struct search search;
    begin(&search, OB_STRATEGY_BOUNDED, 2, 1);
    while (ob_strategy_next(search.strategy, search.runs)) {
        struct ob_choices choices;
        programs.steps[0] =
            search.runs++ == 1 ? 2 : 3; /* the second run, which only adds a fault */
        ob_programs_run(&programs, &search.chooser, &choices);
        assert_true(search.runs < 20);
    }
    assert_true(ob_strategy_changed(search.strategy));
    assert_false(ob_strategy_within_bound(search.strategy));
    ob_strategy_free(search.strategy);
}

static struct ob_golden_count search_golden(size_t program, size_t client_count, unsigned bound,
                                            bool *exhausted)
{
    const struct ob_golden *golden = &ob_goldens[program];
    struct ob_golden_model model;
    struct ob_golden_count found;
    struct ob_error err;
    struct search search;
    ob_golden_model_open(&model, golden, 0);
    begin(&search, OB_STRATEGY_BOUNDED, bound, client_count);
    if (ob_golden_search(golden, client_count, &model.place, search.strategy, &found, &err) !=
        OB_OK)
        fail_msg("%s: %s", golden->name, err.message);
    assert_true(ob_strategy_within_bound(search.strategy));
    *exhausted = ob_strategy_exhausted(search.strategy);
    ob_strategy_free(search.strategy);
    assert_int_equal(ob_golden_model_close(&model), 0);
    return found;
}

static void a_large_bound_is_exhaustive_where_clients_block_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < OB_GOLDEN_COUNT; i++) {
        bool exhausted;
        struct ob_golden_count found = search_golden(i, 2, LARGE, &exhausted);
        assert_true(exhausted);
        assert_int_equal(found.schedules, ob_goldens[i].schedules[0]);
        assert_int_equal(found.outcomes, ob_goldens[i].outcomes[0]);
    }
}

/* Without a preemption nobody books twice and nobody waits; one is enough for both to look before
 * either inserts.  A client that must wait is not preempted: AB/BA needs one for its deadlock. */
static void one_preemption_shows_what_none_does(void **state)
{
    (void)state;
    static const struct {
        size_t program;
        uint64_t none, one;
    } cases[] = {
        {OB_GOLDEN_CHECK_THEN_INSERT, 2, 3},
        {OB_GOLDEN_LOST_UPDATE, 2, 3},
        {OB_GOLDEN_DEADLOCK, 1, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool exhausted;
        assert_int_equal(search_golden(cases[i].program, 2, 0, &exhausted).outcomes, cases[i].none);
        assert_false(exhausted);
        assert_int_equal(search_golden(cases[i].program, 2, 1, &exhausted).outcomes, cases[i].one);
    }
}

static void the_latest_preemptions_come_first(void **state)
{
    (void)state;
    static const struct ob_programs programs = {2, {3, 3}, 0, 0, NULL};
    static const char *const texts[] = {"000111", "111000", "001110", "011100", "110001", "100011"};
    struct search search;
    begin(&search, OB_STRATEGY_BOUNDED, 1, 2);
    for (; search.runs < sizeof texts / sizeof *texts; search.runs++) {
        struct ob_choices choices;
        assert_true(ob_strategy_next(search.strategy, search.runs));
        ob_programs_run(&programs, &search.chooser, &choices);
        assert_string_equal(choices.text, texts[search.runs]);
    }
    assert_false(ob_strategy_next(search.strategy, search.runs));
    ob_strategy_free(search.strategy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_runs_within_a_bound_are_as_many_as_by_hand),
        cmocka_unit_test(a_bound_takes_just_those_of_all_schedules_that_are_within_it),
        cmocka_unit_test(what_leads_elsewhere_is_no_proof),
        cmocka_unit_test(a_run_that_ends_before_its_path_is_no_proof),
        cmocka_unit_test(a_large_bound_is_exhaustive_where_clients_block_too),
        cmocka_unit_test(one_preemption_shows_what_none_does),
        cmocka_unit_test(the_latest_preemptions_come_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
