/*
 * permutation.c - one permutation, as a chooser of the engine's.
 *
 * What: the engine asks who goes next whenever the server is quiet.  Then, first, what has happened
 * since is reported: of the step launched last, and of those that wait, in the order of their
 * launches.  Then the next step is launched; or, while its session is busy, and once all have been
 * launched, a busy session is waited for.
 *
 * A step is active from its launch until its outcome was reported.  A report can be later than the
 * outcome: a blocker may hold it back.
 */
#include "spec/spec_int.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NO_LAUNCH SIZE_MAX

struct launch {
    const struct ob_spec_launch *given;
    unsigned *targets; /* for each blocker of notices: how many the session has to have sent */
};

struct session {
    struct ob_spec_performance *performance;
    size_t index;
    size_t active; /* its launch that was not reported yet, or NO_LAUNCH */
    unsigned notices;
};

enum phase {
    BEFORE,    /* nothing was launched */
    LAUNCHED,  /* a step was, and settled */
    AWAITED,   /* the session of the next step was waited for */
    REMAINING, /* all were launched; those that wait are waited for, one after the other */
};

struct ob_spec_performance {
    const struct ob_spec *spec;
    const struct ob_spec_options *options;
    const struct ob_spec_out *out;
    struct ob_pg_plain *plain;
    struct launch *launches;
    size_t launch_count, next; /* next: to be launched */
    struct session *sessions;
    struct ob_run_client *clients;
    size_t *waiting; /* launches, in their order */
    size_t waiting_count;
    enum phase phase;
    size_t awaited;            /* AWAITED: the launch that was waited for */
    size_t at, waiting_before; /* REMAINING: the place in waiting, and its size as the pass began */
    bool blockers_left;        /* REMAINING: one that still waits in this pass has blockers */
    bool new_notice;           /* since the pass began */
    bool failed;               /* it could not be completed, which was said */
};

static const struct ob_spec_step *step_of(const struct ob_spec_performance *p, size_t launch)
{
    return &p->spec->steps[p->launches[launch].given->step];
}

static struct session *session_of(const struct ob_spec_performance *p, size_t launch)
{
    return &p->sessions[step_of(p, launch)->session];
}

/* --- reporting */

static void say_notice(struct session *session, const struct ob_pg_said *said)
{
    struct ob_spec_performance *p = session->performance;
    if (said->kind == OB_PG_SAID_CANCELLED) {
        ob_spec_say(p->out, "isolationtester: canceling step %s after %d seconds\n",
                    step_of(p, session->active)->name, p->options->limit_s);
        return;
    }
    session->notices++;
    p->new_notice = true;
    ob_spec_say(p->out, "%s: %s", p->spec->sessions[session->index].name, said->text);
}

/* Says what came before the step's outcome; true when the outcome is there. */
static bool hear(struct session *session)
{
    struct ob_pg_plain *plain = session->performance->plain;
    const struct ob_pg_said *said;
    while ((said = ob_pg_plain_peek(plain, session->index)) != NULL) {
        if (said->kind == OB_PG_SAID_ANSWER)
            return true;
        say_notice(session, ob_pg_plain_next(plain, session->index));
    }
    return false;
}

static void say_notification(const struct ob_spec_performance *p, const struct session *session,
                             const PGnotify *notify)
{
    const char *name = p->spec->sessions[session->index].name;
    size_t sender = ob_pg_plain_client_of(p->plain, notify->be_pid);
    char pid[32];
    snprintf(pid, sizeof pid, "PID %d", notify->be_pid);
    ob_spec_say(p->out, "%s: NOTIFY \"%s\" with payload \"%s\" from %s\n", name, notify->relname,
                notify->extra, sender == OB_NO_CLIENT ? pid : p->spec->sessions[sender].name);
}

static void say_outcome(struct session *session)
{
    const struct ob_spec_performance *p = session->performance;
    const struct ob_pg_said *said;
    while ((said = ob_pg_plain_next(p->plain, session->index)) != NULL) {
        if (said->kind == OB_PG_SAID_RESULT)
            ob_spec_say_result(p->out, said->result);
        else if (said->kind == OB_PG_SAID_NOTIFY)
            say_notification(p, session, said->notify);
        else if (said->kind != OB_PG_SAID_ANSWER)
            say_notice(session, said);
    }
}

static bool waits_once(const struct ob_spec_launch *launch)
{
    for (size_t i = 0; i < launch->blocker_count; i++)
        if (launch->blockers[i].kind == OB_SPEC_ONCE)
            return true;
    return false;
}

static bool is_active(const struct ob_spec_performance *p, size_t step)
{
    size_t active = p->sessions[p->spec->steps[step].session].active;
    return active != NO_LAUNCH && p->launches[active].given->step == step;
}

/* Whether a blocker holds the report back. */
static bool is_held_back(const struct ob_spec_performance *p, const struct launch *launch)
{
    for (size_t i = 0; i < launch->given->blocker_count; i++) {
        const struct ob_spec_blocker *blocker = &launch->given->blockers[i];
        if (blocker->kind == OB_SPEC_STEP && is_active(p, blocker->step))
            return true;
        size_t session = p->spec->steps[blocker->step].session;
        if (blocker->kind == OB_SPEC_NOTICES && p->sessions[session].notices < launch->targets[i])
            return true;
    }
    return false;
}

/* Reports a step when it can be; true when it has to wait. */
static bool report(struct ob_spec_performance *p, size_t index, bool first)
{
    const struct launch *launch = &p->launches[index];
    const struct ob_spec_step *step = step_of(p, index);
    struct session *session = session_of(p, index);
    bool waits = (first && waits_once(launch->given)) || !hear(session) || is_held_back(p, launch);
    if (waits) {
        if (first)
            ob_spec_say(p->out, "step %s: %s <waiting ...>\n", step->name, step->sql);
        return true;
    }
    ob_spec_say(p->out, "step %s: %s\n", step->name, first ? step->sql : "<... completed>");
    say_outcome(session);
    session->active = NO_LAUNCH;
    return false;
}

static void remove_waiting(struct ob_spec_performance *p, size_t at)
{
    p->waiting_count--;
    memmove(&p->waiting[at], &p->waiting[at + 1], (p->waiting_count - at) * sizeof *p->waiting);
}

static void begin_pass(struct ob_spec_performance *p)
{
    p->at = 0;
    p->waiting_before = p->waiting_count;
    p->blockers_left = p->new_notice = false;
}

/* Reports the next one that waits, or passes it over. */
static void report_waiting(struct ob_spec_performance *p)
{
    size_t launch = p->waiting[p->at];
    if (report(p, launch, false)) {
        p->blockers_left |= p->launches[launch].given->blocker_count > 0;
        p->at++;
    } else {
        remove_waiting(p, p->at);
    }
}

/* Another pass may get further: a report or a notice of this one can have let a blocker go. */
static bool pass_again(const struct ob_spec_performance *p)
{
    return p->blockers_left && (p->waiting_count < p->waiting_before || p->new_notice);
}

static void report_all_waiting(struct ob_spec_performance *p)
{
    do {
        begin_pass(p);
        while (p->at < p->waiting_count)
            report_waiting(p);
    } while (pass_again(p));
}

/* The step that keeps the next one's session busy, before all others. */
static void report_awaited(struct ob_spec_performance *p)
{
    for (size_t i = 0; i < p->waiting_count; i++)
        if (p->waiting[i] == p->awaited && !report(p, p->awaited, false))
            remove_waiting(p, i);
    report_all_waiting(p);
}

/* What has happened since the last choice. */
static void catch_up(struct ob_spec_performance *p)
{
    if (p->phase == LAUNCHED) {
        bool waits = report(p, p->next, true);
        report_all_waiting(p);
        if (waits)
            p->waiting[p->waiting_count++] = p->next;
        p->next++;
    } else if (p->phase == AWAITED) {
        report_awaited(p);
    }
    if (p->phase != REMAINING)
        p->phase = BEFORE;
}

/* --- choosing */

static size_t option_of(const struct ob_choice_point *point, size_t client)
{
    for (size_t i = 0; i < point->option_count; i++)
        if (point->clients[i] == client)
            return i;
    return OB_CANNOT_FOLLOW;
}

static bool is_flying(const struct ob_choice_point *point, size_t client)
{
    return point && (point->flying >> client & 1);
}

static void say_late(struct ob_spec_performance *p, size_t launch)
{
    ob_spec_complain(p->out, "step %s timed out after %d seconds\n", step_of(p, launch)->name,
                     2 * p->options->limit_s);
    ob_spec_complain(p->out, "active steps are:");
    for (size_t i = 0; i < p->spec->session_count; i++)
        if (p->sessions[i].active != NO_LAUNCH)
            ob_spec_complain(p->out, " %s", step_of(p, p->sessions[i].active)->name);
    ob_spec_complain(p->out, "\n");
    p->failed = true;
}

/* The session of the next step is busy.  When its step has ended and its report is held back, only
 * others who are in flight can change that. */
static size_t await_session(struct ob_spec_performance *p, const struct ob_choice_point *point)
{
    const struct session *session = session_of(p, p->next);
    p->phase = AWAITED;
    if (is_flying(point, session->index))
        return option_of(point, session->index);
    for (size_t i = 0; i < p->spec->session_count; i++)
        if (is_flying(point, i))
            return option_of(point, i);
    say_late(p, session->active);
    return OB_CANNOT_FOLLOW;
}

static size_t launch_next(struct ob_spec_performance *p, const struct ob_choice_point *point)
{
    struct session *session = session_of(p, p->next);
    struct launch *launch = &p->launches[p->next];
    p->awaited = session->active;
    if (session->active != NO_LAUNCH && !is_flying(point, session->index))
        report_awaited(p);
    if (session->active != NO_LAUNCH)
        return await_session(p, point);
    for (size_t i = 0; i < launch->given->blocker_count; i++) {
        const struct ob_spec_blocker *blocker = &launch->given->blockers[i];
        launch->targets[i] =
            p->sessions[p->spec->steps[blocker->step].session].notices + blocker->notices;
    }
    session->active = p->next;
    p->phase = LAUNCHED;
    size_t option = option_of(point, session->index);
    assert(option != OB_CANNOT_FOLLOW);
    return option;
}

/* After the last launch: one step after the other, however long it takes.  point is NULL when
 * nothing is in flight any more. */
static size_t await_remaining(struct ob_spec_performance *p, const struct ob_choice_point *point)
{
    if (p->phase != REMAINING)
        begin_pass(p);
    p->phase = REMAINING;
    for (;;) {
        if (p->at < p->waiting_count) {
            size_t session = session_of(p, p->waiting[p->at])->index;
            if (is_flying(point, session))
                return option_of(point, session);
            report_waiting(p);
        } else if (pass_again(p)) {
            begin_pass(p);
        } else {
            break;
        }
    }
    if (p->waiting_count > 0) {
        ob_spec_complain(p->out, "failed to complete permutation due to mutually-blocking steps\n");
        p->failed = true;
    }
    return OB_CANNOT_FOLLOW;
}

static size_t choose(void *self, const struct ob_choice_point *point)
{
    struct ob_spec_performance *p = self;
    if (p->phase == AWAITED && is_flying(point, session_of(p, p->awaited)->index))
        return option_of(point, session_of(p, p->awaited)->index);
    catch_up(p);
    return p->next < p->launch_count ? launch_next(p, point) : await_remaining(p, point);
}

static void restart(void *self)
{
    (void)self; /* a performance is for one run */
}

struct ob_chooser ob_spec_performance_chooser(struct ob_spec_performance *p)
{
    return (struct ob_chooser){.self = p, .restart = restart, .choose = choose};
}

/* A step that went on after it was cancelled, and what it said until it was given up.  The engine
 * cancels it once more then, which isolationtester does not. */
static void say_given_up(struct ob_spec_performance *p, size_t launch)
{
    struct session *session = session_of(p, launch);
    const struct ob_pg_said *said;
    bool cancelled = false;
    while ((said = ob_pg_plain_peek(p->plain, session->index)) != NULL) {
        if (said->kind == OB_PG_SAID_ANSWER || (cancelled && said->kind == OB_PG_SAID_CANCELLED))
            break;
        cancelled |= said->kind == OB_PG_SAID_CANCELLED;
        say_notice(session, ob_pg_plain_next(p->plain, session->index));
    }
    ob_spec_complain(p->out, "step %s timed out after %d seconds\n", step_of(p, launch)->name,
                     2 * p->options->limit_s);
    p->failed = true;
}

bool ob_spec_performance_end(struct ob_spec_performance *p, enum ob_run_end end)
{
    if (end == OB_RUN_TIME_LIMIT) {
        size_t busy = p->phase == AWAITED ? p->awaited : p->next;
        if (p->phase == REMAINING)
            busy = p->waiting[p->at];
        say_given_up(p, busy);
    } else if (!p->failed && end == OB_RUN_FINISHED) {
        catch_up(p);
        (void)await_remaining(p, NULL);
    }
    return !p->failed && end == OB_RUN_FINISHED;
}

enum ob_result ob_spec_performance_lost(struct ob_spec_performance *p, bool *played,
                                        const struct ob_error *err)
{
    bool launching = p->phase == LAUNCHED && session_of(p, p->next)->active == p->next;
    if (launching && strcmp(err->message, OB_PG_PLAIN_SEND_FAILED) == 0)
        ob_spec_say(p->out, "%s for step %s: %s\n", err->message, step_of(p, p->next)->name,
                    err->detail);
    else
        ob_spec_complain(p->out, "%s: %s\n", err->message, err->detail);
    *played = false;
    return OB_OK;
}

/* --- clients */

/* Posts the session's steps in the order of the permutation. */
static void body(struct ob_client *client, void *arg)
{
    const struct session *session = arg;
    const struct ob_spec_performance *p = session->performance;
    for (size_t i = 0; i < p->launch_count; i++) {
        const struct ob_spec_step *step = step_of(p, i);
        if (step->session != session->index)
            continue;
        struct ob_reply reply;
        const struct ob_op op = {
            .kind = OB_OP_QUERY, .text = step->sql, .loose = waits_once(p->launches[i].given)};
        ob_client_do(client, &op, &reply);
        if (reply.status != OB_REPLY_DONE)
            return;
    }
}

struct ob_spec_performance *ob_spec_performance_new(const struct ob_spec *spec,
                                                    const struct ob_spec_permutation *permutation,
                                                    struct ob_pg_plain *plain,
                                                    const struct ob_spec_options *options,
                                                    const struct ob_spec_out *out)
{
    struct ob_spec_performance *p = ob_alloc(sizeof *p);
    *p = (struct ob_spec_performance){.spec = spec, .plain = plain, .options = options, .out = out};
    p->launch_count = permutation->launch_count;
    p->launches = ob_alloc(p->launch_count * sizeof *p->launches);
    p->waiting = ob_alloc(p->launch_count * sizeof *p->waiting);
    for (size_t i = 0; i < p->launch_count; i++) {
        const struct ob_spec_launch *given = &permutation->launches[i];
        p->launches[i].given = given;
        p->launches[i].targets = ob_alloc(given->blocker_count * sizeof(unsigned));
    }
    p->sessions = ob_alloc(spec->session_count * sizeof *p->sessions);
    p->clients = ob_alloc(spec->session_count * sizeof *p->clients);
    for (size_t i = 0; i < spec->session_count; i++) {
        p->sessions[i] = (struct session){.performance = p, .index = i, .active = NO_LAUNCH};
        p->clients[i] = (struct ob_run_client){
            .name = spec->sessions[i].name, .body = body, .arg = &p->sessions[i]};
    }
    return p;
}

void ob_spec_performance_free(struct ob_spec_performance *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->launch_count; i++)
        free(p->launches[i].targets);
    free(p->launches);
    free(p->waiting);
    free(p->sessions);
    free(p->clients);
    free(p);
}

const struct ob_run_client *ob_spec_performance_clients(struct ob_spec_performance *p)
{
    return p->clients;
}

void ob_spec_say_notices(struct ob_pg_plain *plain, size_t session, const char *name,
                         const struct ob_spec_out *out)
{
    const struct ob_pg_said *said;
    while ((said = ob_pg_plain_next(plain, session)) != NULL)
        ob_spec_say(out, "%s: %s", name, said->text);
}
