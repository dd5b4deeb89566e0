/* report.c - see report.h. */
#include "report_int.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"

static const char *const verdict_words[] = {
    [OB_HOLDS] = "holds",
    [OB_VIOLATED] = "violated",
    [OB_INCONCLUSIVE] = "inconclusive",
    [OB_FAILED] = "error",
};

const char *ob_verdict_word(enum ob_verdict verdict)
{
    size_t index = (size_t)verdict;
    assert(index < sizeof verdict_words / sizeof *verdict_words);
    return verdict_words[index];
}

const char *ob_report_when_word(enum ob_report_when when)
{
    static const char *const words[] = {
        [OB_REPORT_BEFORE] = "before", [OB_REPORT_WHILE] = "while", [OB_REPORT_AFTER] = "after"};
    size_t index = (size_t)when;
    assert(index < sizeof words / sizeof *words);
    return words[index];
}

void ob_report_init(struct ob_report *report)
{
    *report = (struct ob_report){.version = OB_VERSION, .postgres = ""};
    ob_arena_init(&report->arena);
}

void ob_report_clear(struct ob_report *report)
{
    free(report->results);
    ob_arena_clear(&report->arena);
    *report = (struct ob_report){0};
}

const char *ob_report_cure_line(struct ob_arena *arena, const struct ob_report_cure *cure)
{
    const char *line = ob_arena_printf(arena, "%s: %s", cure->verdict, cure->name);
    if (cure->why && *cure->why)
        return ob_arena_printf(arena, "%s (%s)", line, cure->why);
    return ob_arena_printf(arena, "%s (this schedule: %s; explored: %s, %" PRIu64 " run%s)", line,
                           cure->on_schedule, cure->in_exploration, cure->runs,
                           cure->runs == 1 ? "" : "s");
}

const struct ob_report_matrix_cell *ob_report_matrix_at(const struct ob_report_matrix *matrix,
                                                        size_t row, size_t level, size_t setting)
{
    const struct ob_report_matrix_cell *found = NULL;
    for (size_t i = 0; i < matrix->cell_count; i++) {
        const struct ob_report_matrix_cell *cell = &matrix->cells[i];
        if (cell->row == row && cell->level == level && cell->setting == setting)
            found = cell; /* one with retries comes last */
    }
    return found;
}

struct ob_report_result *ob_report_add(struct ob_report *report)
{
    report->results = ob_grow(report->results, &report->result_capacity, report->result_count + 1,
                              sizeof *report->results);
    struct ob_report_result *result = &report->results[report->result_count++];
    *result = (struct ob_report_result){0};
    return result;
}

enum ob_standing ob_report_standing(const struct ob_report_result *result)
{
    if (result->verdict == OB_FAILED)
        return OB_BROKE_OFF;
    if (result->verdict == OB_INCONCLUSIVE)
        return OB_UNDECIDED;
    return result->as_expected ? OB_AS_EXPECTED : OB_UNEXPECTED;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

bool ob_report_same_scenario(const struct ob_report_result *a, const struct ob_report_result *b)
{
    return same_text(a->scenario, b->scenario) && same_text(a->file, b->file);
}

size_t ob_report_same_run(const struct ob_report_result *result, size_t first)
{
    size_t next = first + 1;
    while (next < result->violation_count &&
           result->violations[next].run == result->violations[first].run)
        next++;
    return next - first;
}

struct ob_report_summary ob_report_summarise(const struct ob_report *report)
{
    size_t counts[] = {
        [OB_AS_EXPECTED] = 0, [OB_UNEXPECTED] = 0, [OB_UNDECIDED] = 0, [OB_BROKE_OFF] = 0};
    for (size_t i = 0; i < report->result_count; i++)
        counts[ob_report_standing(&report->results[i])]++;
    return (struct ob_report_summary){.scenarios = report->result_count,
                                      .as_expected = counts[OB_AS_EXPECTED],
                                      .unexpected = counts[OB_UNEXPECTED],
                                      .inconclusive = counts[OB_UNDECIDED],
                                      .errors = counts[OB_BROKE_OFF]};
}

bool ob_report_order_is_as_expected(const struct ob_report_order *order)
{
    return !order->undecided && order->safe == order->expected_safe;
}

/* Whether an order of a rollout is not what it is expected to be, or (undecided) may not be. */
static bool surprises(const struct ob_report_rollout *rollout, bool undecided)
{
    for (size_t i = 0; rollout && i < rollout->order_count; i++)
        if (rollout->orders[i].undecided == undecided &&
            !ob_report_order_is_as_expected(&rollout->orders[i]))
            return true;
    return false;
}

/* Whether a cell says nothing. */
static bool wavers(const struct ob_report_matrix *matrix)
{
    for (size_t i = 0; matrix && i < matrix->cell_count; i++)
        if (strcmp(matrix->cells[i].verdict, "undecided") == 0)
            return true;
    return false;
}

int ob_report_exit_status(const struct ob_report *report)
{
    struct ob_report_summary summary = ob_report_summarise(report);
    if (summary.errors > 0)
        return 3;
    if (summary.unexpected > 0 || surprises(report->rollout, false))
        return 1;
    for (size_t i = 0; i < report->result_count; i++)
        if (wavers(report->results[i].matrix))
            return 4;
    return summary.inconclusive > 0 || surprises(report->rollout, true) ? 4 : 0;
}
