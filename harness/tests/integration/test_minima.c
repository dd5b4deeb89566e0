/*
 * Shrinking comes to the smallest run that is known of each bug planted in the built-in scenarios
 * (their expect), whatever run it begins with.  By default one seed is tried, of one bug in
 * EVERY, by the hash of its name; OVERBOOK_MINIMA=N tries N seeds of every bug.
 */
#include "repro/shrink.h"

#include "live.h"
#include "racing.h"

#include "base/digest.h"
#include "base/parse.h"
#include "cli/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define EVERY 4

/* 0: not said. */
static uint64_t seeds_wanted(void)
{
    const char *given = getenv("OVERBOOK_MINIMA");
    int64_t count = 0;
    if (given && !ob_parse_i64(given, 1, 1000, &count))
        fail_msg("OVERBOOK_MINIMA is \"%s\", not a number from 1 to 1000", given);
    return (uint64_t)count;
}

/* The same ones each time, whatever other scenarios there are. */
static bool is_in_part(const struct ob_scenario *scenario, size_t variant)
{
    uint64_t hash = ob_hash_text(OB_HASH_START, scenario->name);
    return ob_hash_end(ob_hash_text(hash, scenario->variants[variant].name)) % EVERY == 0;
}

/* The finding of the invariant that the variant is expected to break. */
static const struct ob_finding *find(struct ob_racing *racing, uint64_t seed,
                                     struct ob_exploration *found)
{
    const struct ob_scenario *scenario = racing->scenario;
    const char *violates = scenario->variants[racing->variant].violates;
    const uint64_t runs = scenario->explore.runs;
    const struct ob_explore_options options = {.strategy = OB_STRATEGY_PORTFOLIO,
                                               .seed = seed,
                                               .runs_max = runs > 0 ? runs : OB_RUNS_DEFAULT,
                                               .budget_us = INT64_MAX,
                                               .until = violates};
    struct ob_error err;
    if (ob_explore(racing->rig, &options, found, &err) != OB_OK)
        fail_msg("%s: %s %s", scenario->name, err.message, err.detail);
    for (size_t i = 0; i < found->finding_count; i++)
        if (strcmp(scenario->invariants[found->findings[i].item].name, violates) == 0)
            return &found->findings[i];
    fail_msg("%s: seed %llu does not break %s", scenario->name, (unsigned long long)seed, violates);
    return NULL;
}

/* Nothing becomes more, so a run that has less of something cannot come to it. */
static bool can_come_to(const struct ob_run_size *from, const struct ob_smallest *known)
{
    return (size_t)known->clients <= from->clients && (size_t)known->faults <= from->faults &&
           (size_t)known->steps <= from->steps && (size_t)known->preemptions <= from->preemptions;
}

static void expect_known(const struct ob_racing *racing, uint64_t seed,
                         const struct ob_shrunk *shrunk)
{
    const struct ob_variant *variant = &racing->scenario->variants[racing->variant];
    const struct ob_smallest *known = &variant->smallest;
    const struct ob_run_size *size = &shrunk->size;
    bool same = (size_t)known->clients == size->clients && (size_t)known->faults == size->faults &&
                (size_t)known->steps == size->steps &&
                (size_t)known->preemptions == size->preemptions;
    if (shrunk->finding.replays_same != OB_REPLAYS)
        fail_msg("%s %s, seed %llu: %u of %d replays", racing->scenario->name, variant->name,
                 (unsigned long long)seed, shrunk->finding.replays_same, OB_REPLAYS);
    if (!same && can_come_to(&shrunk->from, known))
        fail_msg("%s %s, seed %llu: %zu clients, %zu faults, %zu steps, %zu preemptions",
                 racing->scenario->name, variant->name, (unsigned long long)seed, size->clients,
                 size->faults, size->steps, size->preemptions);
}

static void shrink_variant(const struct ob_scenario *scenario, size_t variant, uint64_t seeds)
{
    const struct ob_shrink_options options = {.runs_max = OB_SHRINK_RUNS, .budget_us = INT64_MAX};
    struct ob_racing racing;
    ob_racing_open(&racing, scenario, variant, NULL);
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct ob_exploration found;
        struct ob_shrunk shrunk;
        struct ob_error err;
        const struct ob_finding *finding = find(&racing, seed, &found);
        if (ob_shrink(racing.rig, &finding->schedule, finding->item, &options, &shrunk, &err) !=
            OB_OK)
            fail_msg("%s: %s %s", scenario->name, err.message, err.detail);
        expect_known(&racing, seed, &shrunk);
        ob_shrunk_clear(&shrunk);
        ob_exploration_clear(&found);
    }
    ob_racing_close(&racing);
}

static void of_each_planted_bug_the_minimum_is_known(void **state)
{
    (void)state;
    struct ob_scenario_list list;
    size_t planted = 0;
    ob_racing_builtin(&list);
    for (size_t i = 0; i < list.count; i++) {
        const struct ob_scenario *scenario = list.items[i];
        for (size_t k = 0; k < scenario->variant_count; k++) {
            const struct ob_variant *variant = &scenario->variants[k];
            planted += variant->violates != NULL;
            if (variant->violates && !variant->smallest.known)
                fail_msg("%s %s: \"expect\" does not tell the smallest run", scenario->name,
                         variant->name);
        }
    }
    assert_true(planted > 0);
    ob_scenario_list_clear(&list);
}

static void each_planted_bug_comes_to_its_known_minimum(void **state)
{
    (void)state;
    struct ob_scenario_list list;
    const uint64_t wanted = seeds_wanted();
    size_t planted = 0, tried = 0;
    ob_racing_builtin(&list);
    for (size_t i = 0; i < list.count; i++) {
        const struct ob_scenario *scenario = list.items[i];
        for (size_t variant = 0; variant < scenario->variant_count; variant++) {
            if (!scenario->variants[variant].violates)
                continue;
            planted++;
            if (wanted == 0 && !is_in_part(scenario, variant))
                continue;
            tried++;
            print_message("%s %s\n", scenario->name, scenario->variants[variant].name);
            shrink_variant(scenario, variant, wanted > 0 ? wanted : 1);
        }
    }
    assert_true(tried > 0);
    print_message("figure: %zu of %zu planted bugs made small\n", tried, planted);
    ob_scenario_list_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_each_planted_bug_the_minimum_is_known),
        cmocka_unit_test(each_planted_bug_comes_to_its_known_minimum),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
