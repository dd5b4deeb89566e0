#include "cli/judge.h"

#include "base/buf.h"
#include "base/digest.h"
#include "cli/violation.h"
#include "explore/claim.h"
#include "scenario/vocabulary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define OB_STATEMENT_SHOWN 60 /* bytes */

static const char *hash_text(struct ob_arena *arena, const uint8_t *hash, size_t size)
{
    struct ob_buf text;
    ob_buf_init(&text, 2 * size);
    for (size_t i = 0; i < size; i++)
        ob_buf_printf(&text, "%02x", hash[i]);
    const char *kept = ob_arena_strdup(arena, text.data);
    ob_buf_clear(&text);
    return kept;
}
static const char changed_text[] =
    "the same choices did not lead to the same answers again: something outlives a run, or the "
    "answers depend on time or chance";

struct ob_report_result *ob_judge_begin(struct ob_report *report,
                                        const struct ob_scenario *scenario, size_t variant)
{
    struct ob_report_result *result = ob_report_add(report);
    struct ob_arena *arena = &report->arena;
    const char *violates = scenario->variants[variant].violates;
    result->scenario = ob_arena_strdup(arena, scenario->name);
    result->file = ob_arena_strdup(arena, scenario->file);
    result->about = ob_arena_strdup(arena, scenario->about);
    result->variant = ob_arena_strdup(arena, scenario->variants[variant].name);
    result->hash = hash_text(arena, scenario->hash, sizeof scenario->hash);
    result->target = ob_target_words[scenario->target];
    result->expected = scenario->variants[variant].any ? OB_EXPECTED_ANY
                       : violates ? ob_arena_printf(arena, "violates %s", violates)
                                  : "holds";
    result->strategy = "";
    result->claim = "";
    result->reason = "";
    return result;
}

/* The finding that was expected, or NULL. */
static const struct ob_finding *expected_finding(const struct ob_judge_case *judged)
{
    const struct ob_scenario *scenario = judged->scenario;
    const char *violates = scenario->variants[judged->variant].violates;
    for (size_t i = 0; violates && i < judged->exploration->finding_count; i++) {
        const struct ob_finding *finding = &judged->exploration->findings[i];
        if (strcmp(scenario->invariants[finding->item].name, violates) == 0)
            return finding;
    }
    return NULL;
}

/* The expected one first, then what else its run broke, then the others as they were found. */
static void fill_violations(struct ob_report *report, struct ob_report_result *result,
                            const struct ob_judge_case *judged)
{
    const struct ob_exploration *exploration = judged->exploration;
    const struct ob_finding *expected = expected_finding(judged);
    size_t count = exploration->finding_count, filled = 0;
    result->violation_count = count;
    result->violations = ob_arena_alloc(&report->arena, count * sizeof *result->violations);
    for (int rank = 0; rank < 3; rank++) {
        for (size_t i = 0; i < count; i++) {
            const struct ob_finding *finding = &exploration->findings[i];
            bool is_expected = expected && finding == expected;
            bool same_run = expected && finding->run == expected->run;
            if (rank != (is_expected ? 0 : same_run ? 1 : 2))
                continue;
            ob_violation_add(report, result, filled++, judged, i);
        }
    }
}

/* The first finding whose replays went another way, or NULL. */
static const struct ob_finding *diverged(const struct ob_exploration *exploration)
{
    for (size_t i = 0; i < exploration->finding_count; i++)
        if (exploration->findings[i].replays_same < exploration->findings[i].replays)
            return &exploration->findings[i];
    return NULL;
}

bool ob_judge_confirmed(const struct ob_report_result *result, const char *invariant)
{
    for (size_t i = 0; i < result->violation_count; i++) {
        const struct ob_report_violation *violation = &result->violations[i];
        if ((!invariant || strcmp(violation->invariant, invariant) == 0) &&
            violation->replays_same == violation->replays)
            return true;
    }
    return false;
}

/* How many of the given orders could not be followed, and why the first one could not. */
static const char *passed_over(struct ob_arena *arena, const struct ob_exploration *exploration)
{
    return ob_arena_printf(arena,
                           "%" PRIu64 " of %" PRIu64 " runs could not go on as their permutation "
                           "says: %s",
                           exploration->passed_over, exploration->runs,
                           exploration->passed_over_why);
}

/* Whether some of what was to be run was not: of orders that somebody wrote down any, of others
 * all.
 */
static bool lacks_orders(const struct ob_judge_case *judged)
{
    uint64_t count = judged->exploration->passed_over;
    bool all = count == judged->exploration->runs && !judged->is_part;
    return count > 0 && (judged->rig->orders.listed || all);
}

/* Why nothing follows from not having found a violation; NULL when it does. */
static const char *doubt(struct ob_arena *arena, const struct ob_judge_case *judged)
{
    const struct ob_exploration *exploration = judged->exploration;
    const struct ob_finding *flaky = diverged(exploration);
    if (flaky)
        return ob_arena_printf(
            arena, "a violation was seen, but only %u of %u replays were the same%s: %s",
            flaky->replays_same, flaky->replays,
            flaky->uncontrolled
                ? " (the server chose which waiter went on, or when a wait timed out)"
                : "",
            flaky->divergence);
    if (exploration->inconclusive != OB_RUN_FINISHED)
        return ob_arena_printf(arena, "run %" PRIu64 ": %s: %s", exploration->last_run,
                               ob_run_end_text(exploration->inconclusive), exploration->reason);
    if (exploration->stopped)
        return "interrupted";
    if (exploration->runs == 0 && !(judged->is_part && exploration->complete))
        return "the time was over before the first run";
    if (exploration->changed && !exploration->sampled)
        return changed_text;
    if (lacks_orders(judged))
        return passed_over(arena, exploration);
    if (judged->require_exhausted && exploration->within_bound && !exploration->exhausted)
        return "not exhausted: schedules of more preemptions were left out";
    if (judged->require_exhausted && !exploration->exhausted)
        return exploration->uncontrolled_runs > 0
                   ? "not exhausted: the server chose which of several waiters went on, or when a "
                     "wait timed out"
                   : "not exhausted: the runs or the time were over before";
    return NULL;
}

/* The client's statement and how it failed, in one sentence; the text shortened. */
static const char *failure_of(struct ob_arena *arena, const struct ob_judge_case *judged,
                              const struct ob_statement *statement)
{
    const char *often = "each time";
    if (statement->done > 0)
        often = ob_arena_printf(arena, "%" PRIu64 " of %" PRIu64 " times", statement->wrong,
                                statement->wrong + statement->done);
    struct ob_buf text;
    ob_buf_init(&text, 256);
    ob_buf_put_line(&text, statement->text, OB_STATEMENT_SHOWN);
    const char *sentence = ob_arena_printf(arena, "client %s: \"%s\" failed %s: %s: %s",
                                           judged->rig->client_names[statement->client], text.data,
                                           often, statement->sqlstate, statement->message);
    ob_buf_clear(&text);
    return sentence;
}

/* Whether a run can come to that size: nothing in it becomes more when it is made small. */
static bool can_come_to(const struct ob_report_violation *from, const struct ob_smallest *size)
{
    return (size_t)size->clients <= from->clients && (size_t)size->faults <= from->faults &&
           (size_t)size->steps <= from->steps && (size_t)size->preemptions <= from->preemptions;
}

static bool is_of_size(const struct ob_report_shrunk *shrunk, const struct ob_smallest *size)
{
    return (size_t)size->clients == shrunk->clients && (size_t)size->faults == shrunk->faults &&
           (size_t)size->steps == shrunk->steps && (size_t)size->preemptions == shrunk->preemptions;
}

/* What is to be said where the smallest run is not of the size that the scenario tells; else NULL.
 */
static const char *other_size(struct ob_arena *arena, const struct ob_report_result *result,
                              const struct ob_judge_case *judged)
{
    const struct ob_smallest *known = &judged->scenario->variants[judged->variant].smallest;
    const struct ob_report_violation *violation =
        result->violation_count > 0 ? &result->violations[0] : NULL;
    const struct ob_report_shrunk *shrunk = violation ? violation->shrunk : NULL;
    if (!known->known || !shrunk || !shrunk->complete || !expected_finding(judged) ||
        !can_come_to(violation, known) || is_of_size(shrunk, known))
        return NULL;
    return ob_arena_printf(arena,
                           "the smallest run is said to have %" PRId64 " clients, %" PRId64
                           " faults, %" PRId64 " steps and %" PRId64
                           " preemptions; the smallest found has %zu, %zu, %zu and %zu",
                           known->clients, known->faults, known->steps, known->preemptions,
                           shrunk->clients, shrunk->faults, shrunk->steps, shrunk->preemptions);
}

/* Orders that were passed over; choices that lead elsewhere, where not everything rests on them;
 * statements that the server does not even accept, some of the time;
 * and others that are wrong in themselves, each time.  A statement that is never accepted is an
 * error where nothing else decides: it has taken no part in the race; but of the reference, whose
 * code knows what to do on a schema without the flag.  *error is the first of these, if any. */
static void fill_warnings(struct ob_report *report, struct ob_report_result *result,
                          const struct ob_judge_case *judged, bool decided, const char **error)
{
    const struct ob_statements *statements = &judged->exploration->statements;
    bool answers_for_it = judged->scenario->target == OB_TARGET_REFERENCE;
    const char **warnings =
        ob_arena_alloc(&report->arena, (statements->count + 3) * sizeof *warnings);
    for (size_t i = 0; i < statements->count; i++) {
        const struct ob_statement *statement = &statements->items[i];
        bool unaccepted = ob_statement_unaccepted(statement);
        if (statement->wrong == 0 || (statement->done > 0 && !unaccepted))
            continue;
        const char *text = failure_of(&report->arena, judged, statement);
        if (!*error && !decided && unaccepted && statement->done == 0 && !answers_for_it)
            *error = text;
        else
            warnings[result->warning_count++] = text;
    }
    if (judged->exploration->passed_over > 0 && (decided || !lacks_orders(judged)))
        warnings[result->warning_count++] = passed_over(&report->arena, judged->exploration);
    if (judged->exploration->changed && judged->exploration->sampled)
        warnings[result->warning_count++] = changed_text;
    const char *size = other_size(&report->arena, result, judged);
    if (size)
        warnings[result->warning_count++] = size;
    result->warnings = warnings;
}

/* What may find a violation that was not found; "" where nothing can. */
static const char *cure(struct ob_arena *arena, const struct ob_report_result *result,
                        bool within_bound)
{
    uint64_t more = result->runs < 100 ? 1000 : 10 * result->runs;
    if (result->exhausted)
        return "";
    if (within_bound && !result->sampled)
        return ": try a higher bound or --strategy exhaustive";
    if (strcmp(result->strategy, ob_strategy_word(OB_STRATEGY_ROUND_ROBIN)) == 0)
        return ": try --strategy random";
    if (result->reduced || strcmp(result->strategy, ob_strategy_word(OB_STRATEGY_EXHAUSTIVE)) == 0)
        return ob_arena_printf(arena, ": try --runs %" PRIu64, more);
    return ob_arena_printf(arena, ": try --runs %" PRIu64 " or --strategy exhaustive", more);
}

const char *ob_judge_unexpected(struct ob_arena *arena, const struct ob_report_result *result,
                                const char *violates, bool within_bound)
{
    const char *first = result->violation_count > 0 ? result->violations[0].invariant : NULL;
    if (!violates)
        return ob_arena_printf(arena, "expected to hold, but %s was broken", first);
    if (first)
        return ob_arena_printf(arena, "%s was broken, but %s should be", first, violates);
    return ob_arena_printf(arena, "%s should be broken, and was not in %" PRIu64 " run%s%s",
                           violates, result->runs, result->runs == 1 ? "" : "s",
                           cure(arena, result, within_bound));
}

const char *ob_judge_whole_claim(const struct ob_report_result *result, bool footprints)
{
    if (!result->reduced || !result->exhausted)
        return "";
    return footprints ? "every order of steps that can matter to each other was run"
                      : "every order of steps that can matter to each other was run, and any two "
                        "statements can, as the server has no probe";
}

const char *ob_judge_bound_claim(struct ob_arena *arena, const struct ob_report_result *result,
                                 bool within_bound, unsigned bound)
{
    if (!within_bound || result->exhausted)
        return "";
    return ob_arena_printf(arena, "every schedule of at most %u preemption%s was run", bound,
                           bound == 1 ? "" : "s");
}

/* What follows from runs that found nothing; "" where nothing does.  A deadlock's victim that the
 * server draws is no run's own choice, so no probability is claimed then. */
static const char *claim_of(struct ob_report *report, const struct ob_report_result *result,
                            const struct ob_judge_case *judged)
{
    const struct ob_exploration *exploration = judged->exploration;
    struct ob_arena *arena = &report->arena;
    const char *whole = ob_judge_whole_claim(result, report->controlled_footprints);
    if (whole[0] != '\0')
        return whole;
    const char *bound = ob_judge_bound_claim(arena, result, exploration->within_bound,
                                             exploration->bound),
               *promise = "";
    if (exploration->promised && !exploration->exhausted && report->controlled_deadlock &&
        ob_claim_confident(&exploration->promise))
        promise = ob_arena_printf(arena, "no bug of depth %u%s: %d %%", exploration->promise.depth,
                                  judged->rig->spec.fault_budget > 0 ? " that needs no fault" : "",
                                  OB_CLAIM_PERCENT);
    const char *both = *bound && *promise ? "; " : "";
    return ob_arena_printf(arena, "%s%s%s", bound, both, promise);
}

static void fill_counts(struct ob_report_result *result, const struct ob_judge_case *judged)
{
    const struct ob_exploration *exploration = judged->exploration;
    result->runs = exploration->runs;
    result->steps = exploration->steps;
    result->uncontrolled_runs = exploration->uncontrolled_runs;
    result->exhausted = exploration->exhausted;
    result->reduced = exploration->reduced;
    result->classes = exploration->classes;
    result->outcomes = exploration->outcomes;
    if (!exploration->exhausted && !exploration->within_bound)
        result->estimate = exploration->estimate;
    result->sampled = exploration->sampled;
    result->sampler = exploration->sampler;
    result->samples = exploration->samples;
    if (exploration->sampled) {
        result->unseen_classes = ob_claim_unseen(exploration->classes_once, exploration->samples);
        result->unseen_outcomes = ob_claim_unseen(exploration->outcomes_once, exploration->samples);
    }
    result->seconds_total = (double)exploration->total_us / 1e6;
    result->seconds_reset = (double)judged->rig->reset_us / 1e6;
    result->seconds_settle = (double)judged->rig->settle_us / 1e6;
    result->seconds_check = (double)judged->rig->check_us / 1e6;
}

/* In ascending order, so that the same were seen gives the same text. */
static int compare_digests(const void *a, const void *b)
{
    const uint64_t *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

static const char *encode(struct ob_arena *arena, uint64_t *list, size_t count)
{
    qsort(list, count, sizeof *list, compare_digests);
    char *text = ob_digests_encode(list, count);
    const char *kept = ob_arena_strdup(arena, text);
    free(text);
    free(list);
    return kept;
}

static const char *list_of(struct ob_arena *arena, const struct ob_tally *tally, bool again)
{
    size_t count;
    uint64_t *list = ob_tally_list(tally, again, &count);
    return encode(arena, list, count);
}

static const char *digests_of(struct ob_arena *arena, const struct ob_tally *tally)
{
    size_t once, more;
    uint64_t *list = ob_tally_list(tally, false, &once), *rest = ob_tally_list(tally, true, &more);
    list = ob_realloc(list, once + more + 1, sizeof *list);
    if (more > 0)
        memcpy(list + once, rest, more * sizeof *list);
    free(rest);
    return encode(arena, list, once + more);
}

/* In the order of the items that the target made of them. */
static void fill_reached(struct ob_report *report, struct ob_report_result *result,
                         const struct ob_judge_case *judged)
{
    const struct ob_scenario *scenario = judged->scenario;
    struct ob_report_reached *reached =
        ob_arena_alloc(&report->arena, scenario->sometimes_count * sizeof *reached);
    for (size_t i = 0; i < scenario->sometimes_count; i++) {
        const struct ob_sometimes_ref *ref = &scenario->sometimes[i];
        if ((ref->variants >> judged->variant & 1) == 0)
            continue;
        size_t bit = result->reached_count++;
        reached[bit] = (struct ob_report_reached){
            .name = ob_arena_strdup(&report->arena, ref->name),
            .runs = judged->exploration->reached[bit],
        };
    }
    result->reached = reached;
}

const char *ob_judge_unreached(struct ob_arena *arena, const struct ob_report_result *result)
{
    for (size_t i = 0; i < result->reached_count; i++)
        if (result->reached[i].runs == 0)
            return ob_arena_printf(arena,
                                   "%s was to be reached, and was not in %" PRIu64
                                   " runs: what holds has not been put to the test",
                                   result->reached[i].name, result->runs);
    return NULL;
}

static const struct ob_report_part *part_of(struct ob_arena *arena,
                                            const struct ob_exploration *exploration)
{
    struct ob_report_part *part = ob_arena_alloc(arena, sizeof *part);
    *part = (struct ob_report_part){
        .outcomes = digests_of(arena, &exploration->outcome_tally),
        .classes = digests_of(arena, &exploration->class_tally),
        .outcomes_once = list_of(arena, &exploration->sampled_outcomes, false),
        .outcomes_more = list_of(arena, &exploration->sampled_outcomes, true),
        .classes_once = list_of(arena, &exploration->sampled_classes, false),
        .classes_more = list_of(arena, &exploration->sampled_classes, true),
        .within_bound = exploration->within_bound,
    };
    return part;
}

void ob_judge(struct ob_report *report, struct ob_report_result *result,
              const struct ob_judge_case *judged)
{
    const struct ob_exploration *exploration = judged->exploration;
    const char *violates = judged->scenario->variants[judged->variant].violates;
    fill_counts(result, judged);
    fill_reached(report, result, judged);
    if (judged->is_part)
        result->part = part_of(&report->arena, exploration);
    fill_violations(report, result, judged);
    bool decided = ob_judge_confirmed(result, violates);
    const char *error = NULL;
    fill_warnings(report, result, judged, decided, &error);
    const char *reason = error || decided ? error : doubt(&report->arena, judged);
    if (reason)
        result->verdict = error ? OB_FAILED : OB_INCONCLUSIVE;
    else
        result->verdict = result->violation_count > 0 ? OB_VIOLATED : OB_HOLDS;
    if (result->verdict == OB_HOLDS && !judged->is_part)
        result->claim = claim_of(report, result, judged);
    bool left_to_others = judged->is_part && result->verdict == OB_HOLDS;
    bool any = judged->scenario->variants[judged->variant].any;
    result->as_expected = !reason && (any || decided == (violates != NULL) || left_to_others);
    const char *unreached = NULL;
    if (!any && result->as_expected && result->verdict == OB_HOLDS && !judged->is_part)
        unreached = ob_judge_unreached(&report->arena, result);
    result->as_expected &= !unreached;
    if (reason || unreached)
        result->reason = reason ? reason : unreached;
    else if (!result->as_expected)
        result->reason =
            ob_judge_unexpected(&report->arena, result, violates, exploration->within_bound);
}

void ob_judge_error(struct ob_report *report, struct ob_report_result *result,
                    const struct ob_error *err)
{
    const char *colon = err->detail[0] != '\0' ? ": " : "",
               *blank = err->hint[0] != '\0' ? " " : "";
    bool open = err->code == OB_STUCK || err->code == OB_INTERRUPTED;
    result->verdict = open ? OB_INCONCLUSIVE : OB_FAILED;
    result->as_expected = false;
    result->reason = ob_arena_printf(&report->arena, "%s%s%s%s%s", err->message, colon, err->detail,
                                     blank, err->hint);
}
