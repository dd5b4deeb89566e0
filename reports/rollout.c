/*
 * rollout.c - what a rollout came to, for a person at a terminal: the phases with what each breaks,
 * the moves with whether they are safe there and back, and the orders.  Below what is broken or not
 * safe stands the smallest run that shows it, and the command that makes it again.
 */
#include "report_int.h"

#include <inttypes.h>
#include <string.h>

#define INDENT ((size_t)5)
#define NUMBER_COLUMNS 6

struct rollout_text {
    const struct ob_report *report;
    const struct ob_table_options *options;
    size_t width; /* of the widest phase or move */
    struct ob_arena arena;
    struct ob_buf out;
};

static void coloured(struct rollout_text *t, const char *code, const char *text)
{
    ob_report_coloured(t->options, code, text, &t->out);
}

static void mark(struct rollout_text *t, bool good)
{
    const char *text =
        t->options->unicode ? (good ? "\xe2\x9c\x93" : "\xe2\x9c\x97") : (good ? "ok" : "NO");
    ob_buf_puts(&t->out, "  ");
    coloured(t, good ? "32" : "31", text);
    ob_buf_printf(&t->out, "%*s", t->options->unicode ? 2 : 1, "");
}

static void heading(struct rollout_text *t, const char *text)
{
    ob_buf_putc(&t->out, '\n');
    coloured(t, "1", text);
    ob_buf_putc(&t->out, '\n');
}

static const char *line_of(struct rollout_text *t, const char *text)
{
    return ob_report_line(&t->arena, text, t->options->unicode);
}

/* A name, and what follows it in columns of its own. */
static void row(struct rollout_text *t, bool good, const char *name, uint64_t runs,
                const char *found)
{
    const char *line = ob_report_spaced(&t->arena, name, t->options->unicode);
    mark(t, good);
    ob_buf_printf(&t->out, "%s%*s", line, (int)(t->width - ob_report_columns(line)), "");
    if (runs > 0)
        ob_buf_printf(&t->out, "%*" PRIu64, NUMBER_COLUMNS, runs);
    else
        ob_buf_printf(&t->out, "%*s", NUMBER_COLUMNS, "");
    ob_buf_printf(&t->out, "  %s\n", found);
}

static const char *plural(struct rollout_text *t, size_t count, const char *word)
{
    return ob_arena_printf(&t->arena, "%zu %s%s", count, word, count == 1 ? "" : "s");
}

/* The run that shows it. */
static void counterexample(struct rollout_text *t, const struct ob_report_cell *cell)
{
    if (cell->broken_count == 0 || t->options->verbosity < 0)
        return;
    const struct ob_report_violation *violation =
        &t->report->results[cell->result].violations[cell->violation];
    const struct ob_report_shrunk *shrunk = violation->shrunk;
    const char *text = ob_arena_printf(
        &t->arena, "%s: %s, %s, %s; replayed %u/%u", violation->invariant,
        plural(t, shrunk ? shrunk->clients : violation->clients, "client"),
        plural(t, shrunk ? shrunk->steps : violation->steps, "step"),
        plural(t, shrunk ? shrunk->preemptions : violation->preemptions, "preemption"),
        shrunk ? shrunk->replays_same : violation->replays_same,
        shrunk ? shrunk->replays : violation->replays);
    ob_report_wrapped(text, t->options, INDENT, &t->out);
    ob_report_wrapped(violation->why, t->options, INDENT, &t->out);
    ob_buf_printf(&t->out, "%*s%s\n", (int)INDENT, "", shrunk ? shrunk->replay : violation->replay);
}

static const char *broken_of(struct rollout_text *t, const struct ob_report_cell *cell)
{
    if (cell->undecided)
        return "undecided";
    const char *text = cell->broken_count > 0 ? "breaks" : "holds";
    for (size_t i = 0; i < cell->broken_count; i++)
        text = ob_arena_printf(&t->arena, "%s%s %s", text, i > 0 ? "," : "",
                               line_of(t, cell->broken[i]));
    return text;
}

static void phases(struct rollout_text *t, const struct ob_report_rollout *rollout)
{
    heading(t, "Phases");
    for (size_t i = 0; i < rollout->phase_count; i++) {
        const struct ob_report_cell *phase = &rollout->phases[i];
        row(t, phase->broken_count == 0 && !phase->undecided, phase->name, phase->runs,
            broken_of(t, phase));
        if (phase->undecided)
            ob_report_wrapped(phase->undecided, t->options, INDENT, &t->out);
        counterexample(t, phase);
    }
}

static void way(struct rollout_text *t, const char *word, const struct ob_report_move *move)
{
    if (move->safe)
        return;
    ob_report_wrapped(ob_arena_printf(&t->arena, "%s: %s", word, move->reason), t->options, INDENT,
                      &t->out);
    if (move->cell.broken_count > 0 && !move->cell.undecided)
        counterexample(t, &move->cell);
}

/* A request's outcomes, from the index-th row on; returns the index after them. */
static size_t request(struct rollout_text *t, const struct ob_report_result *result, size_t index)
{
    const struct ob_report_request *first = &result->requests[index];
    const char *text = NULL;
    for (; index < result->request_count; index++) {
        const struct ob_report_request *one = &result->requests[index];
        if (strcmp(one->client, first->client) != 0 || strcmp(one->request, first->request) != 0)
            break;
        if (one->when != OB_REPORT_WHILE)
            continue;
        text = text ? ob_arena_printf(&t->arena, "%s; ", text)
                    : ob_arena_printf(&t->arena, "%s, %s: ", one->client, one->request);
        text = ob_arena_printf(&t->arena, "%s%s (%" PRIu64 ")", text, one->outcome, one->count);
    }
    if (text)
        ob_report_wrapped(text, t->options, INDENT + 2, &t->out);
    return index;
}

/* What became of the requests that went on while the move was made. */
static void requests(struct rollout_text *t, const struct ob_report_move *move)
{
    for (size_t i = 0; i < t->report->result_count; i++) {
        const struct ob_report_result *result = &t->report->results[i];
        if (strcmp(result->variant, move->variant) != 0 || result->request_count == 0)
            continue;
        const char *heading = ob_arena_printf(&t->arena, "meanwhile, in %s", result->scenario);
        ob_report_wrapped(heading, t->options, INDENT, &t->out);
        for (size_t k = 0; k < result->request_count;)
            k = request(t, result, k);
    }
}

static const char *refused_of(struct rollout_text *t, const struct ob_report_move *move)
{
    return move->refused == 0 ? ""
                              : ob_arena_printf(&t->arena, "; refused in %" PRIu64 " of %" PRIu64,
                                                move->refused, move->cell.runs);
}

static void moves(struct rollout_text *t, const struct ob_report_rollout *rollout)
{
    heading(t, "Moves");
    size_t from = SIZE_MAX;
    for (size_t i = 0; i + 1 < rollout->move_count; i += 2) {
        const struct ob_report_move *there = &rollout->moves[i], *back = &rollout->moves[i + 1];
        if (there->from != from)
            ob_buf_printf(&t->out, "     %s\n", line_of(t, rollout->phases[there->from].name));
        from = there->from;
        const char *found =
            ob_arena_printf(&t->arena, "%s, back %s%s", there->safe ? "safe" : "not safe",
                            back->safe ? "safe" : "not safe", refused_of(t, there));
        row(t, there->safe, ob_arena_printf(&t->arena, "  %s", there->cell.name),
            there->cell.runs + back->cell.runs, found);
        way(t, "there", there);
        way(t, "back", back);
        requests(t, there);
    }
}

static const char *found_of(const struct ob_report_order *order)
{
    return order->undecided ? "undecided" : order->safe ? "safe" : "not safe";
}

static void orders(struct rollout_text *t, const struct ob_report_rollout *rollout)
{
    heading(t, "Orders");
    for (size_t i = 0; i < rollout->order_count; i++) {
        const struct ob_report_order *order = &rollout->orders[i];
        bool well = ob_report_order_is_as_expected(order);
        mark(t, well);
        coloured(t, "1", line_of(t, order->name));
        ob_buf_printf(&t->out, ": %s%s\n", found_of(order),
                      well                   ? (order->safe ? "" : ", as expected")
                      : order->expected_safe ? ", but expected to be safe"
                                             : ", but expected not to be safe");
        if (order->about[0] != '\0')
            ob_report_wrapped(order->about, t->options, INDENT, &t->out);
        ob_report_wrapped(order->reason, t->options, INDENT, &t->out);
    }
}

static size_t widest(struct rollout_text *t, const struct ob_report_rollout *rollout)
{
    size_t width = 0;
    for (size_t i = 0; i < rollout->phase_count; i++) {
        size_t columns = ob_report_columns(line_of(t, rollout->phases[i].name));
        width = columns > width ? columns : width;
    }
    for (size_t i = 0; i < rollout->move_count; i++) {
        size_t columns = 2 + ob_report_columns(line_of(t, rollout->moves[i].cell.name));
        width = columns > width ? columns : width;
    }
    return width;
}

enum ob_result ob_report_rollout(const struct ob_report *report,
                                 const struct ob_table_options *options, FILE *out,
                                 struct ob_error *err)
{
    const struct ob_report_rollout *rollout = report->rollout;
    struct rollout_text text = {.report = report, .options = options};
    ob_arena_init(&text.arena);
    ob_buf_init(&text.out, SIZE_MAX);
    text.width = widest(&text, rollout);
    ob_buf_printf(&text.out, "overbook %s, PostgreSQL %s, seed %" PRIu64 "\n\n", report->version,
                  report->postgres, report->seed);
    coloured(&text, "1", line_of(&text, rollout->name));
    ob_buf_putc(&text.out, '\n');
    ob_report_wrapped(rollout->about, options, 0, &text.out);
    phases(&text, rollout);
    moves(&text, rollout);
    orders(&text, rollout);
    bool written = fwrite(text.out.data, 1, text.out.size, out) == text.out.size;
    ob_buf_clear(&text.out);
    ob_arena_clear(&text.arena);
    return written && fflush(out) == 0 ? OB_OK : ob_report_write_error(err, "the rollout");
}
