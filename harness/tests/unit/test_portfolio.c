/* portfolio: its members are strategies like any other, and those that find something new go on. */
#include "explore/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/rng.h"
#include "explore/claim.h"
#include "tests/model/programs.h"

#define SEED 7

static struct ob_strategy *begin(size_t client_count)
{
    return ob_strategy_new(OB_STRATEGY_PORTFOLIO, SEED, client_count);
}

static void samples_are_the_runs_that_random_makes_by_itself(void **state)
{
    (void)state;
    static const struct ob_programs programs = {3, {5, 4, 6}, 1, 2, NULL};
    struct ob_strategy *portfolio = begin(3),
                       *random = ob_strategy_new(OB_STRATEGY_RANDOM, ob_rng_derive(SEED, 1),
                                                 3); /* the first */
    uint64_t samples = 0;
    for (uint64_t run = 0; run < 200; run++) {
        struct ob_choices ours, theirs;
        char name[OB_STRATEGY_NAME_SIZE];
        assert_true(ob_strategy_next(portfolio, run));
        ob_programs_explore(&programs, portfolio, &ours);
        ob_strategy_present(portfolio, name);
        assert_int_equal(ob_strategy_is_sample(portfolio), strcmp(name, "random") == 0);
        if (!ob_strategy_is_sample(portfolio))
            continue;
        assert_true(ob_strategy_next(random, samples++));
        ob_programs_explore(&programs, random, &theirs);
        assert_string_equal(ours.text, theirs.text);
    }
    assert_true(samples == 47);
    ob_strategy_free(portfolio);
    ob_strategy_free(random);
}

/* What ends needs no seed.  The first run of dpor is that of bounded too. */
static void each_enumeration_goes_on_where_it_was(enum ob_strategy_kind kind, const char *word,
                                                  bool shares)
{
    static const struct ob_programs programs = {3, {3, 3, 3}, 0, 0, NULL};
    struct ob_strategy *portfolio = begin(3), *alone = ob_strategy_new(kind, 1, 3);
    uint64_t count = 0;
    for (uint64_t run = 0; run < 200; run++) {
        struct ob_choices ours, theirs;
        char name[OB_STRATEGY_NAME_SIZE];
        assert_true(ob_strategy_next(portfolio, run));
        ob_programs_explore(&programs, portfolio, &ours);
        ob_strategy_present(portfolio, name);
        bool shared = shares && count == 0 && strcmp(name, "dpor") == 0;
        if (strcmp(name, word) != 0 && !shared)
            continue;
        assert_true(ob_strategy_next(alone, count++));
        ob_programs_explore(&programs, alone, &theirs);
        assert_string_equal(ours.text, theirs.text);
    }
    assert_true(count > 10);
    ob_strategy_free(portfolio);
    ob_strategy_free(alone);
}

static void the_enumerations_go_on_where_they_were(void **state)
{
    (void)state;
    each_enumeration_goes_on_where_it_was(OB_STRATEGY_BOUNDED, "bounded:2", true);
    each_enumeration_goes_on_where_it_was(OB_STRATEGY_DPOR, "dpor", false);
}

struct member {
    char name[OB_STRATEGY_NAME_SIZE];
    uint64_t runs;
};

#define MEMBERS_MAX 8

/* How often each had its turn of so many runs, of which only those of one showed something new. */
static size_t count_turns(const char *lucky, uint64_t run_count, struct member members[MEMBERS_MAX])
{
    static const struct ob_programs programs = {2, {8, 8}, 0, 0, NULL};
    struct ob_strategy *portfolio = begin(2);
    struct ob_chooser chooser = ob_strategy_chooser(portfolio);
    struct ob_choices choices;
    struct ob_trace trace;
    size_t count = 0;
    ob_trace_init(&trace);
    ob_trace_add_step(&trace);
    for (uint64_t run = 0; run < run_count; run++) {
        char name[OB_STRATEGY_NAME_SIZE];
        size_t i = 0;
        assert_true(ob_strategy_next(portfolio, run));
        ob_strategy_present(portfolio, name);
        while (i < count && strcmp(members[i].name, name) != 0)
            i++;
        if (i == count) {
            assert_true(count < MEMBERS_MAX);
            members[count] = (struct member){.runs = 0};
            memcpy(members[count++].name, name, sizeof name);
        }
        members[i].runs++;
        ob_programs_run(&programs, &chooser, &choices);
        trace.steps[0] = (struct ob_step){
            .text = "", .params = "", .text_hash = strcmp(name, lucky) == 0 ? run + 1 : 0};
        ob_strategy_learn(portfolio, &trace);
    }
    ob_trace_clear(&trace);
    ob_strategy_free(portfolio);
    return count;
}

static void who_finds_something_new_goes_on_and_nobody_stops(void **state)
{
    (void)state;
    static const char *const names[] = {"pct:3", "urw", "pos"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct member members[MEMBERS_MAX] = {0};
        size_t count = count_turns(names[i], 400, members);
        uint64_t lucky = 0;
        for (size_t k = 0; k < count; k++) {
            assert_true(members[k].runs >= 5);
            lucky += strcmp(members[k].name, names[i]) == 0 ? members[k].runs : 0;
        }
        for (size_t k = 0; k < count; k++)
            if (strcmp(members[k].name, names[i]) != 0 && strcmp(members[k].name, "random") != 0)
                assert_true(lucky > 4 * members[k].runs);
    }
}

/* The very first run is new, whoever makes it. */
static void where_nobody_is_luckier_all_have_about_as_many(void **state)
{
    (void)state;
    struct member members[MEMBERS_MAX] = {0};
    size_t count = count_turns("nobody", 400, members);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            if (strcmp(members[i].name, "random") != 0 && strcmp(members[k].name, "random") != 0)
                assert_true(2 * members[i].runs <= 3 * members[k].runs);
}

/* How many runs it has, at the most. */
static uint64_t explore(const struct ob_programs *programs, struct ob_strategy *portfolio,
                        uint64_t runs_max)
{
    uint64_t run = 0;
    for (; run < runs_max && ob_strategy_next(portfolio, run); run++) {
        struct ob_choices choices;
        ob_programs_explore(programs, portfolio, &choices);
    }
    return run;
}

/* Two preemptions are all there can be of two and two steps. */
static void it_ends_when_its_enumeration_has_tried_all(void **state)
{
    (void)state;
    static const struct ob_programs programs = {2, {2, 2}, 0, 0, NULL};
    struct ob_strategy *portfolio = begin(2);
    uint64_t runs = explore(&programs, portfolio, 500);
    assert_true(runs > 6 && runs < 100);
    assert_true(ob_strategy_exhausted(portfolio));
    ob_strategy_free(portfolio);
}

static void it_goes_on_when_there_are_more_preemptions(void **state)
{
    (void)state;
    static const struct ob_programs programs = {2, {7, 7}, 0, 0, NULL};
    struct ob_strategy *portfolio = begin(2);
    assert_int_equal(explore(&programs, portfolio, 1500), 1500);
    assert_false(ob_strategy_exhausted(portfolio));
    assert_true(ob_strategy_within_bound(portfolio));
    assert_int_equal(ob_strategy_bound(portfolio), OB_PORTFOLIO_BOUND);
    assert_false(ob_strategy_changed(portfolio));
    ob_strategy_free(portfolio);
}

/* Of one who enumerates the runs from the third on lead elsewhere. */
static void no_proof_after_a_change(const char *word)
{
    struct ob_programs programs = {2, {3, 3}, 0, 0, NULL};
    struct ob_strategy *portfolio = begin(2);
    uint64_t enumerated = 0;
    for (uint64_t run = 0; run < 300 && ob_strategy_next(portfolio, run); run++) {
        struct ob_choices choices;
        char name[OB_STRATEGY_NAME_SIZE];
        ob_strategy_present(portfolio, name);
        bool enumerates = strcmp(name, word) == 0;
        programs.steps[1] = enumerates && enumerated++ >= 2 ? 1 : 3;
        ob_programs_explore(&programs, portfolio, &choices);
    }
    assert_true(ob_strategy_changed(portfolio));
    assert_false(ob_strategy_exhausted(portfolio));
    ob_strategy_free(portfolio);
}

static void what_leads_elsewhere_is_no_proof(void **state)
{
    (void)state;
    no_proof_after_a_change("bounded:2");
    no_proof_after_a_change("dpor");
}

/* Two clients and 8 steps: 72 runs of pct:2.  In one of dpor's something leads elsewhere, so that
 * it does not end the whole. */
static void what_pct_promises_is_kept_by_its_own_runs(void **state)
{
    (void)state;
    struct ob_programs programs = {2, {4, 4}, 0, 0, NULL};
    struct ob_strategy *portfolio = begin(2);
    struct ob_strategy_promise promise;
    uint64_t reduced = 0;
    ob_strategy_set_steps_max(portfolio, 8);
    for (uint64_t run = 0; run < 4000; run++) {
        struct ob_choices choices;
        char name[OB_STRATEGY_NAME_SIZE];
        assert_true(ob_strategy_next(portfolio, run));
        ob_strategy_present(portfolio, name);
        programs.steps[1] = strcmp(name, "dpor") == 0 && ++reduced == 3 ? 1 : 4;
        ob_programs_explore(&programs, portfolio, &choices);
        assert_true(ob_strategy_promise(portfolio, run + 1, &promise));
        if (run == 79)
            assert_false(ob_claim_confident(&promise));
    }
    assert_true(ob_claim_confident(&promise));
    assert_true(promise.runs > 72 && promise.runs < 3000);
    ob_strategy_free(portfolio);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_the_runs_that_random_makes_by_itself),
        cmocka_unit_test(the_enumerations_go_on_where_they_were),
        cmocka_unit_test(who_finds_something_new_goes_on_and_nobody_stops),
        cmocka_unit_test(where_nobody_is_luckier_all_have_about_as_many),
        cmocka_unit_test(it_ends_when_its_enumeration_has_tried_all),
        cmocka_unit_test(it_goes_on_when_there_are_more_preemptions),
        cmocka_unit_test(what_leads_elsewhere_is_no_proof),
        cmocka_unit_test(what_pct_promises_is_kept_by_its_own_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
