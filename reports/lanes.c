#include "lanes.h"

#include "report_int.h"
#include "step_text.h"

#include <stdlib.h>
#include <string.h>

#define NAME_COLUMNS_MAX 14 /* of a name that is longer only so much is shown */
#define ROOM_MIN 24         /* columns for what is done, whatever else there is */

enum sign {
    EMPTY,
    LANE,
    WAITING, /* goes on waiting */
    STEP,
    BLOCKS, /* begins to wait */
    WAKES,  /* goes on */
    FAULT,
    LINE,       /* between two lanes */
    DASH,       /* the same, for who waits */
    CROSSING,   /* of a line and a lane */
    FROM_LEFT,  /* a line begins at this lane and goes to the right */
    FROM_RIGHT, /* and to the left */
    CONFLICT,   /* in front of a step */
    NOT_THE_SAME,
    ARROW,
    SIGN_COUNT
};

static const struct {
    const char *unicode, *ascii;
} signs[SIGN_COUNT] = {
    [EMPTY] = {" ", " "},
    [LANE] = {"\xe2\x94\x82", "|"},
    [WAITING] = {"\xe2\x94\x8a", ":"},
    [STEP] = {"\xe2\x97\x8f", "*"},
    [BLOCKS] = {"\xe2\x97\x8c", "o"},
    [WAKES] = {"\xe2\x97\x8b", "@"},
    [FAULT] = {"\xc3\x97", "x"},
    [LINE] = {"\xe2\x94\x80", "-"},
    [DASH] = {"\xe2\x95\x8c", "-"},
    [CROSSING] = {"\xe2\x94\xbc", "+"},
    [FROM_LEFT] = {"\xe2\x94\x9c", "+"},
    [FROM_RIGHT] = {"\xe2\x94\xa4", "+"},
    [CONFLICT] = {"\xc2\xbb", ">"},
    [NOT_THE_SAME] = {"\xe2\x89\xa0", "#"},
    [ARROW] = {"\xe2\x86\x92", "->"},
};

#define PLAIN "\x1b[0m"
#define DIM "\x1b[2m"
#define BOLD "\x1b[1m"
#define RED "\x1b[31m"
#define YELLOW "\x1b[33m"

/* One after the other, of the clients. */
static const char *const colors[] = {"\x1b[36m", "\x1b[35m", "\x1b[32m", "\x1b[34m"};

struct drawing {
    const struct ob_report_timeline *timeline;
    const struct ob_lanes_options *options;
    struct ob_buf *out;
    struct ob_arena arena; /* of one line */

    /* Found before the first line. */
    size_t lanes[OB_REPORT_CLIENTS_MAX]; /* clients, in the order of their lanes */
    size_t lane_count;
    size_t pitch;                       /* columns of a lane: 2, or 1 or 0 where there is no room */
    size_t last[OB_REPORT_CLIENTS_MAX]; /* the step of the client's last line; OB_LANES_NONE: it has
                                           no lane */
    size_t number_columns, name_columns, kind_columns, width;

    /* While lines are drawn. */
    bool begun[OB_REPORT_CLIENTS_MAX];
    ob_report_clients waiting; /* for a lock, until the step being drawn */
};

/* A line as it is put together; the texts are of visible characters. */
struct line {
    size_t step;            /* its number, or OB_LANES_NONE */
    size_t at;              /* the step to which it belongs */
    size_t client;          /* or OB_REPORT_NOBODY */
    enum sign sign;         /* at the client's lane */
    ob_report_clients ends; /* lanes to which a line goes from there */
    enum sign joint;        /* what that is made of: LINE or DASH */
    const char *kind, *text, *params, *came_to;
    bool failed, note;
};

/* --- before the first line */

static void note_end(struct drawing *d, size_t client, size_t step)
{
    if (client != OB_REPORT_NOBODY)
        d->last[client] = step;
}

static void widen(size_t *columns, const char *text, size_t max)
{
    size_t needed = ob_report_columns(text);
    needed = needed < max ? needed : max;
    *columns = needed > *columns ? needed : *columns;
}

static void measure_notes(struct drawing *d, const struct ob_report_note *notes, size_t count,
                          size_t step)
{
    for (size_t i = 0; i < count; i++) {
        note_end(d, notes[i].client, step);
        widen(&d->kind_columns, ob_report_line(&d->arena, notes[i].kind, d->options->unicode),
              NAME_COLUMNS_MAX);
    }
}

static void measure_steps(struct drawing *d)
{
    const struct ob_report_timeline *timeline = d->timeline;
    measure_notes(d, timeline->before, timeline->before_count, 0);
    for (size_t i = 0; i < timeline->step_count; i++) {
        const struct ob_report_step *step = &timeline->steps[i];
        note_end(d, step->client, i);
        for (size_t k = 0; k < timeline->client_count; k++)
            if (ob_step_has(step->woken | step->gated | step->blocked, k))
                note_end(d, k, i);
        for (size_t k = 0; k < timeline->client_count; k++)
            if (k != step->client && ob_step_has(step->woken | step->gated, k))
                widen(&d->kind_columns, "goes on", NAME_COLUMNS_MAX);
        widen(&d->kind_columns, step->kind, NAME_COLUMNS_MAX);
        measure_notes(d, step->notes, step->note_count, i);
    }
}

/* Of a run that goes on everybody has a lane, whose end is not known. */
static void measure(struct drawing *d, bool goes_on)
{
    const struct ob_report_timeline *timeline = d->timeline;
    for (size_t i = 0; i < timeline->client_count; i++)
        d->last[i] = OB_LANES_NONE;
    measure_steps(d);
    for (size_t i = 0; i < timeline->client_count; i++) {
        if (goes_on)
            d->last[i] = timeline->step_count;
        if (d->last[i] == OB_LANES_NONE)
            continue;
        d->lanes[d->lane_count++] = i;
        widen(&d->name_columns,
              ob_report_line(&d->arena, timeline->clients[i], d->options->unicode),
              NAME_COLUMNS_MAX);
    }
    int width = d->options->width;
    d->width = (size_t)(width > OB_REPORT_WIDTH_MIN ? width : OB_REPORT_WIDTH_MIN);
    d->pitch = 2 * d->lane_count <= d->width / 3 ? 2 : d->lane_count <= d->width / 3;
    d->number_columns = ob_report_columns(ob_arena_printf(&d->arena, "%zu", timeline->step_count));
}

/* --- pieces of a line */

static void styled(struct drawing *d, const char *style, const char *text)
{
    bool shown = d->options->color && style[0] != '\0' && text[strspn(text, " ")] != '\0';
    ob_buf_printf(d->out, "%s%s%s", shown ? style : "", text, shown ? PLAIN : "");
}

static void padded(struct drawing *d, const char *style, const char *text, size_t columns)
{
    text = ob_report_fit(&d->arena, ob_report_line(&d->arena, text, d->options->unicode), columns,
                         d->options->unicode);
    styled(d, style, text);
    ob_buf_printf(d->out, "%*s", (int)(columns - ob_report_columns(text)), "");
}

static const char *color_of(size_t client)
{
    return colors[client % (sizeof colors / sizeof *colors)];
}

static const char *text_of(const struct drawing *d, enum sign sign)
{
    return d->options->unicode ? signs[sign].unicode : signs[sign].ascii;
}

static size_t lane_of(const struct drawing *d, size_t client)
{
    for (size_t i = 0; i < d->lane_count; i++)
        if (d->lanes[i] == client)
            return i;
    return OB_LANES_NONE;
}

/* The lanes that the line's joints span. */
static void span(const struct drawing *d, const struct line *line, size_t *left, size_t *right)
{
    *left = *right = lane_of(d, line->client);
    for (size_t i = 0; i < d->lane_count; i++) {
        if (!ob_step_has(line->ends, d->lanes[i]))
            continue;
        *left = i < *left ? i : *left;
        *right = i > *right ? i : *right;
    }
}

static enum sign sign_at(const struct drawing *d, const struct line *line, size_t lane, size_t left,
                         size_t right)
{
    size_t client = d->lanes[lane];
    if (client == line->client)
        return line->sign;
    bool spanned = line->ends != 0 && left <= lane && lane <= right;
    if (ob_step_has(line->ends, client))
        return lane == left ? FROM_LEFT : lane == right ? FROM_RIGHT : CROSSING;
    bool there = d->begun[client] && line->at <= d->last[client];
    if (spanned)
        return there ? CROSSING : line->joint;
    if (ob_step_has(d->waiting, client))
        return WAITING;
    return there ? LANE : EMPTY;
}

static void put_lanes(struct drawing *d, const struct line *line)
{
    size_t left, right;
    span(d, line, &left, &right);
    if (line->client != OB_REPORT_NOBODY)
        d->begun[line->client] = true;
    for (size_t i = 0; i < d->lane_count && d->pitch > 0; i++) {
        enum sign sign = sign_at(d, line, i, left, right);
        const char *style = sign == WAITING || sign == BLOCKS ? YELLOW
                            : sign == FAULT                   ? RED
                                                              : color_of(d->lanes[i]);
        bool joined = line->ends != 0 && left <= i && i < right;
        styled(d, style, text_of(d, sign));
        if (d->pitch > 1)
            styled(d, color_of(line->client == OB_REPORT_NOBODY ? 0 : line->client),
                   text_of(d, joined ? line->joint : EMPTY));
    }
}

/* What is done, with what, and what it came to: shortened in that order, so that the last stays. */
static void put_text(struct drawing *d, const struct line *line, size_t room)
{
    bool unicode = d->options->unicode;
    const char *came_to = ob_report_line(&d->arena, line->came_to, unicode);
    const char *params = ob_report_line(&d->arena, line->params, unicode);
    const char *text = ob_report_line(&d->arena, line->text, unicode);
    const char *arrow = text_of(d, ARROW);
    size_t arrow_columns = *came_to && *text ? ob_report_columns(arrow) + 2 : 0;
    size_t needed = ob_report_columns(text) + arrow_columns, half = room / 2;
    came_to = ob_report_fit(&d->arena, came_to, needed < half ? room - needed : half, unicode);
    room -= ob_report_columns(came_to) + arrow_columns;
    needed = ob_report_columns(text) + 2;
    size_t left = needed < room ? room - needed : 0, share = room * 2 / 5;
    if (*params) {
        params = ob_report_fit(&d->arena, params, left > share ? left : share, unicode);
        room -= ob_report_columns(params) + 2;
    }
    styled(d, line->note ? DIM : "", ob_report_fit(&d->arena, text, room, unicode));
    if (*params)
        ob_buf_puts(d->out, "  ");
    styled(d, DIM, params);
    if (arrow_columns > 0)
        ob_buf_printf(d->out, " %s ", arrow);
    styled(d, line->failed ? RED : line->sign == BLOCKS ? YELLOW : "", came_to);
}

static bool has_pair(const struct ob_lanes_options *options)
{
    return options->first != options->second && options->first != OB_LANES_NONE &&
           options->second != OB_LANES_NONE;
}

static void put_line(struct drawing *d, const struct line *line)
{
    const struct ob_lanes_options *options = d->options;
    bool other = line->step != OB_LANES_NONE && line->step == options->other;
    bool conflict = has_pair(options) && line->step != OB_LANES_NONE &&
                    (line->step == options->first || line->step == options->second);
    styled(d, BOLD RED, text_of(d, other ? NOT_THE_SAME : conflict ? CONFLICT : EMPTY));
    if (line->step != OB_LANES_NONE)
        ob_buf_printf(d->out, " %*zu ", (int)d->number_columns, line->step + 1);
    else
        ob_buf_printf(d->out, " %*s ", (int)d->number_columns, "");
    put_lanes(d, line);
    ob_buf_putc(d->out, ' ');
    bool nobodys = line->client == OB_REPORT_NOBODY;
    padded(d, nobodys ? "" : color_of(line->client),
           nobodys ? "" : d->timeline->clients[line->client], d->name_columns);
    ob_buf_puts(d->out, "  ");
    padded(d, line->note ? DIM : "", line->kind, d->kind_columns);
    ob_buf_puts(d->out, "  ");
    size_t used = 2 + d->number_columns + 1 + d->pitch * d->lane_count + 1 + d->name_columns + 2 +
                  d->kind_columns + 2;
    put_text(d, line, d->width > used + ROOM_MIN ? d->width - used : ROOM_MIN);
    while (d->out->size > 0 && d->out->data[d->out->size - 1] == ' ')
        d->out->data[--d->out->size] = '\0';
    ob_buf_putc(d->out, '\n');
    ob_arena_reset(&d->arena);
}

/* --- lines */

static void put_notes(struct drawing *d, const struct ob_report_note *notes, size_t count,
                      size_t step)
{
    for (size_t i = 0; i < count; i++) {
        bool fault = strcmp(notes[i].kind, "fault") == 0;
        const struct line line = {
            .step = OB_LANES_NONE,
            .at = step,
            .client = notes[i].client,
            .sign = fault ? FAULT : LANE,
            .kind = notes[i].kind,
            .text = ob_step_text_note(&d->arena, &notes[i]),
            .params = "",
            .came_to = "",
            .note = true,
        };
        put_line(d, &line);
    }
}

static bool has_failed(const struct ob_report_step *step, size_t client)
{
    for (size_t i = 0; i < step->ended_count; i++)
        if (step->ended[i].client == client)
            return step->ended[i].sqlstate[0] != '\0' &&
                   strcmp(step->ended[i].sqlstate, "00000") != 0;
    return false;
}

/* Who goes on because of the step. */
static void put_woken(struct drawing *d, size_t index, size_t client)
{
    const struct ob_report_step *step = &d->timeline->steps[index];
    const char *came_to = ob_step_text_came_to(&d->arena, d->timeline, step, client);
    if (client == step->client || !came_to)
        return;
    bool waits = ob_step_has(step->blocked, client);
    const struct line line = {
        .step = OB_LANES_NONE,
        .at = index,
        .client = client,
        .sign = waits ? BLOCKS : WAKES,
        .ends = (ob_report_clients)1 << step->client,
        .joint = LINE,
        .kind = waits ? "waits" : "goes on",
        .text = "",
        .params = "",
        .came_to = came_to,
        .failed = has_failed(step, client),
    };
    put_line(d, &line);
    if (!waits)
        d->waiting &= ~((ob_report_clients)1 << client);
}

static void put_step(struct drawing *d, size_t index)
{
    const struct ob_report_timeline *timeline = d->timeline;
    const struct ob_report_step *step = &timeline->steps[index];
    ob_report_clients own = (ob_report_clients)1 << step->client;
    bool waits = (step->blocked & own) != 0;
    const struct line line = {
        .step = index,
        .at = index,
        .client = step->client,
        .sign = waits ? BLOCKS : STEP,
        .ends = waits ? step->holders & ~own : 0,
        .joint = DASH,
        .kind = step->kind,
        .text = step->text,
        .params = step->params,
        .came_to = ob_step_text_came_to(&d->arena, timeline, step, step->client),
        .failed = has_failed(step, step->client),
    };
    put_line(d, &line);
    if (waits)
        d->waiting |= own;
    for (size_t i = 0; i < timeline->client_count; i++)
        if (ob_step_has(step->woken | step->gated, i))
            put_woken(d, index, i);
    d->waiting = step->blocked;
    put_notes(d, step->notes, step->note_count, index);
}

static void put_end(struct drawing *d)
{
    const struct ob_report_timeline *timeline = d->timeline;
    const struct ob_lanes_options *options = d->options;
    const char *reason = ob_report_line(&d->arena, timeline->reason, options->unicode);
    const char *end =
        ob_arena_printf(&d->arena, "end: %s%s%s", timeline->end, *reason ? ": " : "", reason);
    int indent = (int)d->number_columns + 3;
    ob_buf_printf(d->out, "%*s%s\n", indent, "",
                  ob_report_fit(&d->arena, end, d->width - (size_t)indent, options->unicode));
    if (has_pair(options))
        ob_buf_printf(d->out, "%*sin conflict: steps %zu and %zu\n", indent, "", options->first + 1,
                      options->second + 1);
}

static void begin(struct drawing *d, const struct ob_report_timeline *timeline, bool goes_on,
                  const struct ob_lanes_options *options, struct ob_buf *out)
{
    *d = (struct drawing){.timeline = timeline, .options = options, .out = out};
    ob_arena_init(&d->arena);
    measure(d, goes_on);
}

void ob_lanes_draw(const struct ob_report_timeline *timeline,
                   const struct ob_lanes_options *options, struct ob_buf *out)
{
    struct drawing d;
    begin(&d, timeline, false, options, out);
    put_notes(&d, timeline->before, timeline->before_count, 0);
    for (size_t i = 0; i < timeline->step_count; i++)
        put_step(&d, i);
    put_end(&d);
    ob_arena_clear(&d.arena);
}

void ob_lanes_draw_step(const struct ob_report_timeline *timeline, size_t step,
                        const struct ob_lanes_options *options, struct ob_buf *out)
{
    struct drawing d;
    begin(&d, timeline, true, options, out);
    for (size_t i = 0; i < step; i++)
        d.begun[timeline->steps[i].client] = true;
    d.waiting = step > 0 ? timeline->steps[step - 1].blocked : 0;
    put_step(&d, step);
    ob_arena_clear(&d.arena);
}
