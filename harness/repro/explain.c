#include "repro/explain.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "explore/finding.h"
#include "repro/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SENTENCE_MAX ((size_t)1 << 16)
#define SHOWN 48 /* bytes of a statement */

struct explaining {
    struct ob_rig *rig;
    const struct ob_trace *trace; /* what is explained */
    size_t item;
    struct ob_trace other;       /* of the last run */
    struct ob_trace seen;        /* the same again, with all that can be known of it */
    struct ob_accesses accesses; /* of that */
    struct ob_facts facts;
    struct ob_explained *out;
};

/* --- the other way round */

/* The steps from begin to end, which are one client's, come after the step last. */
static void put_off(struct ob_schedule *plan, size_t begin, size_t end, size_t last)
{
    size_t moved = end - begin, passed = last + 1 - end;
    uint8_t *kept = ob_alloc(moved);
    memcpy(kept, plan->clients + begin, moved);
    memmove(plan->clients + begin, plan->clients + end, passed);
    memcpy(plan->clients + begin + passed, kept, moved);
    free(kept);
}

/* Whether the invariant holds then. */
static enum ob_result try_other_way(struct explaining *x, size_t begin, size_t end, size_t last,
                                    bool *holds, struct ob_error *err)
{
    struct ob_schedule schedule = {0};
    struct ob_run_outcome outcome;
    struct ob_plan plan;
    ob_schedule_copy(&schedule, &x->trace->schedule);
    put_off(&schedule, begin, end, last);
    ob_plan_init(&plan, &schedule);
    struct ob_chooser chooser = ob_plan_chooser(&plan);
    enum ob_result result = ob_rig_run(x->rig, &chooser, false, &x->other, &outcome, err);
    x->out->runs++;
    *holds = result == OB_OK && x->other.end == x->trace->end && x->other.uncontrolled == 0 &&
             !ob_run_breaks(&outcome, x->item);
    ob_plan_clear(&plan);
    ob_schedule_clear(&schedule);
    return result;
}

/* --- edges */

static size_t block_end(const struct ob_trace *trace, size_t begin)
{
    size_t end = begin;
    while (end < trace->step_count && trace->steps[end].client == trace->steps[begin].client)
        end++;
    return end;
}

/* The next step of the client at or after that one; step_count: there is none. */
static size_t next_of(const struct ob_trace *trace, size_t from, size_t client)
{
    while (from < trace->step_count && trace->steps[from].client != client)
        from++;
    return from;
}

/* Of the steps begin … end the last one from which on they must be put off, until after last; all
 * of them are enough.  Step by step: some of those between may be too many, or too few. */
static enum ob_result find_from(struct explaining *x, size_t begin, size_t end, size_t last,
                                size_t *from, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    bool holds = false;
    for (*from = end; result == OB_OK && !holds && *from > begin + 1;)
        result = try_other_way(x, --*from, end, last, &holds, err);
    *from = holds ? *from : begin;
    return result;
}

/* The first step after which they must come: the last one is far enough. */
static enum ob_result find_to(struct explaining *x, size_t from, size_t end, size_t last,
                              size_t *to, struct ob_error *err)
{
    for (*to = end; *to < last; ++*to) {
        bool holds;
        enum ob_result result = try_other_way(x, from, end, *to, &holds, err);
        if (result != OB_OK || holds)
            return result;
    }
    return OB_OK;
}

/* Of one block of a client's steps against what comes until it moves again. */
static enum ob_result add_edge(struct explaining *x, size_t begin, size_t end, struct ob_error *err)
{
    const struct ob_trace *trace = x->trace;
    struct ob_explained *out = x->out;
    size_t last = next_of(trace, end, trace->steps[begin].client) - 1;
    struct ob_edge edge;
    bool holds;
    enum ob_result result = try_other_way(x, begin, end, last, &holds, err);
    if (result != OB_OK || !holds || out->edge_count == OB_EDGES_MAX)
        return result;
    result = find_from(x, begin, end, last, &edge.from, err);
    if (result == OB_OK)
        result = find_to(x, edge.from, end, last, &edge.to, err);
    if (result != OB_OK)
        return result;
    out->edges[out->edge_count++] = edge;
    return OB_OK;
}

static enum ob_result find_edges(struct explaining *x, struct ob_error *err)
{
    const struct ob_trace *trace = x->trace;
    enum ob_result result = OB_OK;
    for (size_t begin = 0, end; begin < trace->step_count && result == OB_OK; begin = end) {
        end = block_end(trace, begin);
        if (end < trace->step_count)
            result = add_edge(x, begin, end, err);
    }
    return result;
}

/* --- words */

static size_t client_of(const struct explaining *x, size_t step)
{
    return x->trace->steps[step].client;
}

/* The edge that leads back from the client that edge leads to; NULL: none does. */
static const struct ob_edge *way_back(const struct explaining *x, const struct ob_edge *edge)
{
    for (size_t i = 0; i < x->out->edge_count; i++) {
        const struct ob_edge *other = &x->out->edges[i];
        if (client_of(x, other->from) == client_of(x, edge->to) &&
            client_of(x, other->to) == client_of(x, edge->from))
            return other;
    }
    return NULL;
}

static void put_step(const struct explaining *x, size_t step, struct ob_buf *out)
{
    ob_buf_printf(out, "step %zu (", step + 1);
    ob_buf_put_line(out, x->trace->steps[step].text, SHOWN);
    ob_buf_puts(out, ")");
}

static void put_edge(const struct explaining *x, const struct ob_edge *edge, struct ob_buf *out)
{
    static const char *const because[] = {
        [OB_EDGE_RW] = " did not see what ",
        [OB_EDGE_WR] = " is seen by ",
        [OB_EDGE_WW] = " came before ",
        [OB_EDGE_OTHER] = " came before ",
    };
    const char *const *names = x->rig->client_names, *table = ob_explained_table(x->out, edge);
    ob_buf_printf(out, "%s before %s, because ", names[client_of(x, edge->from)],
                  names[client_of(x, edge->to)]);
    put_step(x, edge->from, out);
    ob_buf_puts(out, because[edge->kind]);
    put_step(x, edge->to, out);
    bool commits = x->trace->steps[edge->to].kind == OB_OP_COMMIT;
    if (edge->kind == OB_EDGE_RW)
        ob_buf_puts(out, commits ? " made visible" : " wrote");
    if (*table)
        ob_buf_printf(out, edge->kind == OB_EDGE_WW ? ", both on %s" : " in %s", table);
}

/* The snapshot and the lock that let it through. */
static void put_stale(const struct explaining *x, const struct ob_edge *edge, struct ob_buf *out)
{
    struct ob_stale stale;
    if (!edge || !ob_edge_is_stale(&x->facts, edge, &stale))
        return;
    ob_buf_printf(out,
                  "; %s got the lock %sin step %zu, but reads by the snapshot of step %zu, which "
                  "does not have what step %zu made visible",
                  x->rig->client_names[client_of(x, edge->from)],
                  stale.waited ? "that it waited for " : "", stale.locked + 1, stale.snapshot + 1,
                  stale.published + 1);
}

/* The first edge that another one contradicts; else the first. */
static const struct ob_edge *main_edge(const struct explaining *x)
{
    const struct ob_explained *out = x->out;
    for (size_t i = 0; i < out->edge_count; i++)
        if (way_back(x, &out->edges[i]))
            return &out->edges[i];
    return out->edge_count > 0 ? &out->edges[0] : NULL;
}

static bool is_clock(const struct explaining *x, size_t step)
{
    return x->trace->steps[step].kind == OB_OP_CLOCK;
}

/* The smallest run with a fault needs it. */
static const char *anomaly_of_fault(const struct explaining *x)
{
    static const char *const names[][2] = {
        {"commit/ack-lost", "lost acknowledgement"},
        {"commit/not-sent", "lost commit"},
        {"webhook/duplicate", "double delivery"},
        {"webhook/reordered", "reordered delivery"},
        {"psp/timeout", "lost answer"},
        {"worker/crash", "crash in between"},
        {"hold/expired", "expired in between"},
    };
    const struct ob_schedule *schedule = &x->trace->schedule;
    if (schedule->fault_count != 1)
        return "";
    const char *point = x->rig->spec.fault_points[schedule->faults[0].point].name;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], point) == 0)
            return names[i][1];
    return "";
}

/* Named only where what was recorded leaves no doubt. */
static const char *anomaly_of(struct explaining *x, const struct ob_edge *edge)
{
    const struct ob_edge *back = edge ? way_back(x, edge) : NULL;
    if (back && is_clock(x, edge->to) && is_clock(x, back->from))
        return "expired in between";
    const char *name = edge ? ob_anomaly_of(&x->facts, edge, back, &x->out->words) : "";
    return *name ? name : anomaly_of_fault(x);
}

static void put_faults(const struct explaining *x, struct ob_buf *out)
{
    const struct ob_schedule *schedule = &x->trace->schedule;
    for (size_t i = 0; i < schedule->fault_count; i++) {
        const struct ob_fault *fault = &schedule->faults[i];
        ob_buf_printf(out, "%s%s strikes %s", i > 0 ? " and " : "",
                      x->rig->spec.fault_points[fault->point].name,
                      x->rig->client_names[fault->client]);
    }
}

static void describe(struct explaining *x, struct ob_buf *out)
{
    const struct ob_edge *edge = main_edge(x), *back = edge ? way_back(x, edge) : NULL;
    bool faults = x->trace->schedule.fault_count > 0;
    x->out->contradiction = back != NULL;
    x->out->anomaly = anomaly_of(x, edge);
    if (edge) {
        x->out->first = edge->from;
        x->out->second = edge->to;
        put_edge(x, edge, out);
    }
    if (back) {
        ob_buf_puts(out, "; ");
        put_edge(x, back, out);
        ob_buf_puts(out, ": a contradiction, so no order of the two one after the other does this");
    }
    put_stale(x, edge, out);
    put_stale(x, back, out);
    if (faults) {
        ob_buf_puts(out, edge ? "; and " : "");
        put_faults(x, out);
    }
    if (!edge && !faults)
        ob_buf_puts(out,
                    "no step has to come before another client's: it is broken without a race");
    if (x->out->words)
        ob_buf_puts(out, " (what this is called rests on the statements' words: what they touched "
                         "is not known here)");
    ob_buf_puts(out, ".");
}

/* What the edges are about, of the same run made again with open eyes.  Should that one not be the
 * same, nothing is known but words. */
static enum ob_result find_reasons(struct explaining *x, struct ob_error *err)
{
    struct ob_rig *rig = x->rig;
    struct ob_versions *versions = &x->out->versions;
    struct ob_buf why;
    size_t step;
    enum ob_result result = rig->learn ? rig->learn(rig->self, err) : OB_OK;
    if (result == OB_OK)
        result = ob_versions_run(rig, &x->trace->schedule, &x->seen, versions, err);
    if (result != OB_OK)
        return result;
    x->out->runs++;
    ob_buf_init(&why, SENTENCE_MAX);
    bool same = !ob_trace_diff(x->trace, &x->seen, rig->client_names, &step, &why);
    ob_buf_clear(&why);
    ob_accesses_of(same ? &x->seen : x->trace, &x->accesses);
    versions->known &= same;
    x->facts = (struct ob_facts){same ? &x->seen : x->trace, &x->accesses, versions};
    for (size_t i = 0; i < x->out->edge_count; i++)
        ob_edge_explain(&x->facts, &x->out->edges[i]);
    return OB_OK;
}

enum ob_result ob_explain(struct ob_rig *rig, const struct ob_trace *trace, size_t item,
                          struct ob_explained *out, struct ob_error *err)
{
    struct explaining x = {.rig = rig, .trace = trace, .item = item, .out = out};
    const struct ob_run_spec before = rig->spec;
    *out = (struct ob_explained){0};
    ob_versions_init(&out->versions);
    ob_trace_init(&x.other);
    ob_trace_init(&x.seen);
    ob_rig_leave_out(rig, &trace->schedule, trace->schedule.fault_count);
    enum ob_result result = find_edges(&x, err);
    rig->spec = before;
    if (result == OB_OK)
        result = find_reasons(&x, err);
    if (result == OB_OK) {
        struct ob_buf text;
        ob_buf_init(&text, SENTENCE_MAX);
        describe(&x, &text);
        out->sentence = ob_buf_take(&text);
    } else {
        ob_explained_clear(out);
    }
    ob_accesses_clear(&x.accesses);
    ob_trace_clear(&x.seen);
    ob_trace_clear(&x.other);
    return result;
}

const char *ob_explained_table(const struct ob_explained *explained, const struct ob_edge *edge)
{
    bool shared = edge->basis == OB_BASIS_TABLES || edge->basis == OB_BASIS_ROWS;
    const char *name = shared ? ob_versions_name(&explained->versions, edge->resource) : NULL;
    return name ? name : "";
}

void ob_explained_clear(struct ob_explained *explained)
{
    free(explained->sentence);
    ob_versions_clear(&explained->versions);
    *explained = (struct ob_explained){0};
}
