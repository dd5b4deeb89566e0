/*
 * urw: where nothing blocks, each interleaving is as likely as any other.  Pearson's chi-square of
 * the runs from the second on, with a fixed seed, against the value that chance exceeds once in a
 * thousand times; choices by lot alone must exceed it.
 */
#include "explore/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/model/golden_model.h"
#include "tests/model/programs.h"

#define KINDS_MAX 100

/* How often each of the different schedules was run. */
struct tallies {
    uint64_t digests[KINDS_MAX];
    unsigned counts[KINDS_MAX];
    size_t kinds;
    unsigned runs;
};

static void count(struct tallies *tallies, uint64_t digest)
{
    size_t i = 0;
    while (i < tallies->kinds && tallies->digests[i] != digest)
        i++;
    assert_true(i < KINDS_MAX);
    tallies->kinds += i == tallies->kinds;
    tallies->digests[i] = digest;
    tallies->counts[i]++;
    tallies->runs++;
}

static double chi_square(const struct tallies *tallies, size_t kinds)
{
    double expected = (double)tallies->runs / (double)kinds;
    double sum = expected * (double)(kinds - tallies->kinds); /* those that never came */
    assert_true(tallies->kinds <= kinds);
    for (size_t i = 0; i < tallies->kinds; i++) {
        double difference = (double)tallies->counts[i] - expected;
        sum += difference * difference / expected;
    }
    return sum;
}

/* The text in base 4. */
static uint64_t digest_of(const struct ob_choices *choices)
{
    uint64_t digest = 1;
    for (size_t i = 0; i < choices->size; i++)
        digest = 4 * digest + (uint64_t)(choices->text[i] - '0');
    return digest;
}

static double deviation(const struct ob_programs *programs, enum ob_strategy_kind kind,
                        size_t kinds)
{
    struct tallies tallies = {.kinds = 0};
    struct ob_strategy *strategy = ob_strategy_new(kind, 3, programs->client_count);
    struct ob_chooser chooser = ob_strategy_chooser(strategy);
    for (uint64_t run = 0; run <= 50 * kinds; run++) {
        struct ob_choices choices;
        assert_true(ob_strategy_next(strategy, run));
        ob_programs_run(programs, &chooser, &choices);
        if (run > 0)
            count(&tallies, digest_of(&choices));
    }
    ob_strategy_free(strategy);
    return chi_square(&tallies, kinds);
}

static void every_interleaving_is_as_likely(void **state)
{
    (void)state;
    static const struct {
        struct ob_programs programs;
        size_t kinds;
        double limit; /* of kinds - 1 degrees of freedom */
    } cases[] = {
        {{2, {3, 3}, 0, 0, NULL}, 20, 43.8},
        {{2, {1, 6}, 0, 0, NULL}, 7, 22.5},
        {{3, {2, 2, 2}, 0, 0, NULL}, 90, 136.0},
        {{3, {3, 2, 1}, 0, 0, NULL}, 60, 98.3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(deviation(&cases[i].programs, OB_STRATEGY_URW, cases[i].kinds) <
                    cases[i].limit);
        assert_true(deviation(&cases[i].programs, OB_STRATEGY_RANDOM, cases[i].kinds) >
                    cases[i].limit);
    }
}

/* Nobody waits in this one, and its 70 schedules are those of two clients with four steps. */
static void so_it_is_on_the_engine(void **state)
{
    (void)state;
    const struct ob_golden *golden = &ob_goldens[OB_GOLDEN_DISJOINT];
    struct ob_golden_model model;
    struct ob_trace trace;
    struct tallies tallies = {.kinds = 0};
    ob_golden_model_open(&model, golden, 0);
    ob_trace_init(&trace);
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_URW, 3, 2);
    for (uint64_t run = 0; run <= 2100; run++) {
        uint64_t outcome;
        struct ob_error err;
        assert_true(ob_strategy_next(strategy, run));
        assert_int_equal(ob_golden_run(golden, 2, &model.place, ob_strategy_chooser(strategy),
                                       &trace, &outcome, &err),
                         OB_OK);
        if (run > 0)
            count(&tallies, ob_trace_digest(&trace));
    }
    ob_strategy_free(strategy);
    ob_trace_clear(&trace);
    assert_int_equal(ob_golden_model_close(&model), 0);
    assert_int_equal(tallies.kinds, 70);
    assert_true(chi_square(&tallies, 70) < 111.1);
}

/* Among the first runs of two strategies one is longer in one of them; which of those after it
 * differ.  What was learned is used from the next run on whose number is a power of two. */
static void compare(uint64_t longer_run, uint64_t used_from, unsigned *before, unsigned *after)
{
    struct ob_choices with, without;
    struct ob_programs usual = {2, {2, 2}, 0, 0, NULL}, longer = {2, {2, 9}, 0, 0, NULL};
    struct ob_strategy *a = ob_strategy_new(OB_STRATEGY_URW, 3, 2),
                       *b = ob_strategy_new(OB_STRATEGY_URW, 3, 2);
    struct ob_chooser choose_a = ob_strategy_chooser(a), choose_b = ob_strategy_chooser(b);
    *before = *after = 0;
    for (uint64_t run = 0; run < 128; run++) {
        assert_true(ob_strategy_next(a, run) && ob_strategy_next(b, run));
        ob_programs_run(run == longer_run ? &longer : &usual, &choose_a, &with);
        ob_programs_run(&usual, &choose_b, &without);
        *(run < used_from ? before : after) +=
            run != longer_run && strcmp(with.text, without.text) != 0;
    }
    ob_strategy_free(a);
    ob_strategy_free(b);
}

static void what_is_learned_waits_for_a_power_of_two(void **state)
{
    (void)state;
    unsigned before, after;
    compare(5, 8, &before, &after);
    assert_int_equal(before, 0);
    assert_true(after > 0);
}

/* So that a shard needs to make no more than the first runs to know what others go by. */
static void only_the_first_runs_are_learned_from(void **state)
{
    (void)state;
    unsigned before, after;
    compare(8, 8, &before, &after);
    assert_int_equal(before + after, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_interleaving_is_as_likely),
        cmocka_unit_test(so_it_is_on_the_engine),
        cmocka_unit_test(what_is_learned_waits_for_a_power_of_two),
        cmocka_unit_test(only_the_first_runs_are_learned_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
