#include "divergence.h"

#include "json_int.h"
#include "step_text.h"

#include <inttypes.h>
#include <string.h>

#define LABEL_COLUMNS 10
#define SIDE_COLUMNS_MAX 70 /* of one side, where there is no end to the width */

/* --- what is compared */

typedef const char *aspect_text(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                                const struct ob_report_step *step);

static const char *client_text(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                               const struct ob_report_step *step)
{
    (void)arena;
    return timeline->clients[step->client];
}

static const char *statement_text(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                                  const struct ob_report_step *step)
{
    (void)timeline;
    bool is_sql = strcmp(step->kind, "sql") == 0 || strcmp(step->kind, "query") == 0;
    return is_sql ? step->text : ob_arena_printf(arena, "%s: %s", step->kind, step->text);
}

static const char *params_text(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                               const struct ob_report_step *step)
{
    (void)arena, (void)timeline;
    return step->params;
}

/* The text with one more behind it, and whose it is unless it is the step's own. */
static const char *with(struct ob_arena *arena, const char *text,
                        const struct ob_report_timeline *timeline,
                        const struct ob_report_step *step, size_t client, const char *more)
{
    if (client != step->client)
        more = ob_arena_printf(arena, "%s: %s",
                               client == OB_REPORT_NOBODY ? "overbook" : timeline->clients[client],
                               more);
    return *text ? ob_arena_printf(arena, "%s; %s", text, more) : more;
}

static const char *rows_text(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                             const struct ob_report_step *step)
{
    const char *text = "";
    for (size_t i = 0; i < step->ended_count; i++) {
        const struct ob_report_ended *ended = &step->ended[i];
        if (strcmp(ended->sqlstate, "00000") != 0)
            continue;
        const char *rows =
            ob_arena_printf(arena, "%" PRIu64 " row%s", ended->rows, ended->rows == 1 ? "" : "s");
        if (ended->digest != 0)
            rows = ob_arena_printf(arena, "%s, digest %016" PRIx64, rows, ended->digest);
        text = with(arena, text, timeline, step, ended->client, rows);
    }
    return text;
}

static const char *sqlstate_text(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                                 const struct ob_report_step *step)
{
    const char *text = "";
    for (size_t i = 0; i < step->ended_count; i++) {
        const struct ob_report_ended *ended = &step->ended[i];
        bool done = strcmp(ended->status, "done") == 0;
        const char *state = done ? ended->sqlstate : ended->status;
        if (*state)
            text = with(arena, text, timeline, step, ended->client, state);
    }
    return text;
}

static const char *messages_text(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                                 const struct ob_report_step *step)
{
    const char *text = "";
    for (size_t i = 0; i < step->ended_count; i++)
        if (step->ended[i].message[0] != '\0')
            text = with(arena, text, timeline, step, step->ended[i].client, step->ended[i].message);
    return text;
}

static const char *waits_text(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                              const struct ob_report_step *step)
{
    const char *who = ob_step_text_names(arena, timeline, step->blocked);
    if (step->holders == 0)
        return who;
    return ob_arena_printf(arena, "%s; %s for %s", who, timeline->clients[step->client],
                           ob_step_text_names(arena, timeline, step->holders));
}

static const char *woken_text(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                              const struct ob_report_step *step)
{
    return ob_step_text_names(arena, timeline, step->woken);
}

static const char *gated_text(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                              const struct ob_report_step *step)
{
    return ob_step_text_names(arena, timeline, step->gated);
}

static const char *notes_text(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                              const struct ob_report_step *step)
{
    const char *text = "";
    for (size_t i = 0; i < step->note_count; i++) {
        const struct ob_report_note *note = &step->notes[i];
        text = with(arena, text, timeline, step, note->client,
                    ob_arena_printf(arena, "%s %s", note->kind, ob_step_text_note(arena, note)));
    }
    return text;
}

static const struct aspect {
    const char *label;
    aspect_text *text;
    const char *nothing; /* the text that says nothing: left out where both sides have it */
    bool compared;
} aspects[] = {
    {"client", client_text, NULL, true},       {"statement", statement_text, NULL, true},
    {"parameters", params_text, "", true},     {"rows", rows_text, "", true},
    {"SQLSTATE", sqlstate_text, "", true},     {"message", messages_text, "", false},
    {"waits", waits_text, "nobody", true},     {"woken", woken_text, "nobody", true},
    {"at a gate", gated_text, "nobody", true}, {"notes", notes_text, "", true},
};

#define ASPECT_COUNT (sizeof aspects / sizeof *aspects)

static const struct ob_report_step *step_of(const struct ob_report_timeline *timeline, size_t step)
{
    return timeline && step < timeline->step_count ? &timeline->steps[step] : NULL;
}

/* NULL for both: there is no such step on either side. */
static bool same(struct ob_arena *arena, const struct aspect *aspect,
                 const struct ob_divergence *divergence)
{
    const struct ob_report_step *recorded = step_of(divergence->recorded, divergence->step),
                                *now = step_of(divergence->now, divergence->step);
    if (!recorded || !now)
        return recorded == now;
    return strcmp(aspect->text(arena, divergence->recorded, recorded),
                  aspect->text(arena, divergence->now, now)) == 0;
}

const char *ob_divergence_differs(struct ob_arena *arena, const struct ob_divergence *divergence)
{
    const char *text = "";
    if (!step_of(divergence->recorded, divergence->step) ||
        !step_of(divergence->now, divergence->step))
        return text;
    for (size_t i = 0; i < ASPECT_COUNT; i++)
        if (aspects[i].compared && !same(arena, &aspects[i], divergence))
            text = ob_arena_printf(arena, "%s%s%s", text, *text ? ", " : "", aspects[i].label);
    return text;
}

/* --- side by side */

struct side_by_side {
    const struct ob_lanes_options *options;
    struct ob_buf *out;
    struct ob_arena arena;
    size_t left, right; /* columns of the sides */
};

/* The text's next part of so many columns, which moves *text behind it. */
static const char *next_part(struct side_by_side *s, const char **text, size_t columns)
{
    size_t size = ob_report_wrap_at(*text, columns);
    const char *part = ob_arena_strndup(&s->arena, *text, size);
    *text += size + ((*text)[size] == ' ');
    return part;
}

static void put_row(struct side_by_side *s, const char *label, const char *left, const char *right,
                    bool differs)
{
    bool unicode = s->options->unicode, color = s->options->color && differs;
    const char *mark = !differs ? " " : unicode ? "\xe2\x89\xa0" : "#";
    const char *bar = unicode ? "\xe2\x94\x82" : "|";
    left = ob_report_line(&s->arena, left, unicode);
    right = ob_report_line(&s->arena, right, unicode);
    do {
        ob_buf_printf(s->out, "%s%s %-*s%s  ", color ? "\x1b[1;31m" : "", mark, LABEL_COLUMNS,
                      label, color ? "\x1b[0m" : "");
        const char *part = next_part(s, &left, s->left);
        size_t padding = s->left - ob_report_columns(part);
        ob_buf_printf(s->out, "%s%*s %s", part, (int)padding, "", bar);
        part = next_part(s, &right, s->right);
        ob_buf_printf(s->out, "%s%s\n", *part ? " " : "", part);
        label = "";
        mark = " ";
    } while (*left || *right);
}

/* One side of an aspect: "" where there is no such step. */
static const char *side(struct ob_arena *arena, const struct aspect *aspect,
                        const struct ob_report_timeline *timeline, size_t index)
{
    const struct ob_report_step *step = step_of(timeline, index);
    return step ? aspect->text(arena, timeline, step) : "";
}

static const char *recorded_side(struct ob_arena *arena, const struct aspect *aspect,
                                 const struct ob_divergence *divergence)
{
    if (divergence->recorded || !divergence->client)
        return side(arena, aspect, divergence->recorded, divergence->step);
    return aspect->text == client_text ? divergence->client : "?";
}

/* Whether there is anything to show on either side. */
static bool is_told(const struct aspect *aspect, const char *left, const char *right)
{
    if (!aspect->nothing)
        return true;
    return (*left && strcmp(left, aspect->nothing) != 0 && strcmp(left, "?") != 0) ||
           (*right && strcmp(right, aspect->nothing) != 0);
}

static void put_aspects(struct side_by_side *s, const struct ob_divergence *divergence)
{
    for (size_t i = 0; i < ASPECT_COUNT; i++) {
        const struct aspect *aspect = &aspects[i];
        const char *left = recorded_side(&s->arena, aspect, divergence);
        const char *right = side(&s->arena, aspect, divergence->now, divergence->step);
        if (!is_told(aspect, left, right))
            continue;
        bool known = strcmp(left, "?") != 0;
        put_row(s, aspect->label, left, right,
                aspect->compared && known && strcmp(left, right) != 0);
    }
}

static void widen(size_t *columns, const char *text)
{
    size_t needed = ob_report_columns(text);
    *columns = needed > *columns ? needed : *columns;
}

/* A side is no wider than what is to be shown there; what one does not need the other has. */
static void share_width(struct side_by_side *s, const struct ob_divergence *divergence,
                        const char *left, const char *right)
{
    int width = s->options->width;
    size_t room =
        (size_t)(width > OB_REPORT_WIDTH_MIN ? width : OB_REPORT_WIDTH_MIN) - LABEL_COLUMNS - 7;
    const size_t most = 2 * (size_t)SIDE_COLUMNS_MAX;
    room = room < most ? room : most;
    widen(&s->left, left);
    widen(&s->right, right);
    for (size_t i = 0; i < ASPECT_COUNT; i++) {
        widen(&s->left, recorded_side(&s->arena, &aspects[i], divergence));
        widen(&s->right, side(&s->arena, &aspects[i], divergence->now, divergence->step));
    }
    if (s->left + s->right <= room)
        return;
    if (s->left <= room / 2)
        s->right = room - s->left;
    else if (s->right <= room / 2)
        s->left = room - s->right;
    else
        s->left = s->right = room / 2;
}

void ob_divergence_draw(const struct ob_divergence *divergence,
                        const struct ob_lanes_options *options, struct ob_buf *out)
{
    struct side_by_side s = {.options = options, .out = out};
    bool recorded = step_of(divergence->recorded, divergence->step) ||
                    (!divergence->recorded && divergence->client);
    bool now = step_of(divergence->now, divergence->step);
    bool told = divergence->instead && *divergence->instead;
    const char *left = recorded ? "" : "nothing: the record ends here";
    const char *right = now ? "" : told ? divergence->instead : "nothing: the run had ended";
    ob_arena_init(&s.arena);
    share_width(&s, divergence, *left ? left : "recorded", *right ? right : "now");
    put_row(&s, "", "recorded", "now", false);
    if (*left || *right)
        put_row(&s, "", left, right, true);
    put_aspects(&s, divergence);
    ob_arena_clear(&s.arena);
}

/* --- JSON */

static json_t *step_json(struct ob_json_builder *b, const struct ob_report_timeline *timeline,
                         size_t index)
{
    const struct ob_report_step *step = step_of(timeline, index);
    return step ? ob_json_step(b, step) : json_null();
}

json_t *ob_divergence_json(const struct ob_divergence *divergence)
{
    struct ob_json_builder b = {.limits = ob_json_unlimited};
    ob_arena_init(&b.arena);
    json_t *object = json_object(), *differs = json_array();
    bool both = step_of(divergence->recorded, divergence->step) &&
                step_of(divergence->now, divergence->step);
    for (size_t i = 0; i < ASPECT_COUNT && both; i++)
        if (aspects[i].compared && !same(&b.arena, &aspects[i], divergence))
            ob_json_append(&b, differs, json_string(aspects[i].label));
    ob_json_put_count(&b, object, "step", divergence->step);
    ob_json_put(&b, object, "differs", differs);
    ob_json_put(&b, object, "recorded", step_json(&b, divergence->recorded, divergence->step));
    ob_json_put(&b, object, "now", step_json(&b, divergence->now, divergence->step));
    ob_arena_clear(&b.arena);
    return object;
}

json_t *ob_divergence_run_json(const struct ob_report_timeline *timeline)
{
    struct ob_json_builder b = {.limits = ob_json_unlimited};
    ob_arena_init(&b.arena);
    json_t *object = ob_json_timeline(&b, timeline);
    ob_arena_clear(&b.arena);
    return object;
}
