#include "programs.h"

#include <assert.h>
#include <string.h>

static void ask_about_faults(const struct ob_chooser *chooser, const struct ob_programs *programs,
                             size_t client, struct ob_choices *out)
{
    for (unsigned i = 0; i < programs->points; i++) {
        struct ob_choice_point point = {.kind = OB_CHOICE_FAULT,
                                        .option_count = 1 + (size_t)programs->ways,
                                        .client = client,
                                        .point = i};
        size_t way = chooser->choose(chooser->self, &point);
        assert(way <= programs->ways);
        if (way == 0)
            continue;
        out->faults++;
        out->text[out->size++] = "!?"[i];
        out->text[out->size++] = (char)('0' + (char)way);
    }
}

static size_t ask_who_is_next(const struct ob_chooser *chooser, const struct ob_programs *programs,
                              const size_t *left, size_t previous, struct ob_trace *trace,
                              struct ob_choices *out)
{
    size_t clients[OB_PROGRAMS_CLIENTS_MAX], count = 0;
    enum ob_op_kind kinds[OB_PROGRAMS_CLIENTS_MAX];
    for (size_t i = 0; i < programs->client_count; i++) {
        if (left[i] == 0)
            continue;
        kinds[count] = programs->kinds ? programs->kinds[i] : OB_OP_STATEMENT;
        clients[count++] = i;
    }
    if (count == 0)
        return OB_NO_CLIENT;
    struct ob_choice_point point = {.kind = OB_CHOICE_STEP,
                                    .option_count = count,
                                    .clients = clients,
                                    .kinds = programs->kinds ? kinds : NULL,
                                    .previous = previous,
                                    .trace = trace};
    size_t option = chooser->choose(chooser->self, &point);
    assert(option < count);
    out->preemptions +=
        previous != OB_NO_CLIENT && left[previous] > 0 && clients[option] != previous;
    return clients[option];
}

/* What a step touched is not known. */
static void trace_step(struct ob_trace *trace, size_t client)
{
    struct ob_step *step = ob_trace_add_step(trace);
    step->client = client;
    step->kind = OB_OP_CALL;
    step->text = "";
    step->completions = ob_arena_alloc(&trace->arena, sizeof *step->completions);
    step->completions[0].client = client;
    step->completion_count = 1;
}

static void run(const struct ob_programs *programs, const struct ob_chooser *chooser,
                struct ob_trace *trace, struct ob_choices *out)
{
    size_t left[OB_PROGRAMS_CLIENTS_MAX], client = OB_NO_CLIENT;
    memcpy(left, programs->steps, sizeof left);
    *out = (struct ob_choices){0};
    chooser->restart(chooser->self);
    while ((client = ask_who_is_next(chooser, programs, left, client, trace, out)) !=
           OB_NO_CLIENT) {
        left[client]--;
        trace_step(trace, client);
        out->text[out->size++] = (char)('0' + (char)client);
        ask_about_faults(chooser, programs, client, out);
    }
}

void ob_programs_run(const struct ob_programs *programs, const struct ob_chooser *chooser,
                     struct ob_choices *out)
{
    struct ob_trace trace;
    ob_trace_init(&trace);
    run(programs, chooser, &trace, out);
    ob_trace_clear(&trace);
}

void ob_programs_explore(const struct ob_programs *programs, struct ob_strategy *strategy,
                         struct ob_choices *out)
{
    struct ob_chooser chooser = ob_strategy_chooser(strategy);
    struct ob_trace trace;
    ob_trace_init(&trace);
    run(programs, &chooser, &trace, out);
    ob_strategy_learn(strategy, &trace);
    ob_trace_clear(&trace);
}
