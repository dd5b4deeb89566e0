#include "golden.h"

#include "base/buf.h"
#include "base/digest.h"
#include "explore/tally.h"

#include <assert.h>
#include <inttypes.h>

#define BEGINS                          \
    {                                   \
        OB_OP_BEGIN, false, "", "BEGIN" \
    }
#define COMMITS                           \
    {                                     \
        OB_OP_COMMIT, false, "", "COMMIT" \
    }
#define DOES(model, sql)                   \
    {                                      \
        OB_OP_STATEMENT, false, model, sql \
    }
#define DOES_IF_NONE(model, sql)          \
    {                                     \
        OB_OP_STATEMENT, true, model, sql \
    }

const char ob_golden_schema[] = "CREATE TABLE parent (id int PRIMARY KEY, n int NOT NULL);"
                                "CREATE TABLE booking (client int PRIMARY KEY);"
                                "CREATE TABLE slot (id int PRIMARY KEY, client int NOT NULL);"
                                "CREATE TABLE counter (id text PRIMARY KEY, n int NOT NULL);";

const struct ob_golden ob_goldens[OB_GOLDEN_COUNT] = {
    [OB_GOLDEN_CHECK_THEN_INSERT] = {.name = "check-then-insert",
                                     .row = "",
                                     .rows = "",
                                     .steps = {BEGINS, DOES("rows r", "SELECT client FROM booking"),
                                               DOES_IF_NONE("insert r@ 1",
                                                            "INSERT INTO booking VALUES (@)"),
                                               COMMITS},
                                     .step_count = 4,
                                     .schedules = {70, 34650},
                                     .outcomes = {3, 13},
                                     .reduced = {3, 13}},
    [OB_GOLDEN_UNIQUE_SLOT] =
        {.name = "unique slot",
         .row = "",
         .rows = "",
         .steps = {BEGINS, DOES("read slot", "SELECT client FROM slot WHERE id = 1"),
                   DOES_IF_NONE("insert slot @", "INSERT INTO slot VALUES (1, @)"), COMMITS},
         .step_count = 4,
         .schedules = {50, 20910},
         .outcomes = {4, 12},
         .reduced = {6, 95}},
    [OB_GOLDEN_LOST_UPDATE] = {.name = "lost update",
                               .row = "x",
                               .rows = "INSERT INTO counter VALUES ('x', 10)",
                               .steps = {BEGINS,
                                         DOES("read x", "SELECT n FROM counter WHERE id = 'x'"),
                                         DOES("set x ^", "UPDATE counter SET n = ^ WHERE id = 'x'"),
                                         COMMITS},
                               .step_count = 4,
                               .schedules = {50, 13830},
                               .outcomes = {3, 16},
                               .reduced = {6, 108}},
    [OB_GOLDEN_FOR_UPDATE] =
        {.name = "FOR UPDATE on the parent",
         .row = "parent",
         .rows = "INSERT INTO parent VALUES (1, 10)",
         .steps = {BEGINS, DOES("lock parent", "SELECT n FROM parent WHERE id = 1 FOR UPDATE"),
                   DOES("rows r", "SELECT client FROM booking"),
                   DOES_IF_NONE("insert r@ 1", "INSERT INTO booking VALUES (@)"), COMMITS},
         .step_count = 5,
         .schedules = {36, 4950},
         .outcomes = {2, 3},
         .reduced = {6, 48}},
    [OB_GOLDEN_DEADLOCK] =
        {.name = "AB/BA deadlock",
         .row = "",
         .rows = "INSERT INTO counter VALUES ('0', 0), ('1', 0)",
         .steps = {BEGINS, DOES("add c@ 1", "UPDATE counter SET n = n + 1 WHERE id = '@'"),
                   DOES("add c~ 1", "UPDATE counter SET n = n + 1 WHERE id = '~'"), COMMITS},
         .step_count = 4,
         .schedules = {42, 0},
         .outcomes = {3, 0},
         .reduced = {8, 0}},
    [OB_GOLDEN_DISJOINT] =
        {.name = "disjoint resources",
         .row = "",
         .rows = "INSERT INTO counter VALUES ('0', 0), ('1', 0), ('2', 0)",
         .steps = {BEGINS, DOES("read c@", "SELECT n FROM counter WHERE id = '@'"),
                   DOES("add c@ 1", "UPDATE counter SET n = n + 1 WHERE id = '@'"), COMMITS},
         .step_count = 4,
         .schedules = {70, 34650},
         .outcomes = {1, 1},
         .reduced = {1, 1}},
};

struct part {
    const struct ob_golden *golden;
    const struct ob_golden_place *place;
};

static void write_text(struct ob_buf *out, const char *text, size_t client, int64_t seen)
{
    ob_buf_reset(out);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '@')
            ob_buf_printf(out, "%zu", client);
        else if (*c == '~')
            ob_buf_printf(out, "%zu", 1 - client);
        else if (*c == '^')
            ob_buf_printf(out, "%" PRId64, seen + 1);
        else
            ob_buf_putc(out, *c);
    }
}

static void body(struct ob_client *client, void *arg)
{
    const struct part *part = arg;
    int64_t seen = 0;
    bool found = false;
    struct ob_buf text;
    ob_buf_init(&text, 256);
    for (size_t i = 0; i < part->golden->step_count; i++) {
        const struct ob_golden_step *step = &part->golden->steps[i];
        bool skip = step->if_none && found;
        write_text(&text, part->place->sql ? step->sql : step->model, ob_client_index(client),
                   seen);
        struct ob_op op = {.kind = skip ? OB_OP_CALL : step->kind,
                           .text = skip ? "nothing to insert" : text.data,
                           .alone = skip};
        struct ob_reply reply;
        ob_client_do(client, &op, &reply);
        if (step->kind == OB_OP_STATEMENT && !step->if_none) {
            found = reply.row_count > 0;
            seen = found ? part->place->value(reply.native) : 0;
        }
        part->place->free_result(reply.native);
        if (reply.status != OB_REPLY_DONE)
            break;
    }
    ob_buf_clear(&text);
}

static enum ob_result run_once(const struct ob_golden_place *place, const struct ob_run_spec *spec,
                               struct ob_trace *trace, struct ob_error *err)
{
    enum ob_result result = place->reset(place->self, err);
    return result == OB_OK ? ob_engine_run(place->engine, spec, trace, err) : result;
}

enum ob_result ob_golden_run(const struct ob_golden *golden, size_t client_count,
                             const struct ob_golden_place *place, struct ob_chooser chooser,
                             struct ob_trace *trace, uint64_t *outcome, struct ob_error *err)
{
    static const char *const names[] = {"ann", "bob", "cat"};
    struct part part = {.golden = golden, .place = place};
    struct ob_run_client clients[3];
    assert(client_count <= 3);
    for (size_t i = 0; i < client_count; i++)
        clients[i] = (struct ob_run_client){.name = names[i], .body = body, .arg = &part};
    struct ob_run_spec spec = {
        .clients = clients, .client_count = client_count, .chooser = chooser};
    enum ob_result result = run_once(place, &spec, trace, err);
    if (result == OB_OK && trace->end == OB_RUN_AGAIN) {
        spec.careful = true;
        result = run_once(place, &spec, trace, err);
    }
    uint64_t state = 0;
    if (result == OB_OK)
        result = place->digest(place->self, &state, err);
    uint64_t hash = ob_hash_u64(OB_HASH_START, state);
    for (size_t i = 0; i < client_count && result == OB_OK; i++)
        hash = ob_hash_u64(hash, trace->seen[i]);
    *outcome = ob_hash_end(hash);
    return result;
}

enum ob_result ob_golden_search(const struct ob_golden *golden, size_t client_count,
                                const struct ob_golden_place *place, struct ob_strategy *strategy,
                                struct ob_golden_count *out, struct ob_error *err)
{
    struct ob_tally outcomes = {0};
    struct ob_trace trace;
    ob_trace_init(&trace);
    *out = (struct ob_golden_count){0};
    enum ob_result result = OB_OK;
    while (result == OB_OK && ob_strategy_next(strategy, out->schedules + out->cut_short)) {
        uint64_t outcome;
        result = ob_golden_run(golden, client_count, place, ob_strategy_chooser(strategy), &trace,
                               &outcome, err);
        ob_strategy_learn(strategy, &trace);
        if (trace.end == OB_RUN_DIVERGED && ob_strategy_cut(strategy)) {
            out->cut_short++;
            continue;
        }
        if (result == OB_OK && trace.end != OB_RUN_FINISHED)
            result = ob_error_set(err, OB_INTERNAL, "run %" PRIu64 " ended: %s %s", out->schedules,
                                  ob_run_end_text(trace.end), trace.reason);
        out->schedules++;
        out->uncontrolled += trace.uncontrolled > 0;
        ob_tally_add(&outcomes, outcome);
    }
    out->outcomes = outcomes.count;
    ob_tally_clear(&outcomes);
    ob_trace_clear(&trace);
    return result;
}

enum ob_result ob_golden_exhaust(const struct ob_golden *golden, size_t client_count,
                                 const struct ob_golden_place *place, struct ob_golden_count *out,
                                 struct ob_error *err)
{
    struct ob_strategy *strategy = ob_strategy_new(OB_STRATEGY_EXHAUSTIVE, 0, client_count);
    enum ob_result result = ob_golden_search(golden, client_count, place, strategy, out, err);
    if (result == OB_OK && !ob_strategy_exhausted(strategy))
        result = ob_error_set(err, OB_INTERNAL, "the schedules changed under way");
    ob_strategy_free(strategy);
    return result;
}
