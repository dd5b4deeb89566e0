/* The same schedule gives the same trace, byte for byte: random schedules of every built-in
 * scenario, each written as a token and replayed twice from that.
 *
 * OVERBOOK_TOKENS=N makes N of them. */
#include "live.h"
#include "racing.h"

#include "base/alloc.h"
#include "base/parse.h"
#include "repro/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TOKENS 300
#define REPLAYS 2
#define SEED 2026

struct counts {
    size_t tokens, with_faults, of_three, stuck, replays, identical, uncontrolled;
};

/* The token of the run that was just made; the caller's to free. */
static char *token_of(const struct ob_racing *racing)
{
    const struct ob_trace *trace = &racing->trace;
    uint64_t *digests = ob_alloc((trace->step_count + 1) * sizeof *digests);
    for (size_t i = 0; i < trace->step_count; i++)
        digests[i] = ob_trace_step_digest(trace, i);
    struct ob_token token = {.variant = (uint8_t)racing->variant};
    ob_token_record(&token, &trace->schedule, digests);
    char *word = ob_token_encode(&token);
    ob_token_clear(&token);
    free(digests);
    return word;
}

static bool is_the_same(struct ob_racing *racing, const char *word, const char *recorded,
                        uint64_t outcome)
{
    struct ob_token token;
    struct ob_replay replay = {0};
    struct ob_error err;
    struct ob_buf text;
    if (ob_token_decode(word, &token, &err) != OB_OK ||
        ob_replay_run(racing->rig, &token, false, &replay, &err) != OB_OK)
        fail_msg("%s: %s %s", word, err.message, err.detail);
    ob_buf_init(&text, 1 << 20);
    ob_trace_print(&replay.trace, racing->rig->client_names, true, &text);
    bool same = !replay.diverged && strcmp(text.data, recorded) == 0 &&
                replay.outcome.outcome == outcome && replay.trace.uncontrolled == 0;
    if (!same)
        print_error("%s, %s: a replay differs (%s)\nrecorded:\n%s\nreplayed:\n%s",
                    racing->scenario->name, racing->scenario->variants[racing->variant].name,
                    replay.why, recorded, text.data);
    ob_buf_clear(&text);
    ob_replay_clear(&replay);
    ob_token_clear(&token);
    return same;
}

/* Replays the run that was just made. */
static void replay_twice(struct ob_racing *racing, struct counts *counts)
{
    char *word = token_of(racing), *recorded = ob_strdup(ob_racing_text(racing, true));
    uint64_t outcome = racing->outcome.outcome;
    counts->tokens++;
    counts->with_faults += racing->trace.schedule.fault_count > 0;
    counts->of_three += racing->rig->spec.client_count >= 3;
    counts->uncontrolled += racing->trace.uncontrolled > 0;
    for (int i = 0; i < REPLAYS; i++, counts->replays++)
        counts->identical += is_the_same(racing, word, recorded, outcome);
    free(recorded);
    free(word);
}

static void race(const struct ob_scenario *scenario, size_t variant, uint64_t runs,
                 struct counts *counts)
{
    struct ob_racing racing;
    ob_racing_open(&racing, scenario, variant, NULL);
    struct ob_strategy *strategy =
        ob_strategy_new(OB_STRATEGY_RANDOM, SEED, racing.rig->spec.client_count);
    for (uint64_t run = 0; run < runs; run++) {
        assert_true(ob_strategy_next(strategy, run));
        struct ob_chooser chooser = ob_strategy_chooser(strategy);
        ob_racing_run(&racing, &chooser);
        if (racing.trace.end != OB_RUN_FINISHED && racing.trace.end != OB_RUN_STUCK)
            fail_msg("%s, %s: %s", scenario->name, scenario->variants[variant].name,
                     ob_run_end_text(racing.trace.end));
        counts->stuck += racing.trace.end == OB_RUN_STUCK;
        replay_twice(&racing, counts);
    }
    ob_strategy_free(strategy);
    ob_racing_close(&racing);
}

static uint64_t wanted(void)
{
    const char *given = getenv("OVERBOOK_TOKENS");
    uint64_t count = ob_racing_part(TOKENS);
    if (given && !ob_parse_u64(given, 1, 1000000, &count))
        fail_msg("OVERBOOK_TOKENS is no number: %s", given);
    return count;
}

static void replays_are_identical_to_the_byte(void **state)
{
    (void)state;
    struct ob_scenario_list list;
    struct counts counts = {0};
    ob_racing_builtin(&list);
    size_t variants = 0, seen = 0;
    for (size_t i = 0; i < list.count; i++)
        variants += list.items[i]->variant_count;
    uint64_t total = wanted();
    for (size_t i = 0; i < list.count; i++) {
        for (size_t v = 0; v < list.items[i]->variant_count; v++, seen++) {
            uint64_t runs = total * (seen + 1) / variants - total * seen / variants;
            if (runs > 0)
                race(list.items[i], v, runs, &counts);
        }
    }
    print_message("figure: %zu tokens, %zu of three clients or more, %zu with a fault, %zu in "
                  "which all wait, %zu replays, "
                  "%zu identical, %zu tokens with something uncontrolled\n",
                  counts.tokens, counts.of_three, counts.with_faults, counts.stuck, counts.replays,
                  counts.identical, counts.uncontrolled);
    assert_int_equal(counts.tokens, total);
    assert_int_equal(counts.identical, counts.replays);
    assert_int_equal(counts.uncontrolled, 0);
    ob_scenario_list_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replays_are_identical_to_the_byte),
    };
    return cmocka_run_group_tests_name("determinism", tests, ob_live_start, ob_live_stop);
}
