/*
 * make.c - from a trace and the script of its run to the steps of an export.
 *
 * A step of the run is named after its client and its number, as replays print it.  A session
 * "clock" sets the virtual time where it goes forward.
 */
#include "export/export.h"

#include "check/check.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As the clients' sessions are in a run (pg/session.c). */
#define SETTINGS "SET search_path = public; SET timezone = 'UTC'; SET datestyle = 'ISO';"
#define CLIENT_SETTINGS                                                                  \
    SETTINGS "\nSET enable_seqscan = off; SET enable_bitmapscan = off; SET jit = off;\n" \
             "SET max_parallel_workers_per_gather = 0;"

struct maker {
    const struct ob_export_source *source;
    struct ob_export *out;
    size_t sessions[OB_CLIENTS_MAX]; /* of the clients; SIZE_MAX: it sends nothing */
    size_t clock, check;             /* sessions; clock SIZE_MAX: there is none */
    size_t *places;                  /* of each step of the run among the export's */
    bool open[OB_CLIENTS_MAX];       /* a transaction is */
    int64_t now_us;                  /* what the clock says */
    struct ob_buf remark;
};

static bool is_sent(enum ob_op_kind kind)
{
    return kind == OB_OP_BEGIN || kind == OB_OP_STATEMENT || kind == OB_OP_QUERY ||
           kind == OB_OP_COMMIT || kind == OB_OP_ROLLBACK || kind == OB_OP_KILL;
}

/* --- what cannot be taken elsewhere */

static enum ob_result refuse(struct ob_error *err, const char *why)
{
    ob_error_detail(err, "%s", why);
    ob_error_hint(err, "\"overbook replay\" can do it again.");
    return OB_INPUT;
}

static enum ob_result check_steps(const struct ob_trace *trace, const char *const *names,
                                  struct ob_error *err)
{
    for (size_t i = 0; i < trace->step_count; i++) {
        const struct ob_step *step = &trace->steps[i];
        const char *name = names[step->client];
        if (step->gated != 0 || step->kind == OB_OP_GATE) {
            ob_error_set(err, OB_INPUT, "step %zu of %s stops within a statement", i + 1, name);
            return refuse(err, "No other tool stops a statement between its snapshot and its run.");
        }
        if (step->wake_count > 0) {
            ob_error_set(err, OB_INPUT, "in step %zu of %s it is chosen who of several goes on",
                         i + 1, name);
            return refuse(err, "Elsewhere which of those who wait for a lock goes on is the "
                               "server's choice.");
        }
        if (step->uncontrolled) {
            ob_error_set(err, OB_INPUT, "step %zu of %s went as the server chose", i + 1, name);
            return refuse(err, "It may go another way each time.");
        }
    }
    return OB_OK;
}

static enum ob_result check_run(const struct ob_export_source *source, struct ob_error *err)
{
    enum ob_result result = check_steps(source->trace, source->client_names, err);
    if (result != OB_OK || source->trace->end == OB_RUN_FINISHED)
        return result;
    ob_error_set(err, OB_INPUT, "the run does not come to an end: %s",
                 ob_run_end_text(source->trace->end));
    return refuse(err, "Other tools would wait for ever.");
}

/* --- sessions */

/* A name that no client has. */
static const char *free_name(struct maker *m, const char *wanted)
{
    const char *name = wanted;
    for (size_t i = 0; i < m->source->client_count; i++) {
        if (strcmp(m->source->client_names[i], name) != 0)
            continue;
        name = ob_arena_printf(&m->out->arena, "%s-", name);
        i = SIZE_MAX; /* from the beginning again */
    }
    return name;
}

static size_t add_session(struct maker *m, const char *name, const char *settings,
                          const char *setup)
{
    struct ob_arena *arena = &m->out->arena;
    m->out->sessions[m->out->session_count] = (struct ob_export_session){
        .name = ob_arena_strdup(arena, name),
        .setup = ob_arena_printf(arena, "%s%s%s", settings, setup ? "\n" : "", setup ? setup : ""),
    };
    return m->out->session_count++;
}

static bool moves_clock(const struct ob_export_source *source)
{
    int64_t start_us = source->script->op_count > 0 ? source->script->ops[0].now_us : 0;
    for (size_t i = 0; i < source->trace->step_count; i++)
        if (source->trace->steps[i].kind == OB_OP_CLOCK ||
            source->script->ops[i].now_us != start_us)
            return true;
    return false;
}

static bool dies(const struct ob_completion *completion)
{
    /* A fault's error is raised by a statement that says so. */
    return strcmp(completion->sqlstate, "40P01") == 0 &&
           strcmp(completion->message, "injected") != 0;
}

/* Bit i: client i is the victim of a deadlock. */
static ob_client_set victims(const struct ob_trace *trace)
{
    ob_client_set set = 0;
    for (size_t i = 0; i < trace->step_count; i++)
        for (size_t k = 0; k < trace->steps[i].completion_count; k++)
            if (dies(&trace->steps[i].completions[k]))
                set |= (ob_client_set)1 << trace->steps[i].completions[k].client;
    return set;
}

/* Who looks for a deadlock, dies: so nobody but the victim does. */
static const char *client_setup(struct maker *m, size_t client, ob_client_set dying)
{
    const char *own = m->source->script->sessions[client];
    if (dying == 0)
        return own;
    return ob_arena_printf(&m->out->arena, "SET deadlock_timeout = '%s';%s%s",
                           dying >> client & 1 ? "10ms" : "1h", own ? "\n" : "", own ? own : "");
}

static void make_sessions(struct maker *m)
{
    const struct ob_export_source *source = m->source;
    ob_client_set dying = victims(source->trace), sending = 0;
    for (size_t i = 0; i < source->trace->step_count; i++)
        if (is_sent(source->trace->steps[i].kind))
            sending |= (ob_client_set)1 << source->trace->steps[i].client;
    m->out->sessions =
        ob_arena_alloc(&m->out->arena, (source->client_count + 2) * sizeof *m->out->sessions);
    for (size_t i = 0; i < source->client_count; i++) {
        m->sessions[i] = SIZE_MAX;
        if (sending >> i & 1)
            m->sessions[i] =
                add_session(m, source->client_names[i], CLIENT_SETTINGS, client_setup(m, i, dying));
    }
    m->clock = SIZE_MAX;
    if (moves_clock(source))
        m->clock = add_session(m, free_name(m, "clock"), SETTINGS, NULL);
    m->check = add_session(m, free_name(m, "check"), SETTINGS, NULL);
}

/* --- steps */

static struct ob_export_step *add_step(struct maker *m, size_t session, const char *name,
                                       const char *sql)
{
    struct ob_export *out = m->out;
    out->steps = ob_grow(out->steps, &out->step_capacity, out->step_count + 1, sizeof *out->steps);
    struct ob_export_step *step = &out->steps[out->step_count];
    *step = (struct ob_export_step){
        .session = session,
        .name = ob_arena_strdup(&out->arena, name),
        .sql = ob_arena_strdup(&out->arena, sql),
        .remark = m->remark.size > 0 ? ob_arena_strdup(&out->arena, m->remark.data) : NULL,
        .end = out->step_count++,
    };
    ob_buf_reset(&m->remark);
    return step;
}

static const char *step_name(struct maker *m, size_t session, size_t number, const char *suffix)
{
    return ob_arena_printf(&m->out->arena, "%s-%zu%s", m->out->sessions[session].name, number,
                           suffix);
}

static void set_clock(struct maker *m, size_t number, const char *suffix, int64_t time_us)
{
    bool own = m->source->scenario->target != OB_TARGET_REFERENCE;
    const char *sql = ob_arena_printf(&m->out->arena, "SELECT setval('%s', %" PRId64 ")",
                                      own ? "overbook.clock" : "booking.clock", time_us);
    (void)add_step(m, m->clock, step_name(m, m->clock, number, suffix), sql);
    m->now_us = time_us;
}

/* What the end of a session undoes is undone without ending it, as in the run. */
static void end_session(struct maker *m, size_t client, size_t number)
{
    size_t session = m->sessions[client];
    ob_buf_printf(&m->remark, "%s%s's session ends", m->remark.size > 0 ? "; " : "",
                  m->source->client_names[client]);
    if (m->open[client])
        (void)add_step(m, session, step_name(m, session, number, ""), "ROLLBACK");
    (void)add_step(m, session, step_name(m, session, number, "-end"), "DISCARD ALL");
    (void)add_step(m, session, step_name(m, session, number, "-new"),
                   m->out->sessions[session].setup);
    m->open[client] = false;
}

static void note_transactions(struct maker *m, const struct ob_step *step)
{
    for (size_t i = 0; i < step->completion_count; i++)
        m->open[step->completions[i].client] = step->completions[i].open;
}

static bool ends_in_deadlock(const struct ob_trace *trace, size_t index)
{
    const struct ob_step *step = &trace->steps[index];
    for (size_t i = 0; i < step->completion_count; i++)
        if (step->completions[i].client == step->client && dies(&step->completions[i]))
            return true;
    return false;
}

/* Others go on when the server has found the deadlock.  Who launches steps waits for that where the
 * victim's session is to do the next one, whatever that is. */
static bool goes_on_itself(const struct ob_trace *trace, size_t index)
{
    const struct ob_step *next = &trace->steps[index + 1];
    return index + 1 < trace->step_count && next->client == trace->steps[index].client &&
           is_sent(next->kind) && next->kind != OB_OP_KILL;
}

static void await_end(struct maker *m, const struct ob_step *step, size_t number)
{
    size_t session = m->sessions[step->client];
    struct ob_export_step *added =
        add_step(m, session, step_name(m, session, number, "-over"), "SELECT 1");
    if (m->open[step->client])
        snprintf(added->sqlstate, sizeof added->sqlstate, "25P02");
}

static void take_step(struct maker *m, size_t index)
{
    const struct ob_step *step = &m->source->trace->steps[index];
    const struct ob_script_op *op = &m->source->script->ops[index];
    const char *name = m->source->client_names[step->client];
    size_t session = m->sessions[step->client];
    if (op->now_us != m->now_us)
        set_clock(m, index + 1, "", op->now_us);
    if (step->kind == OB_OP_CLOCK)
        set_clock(m, index + 1, "-set", op->time_us > op->now_us ? op->time_us : op->now_us);
    else if (step->kind == OB_OP_KILL)
        end_session(m, step->client, index + 1);
    else if (is_sent(step->kind))
        (void)add_step(m, session, step_name(m, session, index + 1, ""), op->sql);
    else
        ob_buf_printf(&m->remark, "%s%s: %s", m->remark.size > 0 ? "; " : "", name, step->text);
    m->places[index] = m->out->step_count - (m->out->step_count > 0);
    if (ends_in_deadlock(m->source->trace, index) && !goes_on_itself(m->source->trace, index))
        await_end(m, step, index + 1);
    note_transactions(m, step);
}

/* The completion of what the client had under way in that step, and the step in which it came. */
static const struct ob_completion *completion_of(const struct ob_trace *trace, size_t *index)
{
    size_t client = trace->steps[*index].client;
    for (; *index < trace->step_count; ++*index)
        for (size_t i = 0; i < trace->steps[*index].completion_count; i++)
            if (trace->steps[*index].completions[i].client == client)
                return &trace->steps[*index].completions[i];
    return NULL;
}

static void note_outcome(struct maker *m, size_t index)
{
    const struct ob_trace *trace = m->source->trace;
    const struct ob_step *ran = &trace->steps[index];
    if (!is_sent(ran->kind) || ran->kind == OB_OP_KILL)
        return;
    struct ob_export_step *step = &m->out->steps[m->places[index]];
    size_t end = index;
    const struct ob_completion *completion = completion_of(trace, &end);
    step->known = true;
    step->waits = ran->blocked >> ran->client & 1;
    step->end = completion ? m->places[end] : SIZE_MAX;
    if (!completion)
        return;
    step->dies = dies(completion);
    snprintf(step->sqlstate, sizeof step->sqlstate, "%s", completion->sqlstate);
    step->row_count = completion->row_count;
    step->digest = completion->digest;
}

/* --- what is done around the run */

static bool is_later(const struct ob_event *event, const struct ob_broken *broken)
{
    return event->step != OB_BEFORE_ALL && event->step > broken->step;
}

static enum ob_result add_check(struct maker *m, struct ob_error *err)
{
    const struct ob_export_source *source = m->source;
    const struct ob_invariant_ref *ref = &source->scenario->invariants[source->item];
    const char *sql = ref->sql ? ref->sql : ob_invariant_find(ref->name)->sql;
    struct ob_buf query;
    ob_buf_init(&query, SIZE_MAX);
    struct ob_trace until = *source->trace;
    while (until.event_count > 0 && is_later(&until.events[until.event_count - 1], source->broken))
        until.event_count--;
    enum ob_result result =
        ob_check_alone(sql, &until, source->client_names, &m->out->reads_history, &query, err);
    m->out->check = m->out->step_count;
    if (result == OB_OK)
        (void)add_step(m, m->check, m->out->sessions[m->check].name, query.data);
    ob_buf_clear(&query);
    return result;
}

static enum ob_result make_steps(struct maker *m, struct ob_error *err)
{
    const struct ob_export_source *source = m->source;
    size_t count = source->trace->step_count;
    enum ob_result result = OB_OK;
    m->places = ob_alloc(count * sizeof *m->places);
    m->now_us = source->script->op_count > 0 ? source->script->ops[0].now_us : 0;
    for (size_t i = 0; i < count && result == OB_OK; i++) {
        take_step(m, i);
        if (source->broken->step == i)
            result = add_check(m, err);
    }
    if (result == OB_OK && source->broken->step >= count)
        result = add_check(m, err);
    for (size_t i = 0; i < count && result == OB_OK; i++)
        note_outcome(m, i);
    free(m->places);
    return result;
}

/* Nobody asks what time it is. */
static bool needs_no_clock(const struct maker *m)
{
    const struct ob_script *script = m->source->script;
    bool needed = m->clock != SIZE_MAX;
    for (size_t i = script->clock_count; i < script->setup_count; i++)
        needed |= strcasestr(script->setups[i], "overbook") != NULL;
    for (size_t i = 0; i < m->out->session_count; i++)
        needed |= strcasestr(m->out->sessions[i].setup, "overbook") != NULL;
    for (size_t i = 0; i < m->out->step_count; i++)
        needed |= strcasestr(m->out->steps[i].sql, "overbook") != NULL;
    return !needed;
}

static void copy_setups(struct maker *m)
{
    const struct ob_script *script = m->source->script;
    struct ob_export *out = m->out;
    size_t first = needs_no_clock(m) ? script->clock_count : 0;
    out->setups = ob_arena_alloc(&out->arena, script->setup_count * sizeof *out->setups);
    for (size_t i = first; i < script->setup_count; i++)
        out->setups[out->setup_count++] = ob_arena_strdup(&out->arena, script->setups[i]);
}

static void copy_texts(const struct ob_export_source *source, struct ob_export *out)
{
    const struct ob_scenario *scenario = source->scenario;
    struct ob_arena *arena = &out->arena;
    out->scenario = ob_arena_strdup(arena, scenario->name);
    out->variant = ob_arena_strdup(arena, scenario->variants[source->variant].name);
    out->about = ob_arena_strdup(arena, scenario->about);
    out->invariant = ob_arena_strdup(arena, scenario->invariants[source->item].name);
    out->token = ob_arena_strdup(arena, source->token);
    out->rows = ob_arena_strdup(arena, source->broken->rows);
}

enum ob_result ob_export_make(const struct ob_export_source *source, struct ob_export *out,
                              struct ob_error *err)
{
    enum ob_result result = check_run(source, err);
    if (result != OB_OK)
        return result;
    assert(source->script->op_count == source->trace->step_count);
    struct ob_export made = {0};
    struct maker m = {.source = source, .out = &made};
    ob_arena_init(&made.arena);
    ob_buf_init(&m.remark, 1 << 16);
    copy_texts(source, &made);
    make_sessions(&m);
    result = make_steps(&m, err);
    ob_buf_clear(&m.remark);
    copy_setups(&m);
    if (result == OB_OK)
        *out = made;
    else
        ob_export_clear(&made);
    return result;
}

void ob_export_clear(struct ob_export *export)
{
    free(export->steps);
    ob_arena_clear(&export->arena);
    *export = (struct ob_export){0};
}
