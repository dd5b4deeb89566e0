/*
 * merge.c - overbook merge: one result of the shards' results.
 *
 * What they say is put together by the rules of judge.h: a violation whose replays were the same
 * decides, also where another shard failed; where none decides, one part that is in doubt leaves
 * the whole in doubt.  What was seen in several shards counts once.
 */
#include "cli/cli.h"
#include "cli/judge.h"
#include "cli/output.h"
#include "cli/stored.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/parse.h"
#include "explore/claim.h"
#include "explore/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VIOLATES "violates "

struct merging {
    struct ob_report *parts; /* owned, by their shards' numbers; version NULL: not there */
    const char **names;      /* of each; owned */
    size_t count;
    struct ob_report merged;
};

/* Of an error nothing is left to be cleared. */
static enum ob_result read_part(const char *path, struct ob_report *out, struct ob_error *err)
{
    enum ob_result result = ob_stored_read(path, out, err);
    if (result == OB_OK && out->shard_count == 0) {
        result = ob_error_set(err, OB_INPUT, "%s is the result of no shard", path);
        ob_error_hint(err, "Name what \"overbook run --shard I/N --json FILE\" wrote.");
    }
    if (result != OB_OK)
        ob_report_clear(out);
    return result;
}

static enum ob_result do_not_fit(const char *first, const char *second, struct ob_error *err)
{
    ob_error_set(err, OB_INPUT, "%s and %s do not fit", first, second);
    ob_error_hint(err, "All shards must be asked for the same, by the same overbook.");
    return OB_INPUT;
}

/* OB_INPUT, with what is different, unless both texts are the same. */
static enum ob_result same_text(const char *what, const char *const names[2], const char *a,
                                const char *b, struct ob_error *err)
{
    if (strcmp(a, b) == 0)
        return OB_OK;
    (void)do_not_fit(names[0], names[1], err);
    ob_error_detail(err, "The %s is \"%s\" in one and \"%s\" in the other.", what, a, b);
    return OB_INPUT;
}

static enum ob_result same_number(const char *what, const char *const names[2], uint64_t a,
                                  uint64_t b, struct ob_error *err)
{
    if (a == b)
        return OB_OK;
    (void)do_not_fit(names[0], names[1], err);
    ob_error_detail(err, "The %s is %" PRIu64 " in one and %" PRIu64 " in the other.", what, a, b);
    return OB_INPUT;
}

/* Asked for the same, one has fewer when it was ended early, or when fewer scenarios were named. */
static enum ob_result same_count(const char *const names[2], const struct ob_report *a,
                                 const struct ob_report *b, struct ob_error *err)
{
    if (same_number("number of results", names, a->result_count, b->result_count, err) == OB_OK)
        return OB_OK;
    ob_error_hint(err,
                  "A shard that was ended early is to be made again, with the --checkpoint that "
                  "it had; and all must name the same scenarios.");
    return OB_INPUT;
}

static enum ob_result same_line(const char *const names[2], const struct ob_report_result *a,
                                const struct ob_report_result *b, struct ob_error *err)
{
    enum ob_result result = same_text("scenario", names, a->scenario, b->scenario, err);
    if (result == OB_OK)
        result = same_text("variant", names, a->variant, b->variant, err);
    if (result == OB_OK)
        result = same_text("scenario's content", names, a->hash, b->hash, err);
    if (result == OB_OK && a->strategy[0] != '\0' && b->strategy[0] != '\0')
        result = same_text("strategy", names, a->strategy, b->strategy, err);
    if (result == OB_OK)
        result = same_text("expectation", names, a->expected, b->expected, err);
    return result;
}

static enum ob_result same_whole(const char *const names[2], const struct ob_report *a,
                                 const struct ob_report *b, struct ob_error *err)
{
    char majors[2][16];
    snprintf(majors[0], sizeof majors[0], "%.*s", (int)strcspn(a->postgres, "."), a->postgres);
    snprintf(majors[1], sizeof majors[1], "%.*s", (int)strcspn(b->postgres, "."), b->postgres);
    enum ob_result result = same_text("version of overbook", names, a->version, b->version, err);
    if (result == OB_OK)
        result = same_text("version of PostgreSQL", names, majors[0], majors[1], err);
    if (result == OB_OK)
        result = same_number("seed", names, a->seed, b->seed, err);
    if (result == OB_OK)
        result = same_number("number of shards", names, a->shard_count, b->shard_count, err);
    if (result == OB_OK)
        result = same_text("wish", names, a->asked, b->asked, err);
    if (result == OB_OK)
        result = same_count(names, a, b, err);
    for (size_t i = 0; result == OB_OK && i < a->result_count; i++)
        result = same_line(names, &a->results[i], &b->results[i], err);
    return result;
}

/* Takes a part in, or refuses it; then it is cleared. */
static enum ob_result take_part(struct merging *m, const char *path, struct ob_report *part,
                                const char **first, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    if (!*first) {
        m->count = part->shard_count;
        m->parts = ob_alloc(m->count * sizeof *m->parts);
        m->names = ob_alloc(m->count * sizeof *m->names);
        *first = path;
    }
    for (size_t i = 0; i < m->count && result == OB_OK; i++) {
        const char *const names[2] = {m->names[i], path};
        if (m->names[i])
            result = same_whole(names, &m->parts[i], part, err);
    }
    size_t index = part->shard_index - 1;
    if (result == OB_OK && m->names[index]) {
        result = ob_error_set(err, OB_INPUT, "%s and %s are both shard %u", m->names[index], path,
                              part->shard_index);
        ob_error_hint(err, "Name each shard's result once.");
    }
    if (result != OB_OK) {
        ob_report_clear(part);
        return result;
    }
    m->parts[index] = *part;
    m->names[index] = path;
    return OB_OK;
}

static enum ob_result read_all(struct merging *m, const struct ob_options *options,
                               struct ob_error *err)
{
    const char *first = NULL;
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < options->arg_count && result == OB_OK; i++) {
        struct ob_report part;
        result = read_part(options->args[i], &part, err);
        if (result == OB_OK)
            result = take_part(m, options->args[i], &part, &first, err);
    }
    for (size_t i = 0; i < m->count && result == OB_OK; i++) {
        if (m->names[i])
            continue;
        result = ob_error_set(err, OB_INPUT, "shard %zu of %zu is missing", i + 1, m->count);
        ob_error_hint(err, "Name the results of all shards.");
    }
    return result;
}

/* --- one line */

static const struct ob_report_result *line_of(const struct merging *m, size_t part, size_t line)
{
    return &m->parts[part].results[line];
}

/* False: the text holds no digests. */
static bool tally(struct ob_tally *tally, const char *text, unsigned times)
{
    size_t count;
    uint64_t *digests = ob_digests_decode(text, &count);
    for (size_t i = 0; digests && i < count; i++)
        for (unsigned k = 0; k < times; k++)
            ob_tally_add(tally, digests[i]);
    free(digests);
    return digests != NULL;
}

struct seen {
    struct ob_tally outcomes, classes, sampled_outcomes, sampled_classes;
};

static bool add_seen(struct seen *seen, const struct ob_report_part *part)
{
    return tally(&seen->outcomes, part->outcomes, 1) && tally(&seen->classes, part->classes, 1) &&
           tally(&seen->sampled_outcomes, part->outcomes_once, 1) &&
           tally(&seen->sampled_outcomes, part->outcomes_more, 2) &&
           tally(&seen->sampled_classes, part->classes_once, 1) &&
           tally(&seen->sampled_classes, part->classes_more, 2);
}

static enum ob_result count_seen(const struct merging *m, size_t line, struct ob_report_result *out,
                                 struct ob_error *err)
{
    struct seen seen = {0};
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < m->count && result == OB_OK; i++) {
        const struct ob_report_result *part = line_of(m, i, line);
        if (part->part && !add_seen(&seen, part->part))
            result = ob_error_set(err, OB_INPUT, "%s: a list of digests is damaged", m->names[i]);
        if (!part->sampled)
            continue;
        out->sampler = part->sampler;
        out->samples += part->samples;
    }
    out->outcomes = seen.outcomes.count;
    out->classes = seen.classes.count;
    out->sampled = out->samples > 0 && !seen.outcomes.full && !seen.classes.full;
    if (out->sampled) {
        out->unseen_outcomes = ob_claim_unseen(seen.sampled_outcomes.once, out->samples);
        out->unseen_classes = ob_claim_unseen(seen.sampled_classes.once, out->samples);
    }
    ob_tally_clear(&seen.outcomes);
    ob_tally_clear(&seen.classes);
    ob_tally_clear(&seen.sampled_outcomes);
    ob_tally_clear(&seen.sampled_classes);
    return result;
}

static void add_up(const struct merging *m, size_t line, struct ob_report_result *out)
{
    out->exhausted = true;
    for (size_t i = 0; i < m->count; i++) {
        const struct ob_report_result *part = line_of(m, i, line);
        out->runs += part->runs;
        out->steps += part->steps;
        out->uncontrolled_runs += part->uncontrolled_runs;
        out->exhausted &= part->exhausted;
        out->reduced |= part->reduced;
        out->seconds_total += part->seconds_total;
        out->seconds_reset += part->seconds_reset;
        out->seconds_settle += part->seconds_settle;
        out->seconds_check += part->seconds_check;
    }
}

/* All parts are of one scenario, and so have the same. */
static void add_reached(struct merging *m, size_t line, struct ob_report_result *out)
{
    const struct ob_report_result *first = line_of(m, 0, line);
    struct ob_report_reached *reached =
        ob_arena_alloc(&m->merged.arena, first->reached_count * sizeof *reached);
    for (size_t k = 0; k < first->reached_count; k++) {
        reached[k] = (struct ob_report_reached){.name = first->reached[k].name};
        for (size_t i = 0; i < m->count; i++) {
            const struct ob_report_result *part = line_of(m, i, line);
            reached[k].runs += k < part->reached_count ? part->reached[k].runs : 0;
        }
    }
    out->reached = reached;
    out->reached_count = first->reached_count;
}

static void add_warnings(struct merging *m, size_t line, struct ob_report_result *out)
{
    size_t most = 0;
    for (size_t i = 0; i < m->count; i++)
        most += line_of(m, i, line)->warning_count;
    const char **warnings = ob_arena_alloc(&m->merged.arena, most * sizeof *warnings);
    for (size_t i = 0; i < m->count; i++) {
        const struct ob_report_result *part = line_of(m, i, line);
        for (size_t k = 0; k < part->warning_count; k++) {
            bool known = false;
            for (size_t n = 0; n < out->warning_count; n++)
                known = known || strcmp(warnings[n], part->warnings[k]) == 0;
            if (!known)
                warnings[out->warning_count++] = part->warnings[k];
        }
    }
    out->warnings = warnings;
}

/* Of one invariant: the earliest that replays were the same for, else the earliest. */
static bool is_better(const struct ob_report_violation *a, const struct ob_report_violation *b)
{
    bool a_sure = a->replays_same == a->replays, b_sure = b->replays_same == b->replays;
    return a_sure != b_sure ? a_sure : a->run < b->run;
}

static void add_violation(struct ob_report_result *out, const struct ob_report_violation *violation)
{
    for (size_t i = 0; i < out->violation_count; i++) {
        struct ob_report_violation *known = &out->violations[i];
        if (strcmp(known->invariant, violation->invariant) != 0)
            continue;
        if (is_better(violation, known))
            *known = *violation;
        return;
    }
    out->violations[out->violation_count++] = *violation;
}

/* In the order of a run's own report: the expected one, what else its run broke, the others. */
static int rank_of(const struct ob_report_violation *violation, const char *violates,
                   const struct ob_report_violation *expected)
{
    if (violates && strcmp(violation->invariant, violates) == 0)
        return 0;
    return expected && violation->run == expected->run ? 1 : 2;
}

static const struct ob_report_violation *find(const struct ob_report_result *line,
                                              const char *invariant)
{
    for (size_t i = 0; invariant && i < line->violation_count; i++)
        if (strcmp(line->violations[i].invariant, invariant) == 0)
            return &line->violations[i];
    return NULL;
}

static void sort_violations(struct ob_report_result *out, const char *violates)
{
    const struct ob_report_violation *found = find(out, violates);
    struct ob_report_violation expected = found ? *found : (struct ob_report_violation){0};
    const struct ob_report_violation *first = found ? &expected : NULL;
    for (size_t i = 1; i < out->violation_count; i++) {
        struct ob_report_violation moved = out->violations[i];
        int rank = rank_of(&moved, violates, first);
        size_t to = i;
        for (; to > 0; to--) {
            const struct ob_report_violation *before = &out->violations[to - 1];
            int other = rank_of(before, violates, first);
            if (other < rank || (other == rank && before->run <= moved.run))
                break;
            out->violations[to] = *before;
        }
        out->violations[to] = moved;
    }
}

static void add_violations(struct merging *m, size_t line, const char *violates,
                           struct ob_report_result *out)
{
    size_t most = 0;
    for (size_t i = 0; i < m->count; i++)
        most += line_of(m, i, line)->violation_count;
    out->violations = ob_arena_alloc(&m->merged.arena, most * sizeof *out->violations);
    for (size_t i = 0; i < m->count; i++) {
        const struct ob_report_result *part = line_of(m, i, line);
        for (size_t k = 0; k < part->violation_count; k++)
            add_violation(out, &part->violations[k]);
    }
    sort_violations(out, violates);
}

/* Why nothing follows from the parts: the first that failed, else the first in doubt. */
static const char *doubt(struct merging *m, size_t line, enum ob_verdict *verdict)
{
    static const enum ob_verdict open[] = {OB_FAILED, OB_INCONCLUSIVE};
    for (size_t k = 0; k < sizeof open / sizeof *open; k++) {
        for (size_t i = 0; i < m->count; i++) {
            if (line_of(m, i, line)->verdict != open[k])
                continue;
            *verdict = open[k];
            return ob_arena_printf(&m->merged.arena, "shard %zu of %zu: %s", i + 1, m->count,
                                   line_of(m, i, line)->reason);
        }
    }
    return NULL;
}

static bool all_within_bound(const struct merging *m, size_t line)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct ob_report_part *part = line_of(m, i, line)->part;
        if (!part || !part->within_bound)
            return false;
    }
    return true;
}

/* The number after the colon of a strategy's name. */
static unsigned argument_of(const char *strategy)
{
    const char *colon = strchr(strategy, ':');
    uint64_t argument = 0;
    return colon && ob_parse_u64(colon + 1, 0, UINT32_MAX, &argument) ? (unsigned)argument : 0;
}

static const char *claim_of(struct merging *m, const struct ob_report_result *out, bool within)
{
    const char *whole = ob_judge_whole_claim(out, m->merged.controlled_footprints);
    bool bounded = strncmp(out->strategy, "bounded:", strlen("bounded:")) == 0;
    unsigned bound = bounded ? argument_of(out->strategy) : OB_PORTFOLIO_BOUND;
    return whole[0] != '\0' ? whole : ob_judge_bound_claim(&m->merged.arena, out, within, bound);
}

static void judge(struct merging *m, size_t line, const char *violates,
                  struct ob_report_result *out)
{
    struct ob_arena *arena = &m->merged.arena;
    bool decided = ob_judge_confirmed(out, violates), within = all_within_bound(m, line);
    const char *reason = decided ? NULL : doubt(m, line, &out->verdict);
    if (!reason)
        out->verdict = out->violation_count > 0 ? OB_VIOLATED : OB_HOLDS;
    bool any = strcmp(out->expected, OB_EXPECTED_ANY) == 0;
    out->as_expected = !reason && (any || decided == (violates != NULL));
    const char *unreached = NULL;
    if (!any && out->as_expected && out->verdict == OB_HOLDS)
        unreached = ob_judge_unreached(arena, out);
    out->claim = "";
    if (out->verdict == OB_HOLDS)
        out->claim = claim_of(m, out, within);
    out->reason = reason ? reason : "";
    if (!reason && !out->as_expected)
        out->reason = ob_judge_unexpected(arena, out, violates, within);
    if (unreached) {
        out->as_expected = false;
        out->reason = unreached;
    }
}

static enum ob_result merge_line(struct merging *m, size_t line, struct ob_error *err)
{
    const struct ob_report_result *first = line_of(m, 0, line);
    bool broken = strncmp(first->expected, VIOLATES, strlen(VIOLATES)) == 0;
    const char *violates = broken ? first->expected + strlen(VIOLATES) : NULL;
    struct ob_report_result *out = ob_report_add(&m->merged);
    *out = (struct ob_report_result){
        .scenario = first->scenario,
        .file = first->file,
        .variant = first->variant,
        .about = first->about,
        .hash = first->hash,
        .target = first->target,
        .expected = first->expected,
        .strategy = first->strategy,
    };
    add_up(m, line, out);
    add_warnings(m, line, out);
    add_reached(m, line, out);
    add_violations(m, line, violates, out);
    enum ob_result result = count_seen(m, line, out, err);
    if (result == OB_OK)
        judge(m, line, violates, out);
    return result;
}

/* --- the whole */

/* The parts' texts are borrowed. */
static enum ob_result merge(struct merging *m, struct ob_error *err)
{
    struct ob_report *merged = &m->merged;
    const struct ob_report *first = &m->parts[0];
    enum ob_result result = OB_OK;
    merged->version = first->version;
    merged->postgres = first->postgres;
    merged->seed = first->seed;
    merged->controlled_steps = merged->controlled_deadlock = merged->controlled_wake = true;
    merged->controlled_clock = merged->controlled_gates = true;
    merged->controlled_now = merged->controlled_footprints = true;
    for (size_t i = 0; i < m->count; i++) {
        merged->controlled_steps &= m->parts[i].controlled_steps;
        merged->controlled_deadlock &= m->parts[i].controlled_deadlock;
        merged->controlled_wake &= m->parts[i].controlled_wake;
        merged->controlled_clock &= m->parts[i].controlled_clock;
        merged->controlled_gates &= m->parts[i].controlled_gates;
        merged->controlled_now &= m->parts[i].controlled_now;
        merged->controlled_footprints &= m->parts[i].controlled_footprints;
    }
    for (size_t i = 0; i < first->result_count && result == OB_OK; i++) {
        result = merge_line(m, i, err);
        merged->seconds += merged->results[i].seconds_total;
    }
    return result;
}

static void clear(struct merging *m)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->names[i])
            ob_report_clear(&m->parts[i]);
    free(m->parts);
    free(m->names);
    ob_report_clear(&m->merged);
}

int ob_command_merge(int argc, char **argv)
{
    struct ob_options options;
    struct ob_error err;
    ob_options_parse(OB_COMMAND_MERGE, argc, argv, &options);
    struct merging m = {0};
    ob_report_init(&m.merged);
    enum ob_result result = ob_output_check(&options, &err);
    if (result == OB_OK && options.arg_count == 0) {
        result = ob_error_set(&err, OB_USAGE, "overbook merge takes the results of shards");
        ob_error_hint(&err, "Name what \"overbook run --shard I/N --json FILE\" wrote.");
    }
    if (result == OB_OK)
        result = read_all(&m, &options, &err);
    if (result == OB_OK)
        result = merge(&m, &err);
    if (result == OB_OK)
        result = ob_output_all(&m.merged, &options, &err);
    int status = result == OB_OK ? ob_report_exit_status(&m.merged) : ob_cli_error(&err);
    clear(&m);
    return ob_cli_finish(status);
}
