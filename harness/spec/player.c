#include "spec/spec_int.h"

#include "base/alloc.h"

#include <stdlib.h>

struct playing {
    const struct ob_spec *spec;
    const struct ob_spec_options *options;
    const struct ob_spec_out *out;
    struct ob_pg_plain *plain;
    struct ob_engine *engine;
    struct ob_trace trace;
};

/* What a setup or teardown came to: rows are shown, an error's text goes to the caller's format. */
static bool say_last(struct playing *p, PGresult *result, size_t session, const char *what)
{
    ExecStatusType status = PQresultStatus(result);
    const char *message = ob_pg_plain_message(p->plain, session);
    bool done = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    if (session != OB_NO_CLIENT)
        ob_spec_say_notices(p->plain, session, p->spec->sessions[session].name, p->out);
    if (status == PGRES_TUPLES_OK)
        ob_spec_say_table(p->out, result);
    else if (!done && session == OB_NO_CLIENT)
        ob_spec_complain(p->out, "%s failed: %s", what, message);
    else if (!done)
        ob_spec_complain(p->out, "%s of session %s failed: %s", what,
                         p->spec->sessions[session].name, message);
    PQclear(result);
    return done;
}

static bool run_one(struct playing *p, size_t session, const char *sql, const char *what)
{
    return !sql || say_last(p, ob_pg_plain_exec(p->plain, session, sql), session, what);
}

static bool set_up(struct playing *p)
{
    bool done = true;
    for (size_t i = 0; i < p->spec->setup_count && done; i++)
        done = run_one(p, OB_NO_CLIENT, p->spec->setups[i], "setup");
    for (size_t i = 0; i < p->spec->session_count && done; i++)
        done = run_one(p, i, p->spec->sessions[i].setup, "setup");
    return done;
}

/* A failure was said, and changes nothing. */
static void tear_down(struct playing *p)
{
    for (size_t i = 0; i < p->spec->session_count; i++)
        (void)run_one(p, i, p->spec->sessions[i].teardown, "teardown");
    (void)run_one(p, OB_NO_CLIENT, p->spec->teardown, "teardown");
}

static enum ob_result perform(struct playing *p, const struct ob_spec_permutation *permutation,
                              bool *played, struct ob_error *err)
{
    struct ob_spec_performance *performance =
        ob_spec_performance_new(p->spec, permutation, p->plain, p->options, p->out);
    const struct ob_run_spec run = {
        .clients = ob_spec_performance_clients(performance),
        .client_count = p->spec->session_count,
        .chooser = ob_spec_performance_chooser(performance),
        .server_timers = true,
    };
    enum ob_result result = ob_engine_run(p->engine, &run, &p->trace, err);
    /* Of a step that was given up it does not matter whether it could be cancelled after all. */
    if (result == OB_SERVER && p->trace.end == OB_RUN_TIME_LIMIT && ob_pg_plain_is_there(p->plain))
        result = OB_OK;
    if (result == OB_OK)
        *played = ob_spec_performance_end(performance, p->trace.end);
    else if (result == OB_SERVER && ob_pg_plain_is_there(p->plain))
        result = ob_spec_performance_lost(performance, played, err);
    ob_spec_performance_free(performance);
    return result;
}

static enum ob_result play_one(struct playing *p, const struct ob_spec_permutation *permutation,
                               bool *played, struct ob_error *err)
{
    ob_spec_say(p->out, "\nstarting permutation:");
    for (size_t i = 0; i < permutation->launch_count; i++)
        ob_spec_say(p->out, " %s", p->spec->steps[permutation->launches[i].step].name);
    ob_spec_say(p->out, "\n");
    *played = set_up(p);
    if (!*played)
        return OB_OK;
    enum ob_result result = perform(p, permutation, played, err);
    if (result == OB_OK && p->options->performed)
        p->options->performed(p->options->arg, &p->trace);
    if (result == OB_OK && *played)
        tear_down(p);
    return result;
}

static enum ob_result play_all(struct playing *p, bool *played, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    const struct ob_spec *spec = p->spec;
    for (size_t i = 0; i < spec->permutation_count && result == OB_OK && *played; i++)
        result = play_one(p, &spec->permutations[i], played, err);
    if (spec->permutation_count > 0)
        return result;
    struct ob_spec_orders *orders = ob_spec_orders_new(spec);
    struct ob_spec_permutation permutation;
    while (result == OB_OK && *played && ob_spec_orders_next(orders, &permutation))
        result = play_one(p, &permutation, played, err);
    ob_spec_orders_free(orders);
    return result;
}

static void say_unused(const struct playing *p)
{
    size_t count;
    const struct ob_spec_step **unused = ob_spec_unused(p->spec, &count);
    for (size_t i = 0; i < count; i++)
        ob_spec_complain(p->out, "unused step name: %s\n", unused[i]->name);
    free(unused);
}

static enum ob_result begin(struct playing *p, struct ob_error *err)
{
    const char **names = ob_alloc(p->spec->session_count * sizeof *names);
    for (size_t i = 0; i < p->spec->session_count; i++)
        names[i] = p->spec->sessions[i].name;
    enum ob_result result =
        ob_pg_plain_begin(p->plain, p->options->application, names, p->spec->session_count, err);
    free(names);
    return result;
}

enum ob_result ob_spec_play(const struct ob_spec *spec, struct ob_pg_plain *plain,
                            const struct ob_spec_options *options, const struct ob_spec_out *out,
                            bool *played, struct ob_error *err)
{
    struct playing p = {.spec = spec, .options = options, .out = out, .plain = plain};
    const struct ob_ports ports = ob_pg_plain_ports(plain);
    struct ob_limits limits = ob_limits_default();
    limits.steps_max = OB_STEPS_MAX;
    limits.step_us_max = (int64_t)options->limit_s * 1000000;
    p.engine = ob_engine_new(&ports, &limits);
    ob_trace_init(&p.trace);
    *played = true;
    say_unused(&p);
    ob_spec_say(out, "Parsed test spec with %zu sessions\n", spec->session_count);
    enum ob_result result = begin(&p, err);
    if (result == OB_OK)
        result = play_all(&p, played, err);
    ob_trace_clear(&p.trace);
    ob_engine_free(p.engine);
    return result;
}
