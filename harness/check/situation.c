#include "check/situation.h"

#include <string.h>

static const struct ob_situation situations[] = {
    {"contention", ob_situation_contention},
    {"wait", ob_situation_wait},
};

const struct ob_situation *ob_situation_builtin(size_t *count)
{
    *count = sizeof situations / sizeof *situations;
    return situations;
}

const struct ob_situation *ob_situation_find(const char *name)
{
    size_t count;
    const struct ob_situation *all = ob_situation_builtin(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    return NULL;
}

bool ob_situation_wait(const struct ob_trace *trace)
{
    for (size_t i = 0; i < trace->step_count; i++)
        if (trace->steps[i].blocked != 0)
            return true;
    return false;
}

/* What a step's own operation touched; NULL: it came to no answer in that step. */
static const struct ob_footprint *touched(const struct ob_step *step)
{
    for (size_t i = 0; i < step->completion_count; i++)
        if (step->completions[i].client == step->client)
            return &step->completions[i].footprint;
    return NULL;
}

static bool is_statement(const struct ob_step *step)
{
    return step->kind == OB_OP_STATEMENT || step->kind == OB_OP_QUERY || step->kind == OB_OP_GATE;
}

static bool changes(unsigned ways)
{
    return ((ways | ways >> OB_TOUCH_WITHIN) & (OB_TOUCH_SHARE | OB_TOUCH_WRITE | OB_TOUCH_ADD)) !=
           0;
}

static bool meet(const struct ob_step *a, const struct ob_step *b)
{
    const struct ob_footprint *one = touched(a), *other = touched(b);
    if (!is_statement(a) || !is_statement(b) || !one || !other)
        return false;
    if (!one->known || !other->known)
        return true;
    for (size_t i = 0, k = 0; i < one->count && k < other->count;) {
        const struct ob_touch *x = &one->touches[i], *y = &other->touches[k];
        if (x->resource == y->resource && changes(x->ways | y->ways))
            return true;
        i += x->resource <= y->resource;
        k += y->resource <= x->resource;
    }
    return false;
}

/* Whether the client has steps before that one and after it. */
static bool surrounds(const struct ob_trace *trace, size_t client, size_t step)
{
    bool before = false, after = false;
    for (size_t i = 0; i < trace->step_count; i++) {
        bool own = trace->steps[i].client == client;
        before |= own && i < step;
        after |= own && i > step;
    }
    return before && after;
}

bool ob_situation_contention(const struct ob_trace *trace)
{
    if (ob_situation_wait(trace))
        return true;
    for (size_t i = 0; i < trace->step_count; i++)
        for (size_t k = 0; k < trace->step_count; k++)
            if (trace->steps[i].client != trace->steps[k].client &&
                meet(&trace->steps[i], &trace->steps[k]) &&
                surrounds(trace, trace->steps[k].client, i))
                return true;
    return false;
}
