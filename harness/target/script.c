#include "target/script.h"

#include "base/sql.h"

#include <assert.h>
#include <stdlib.h>

void ob_script_init(struct ob_script *script)
{
    *script = (struct ob_script){0};
    ob_arena_init(&script->arena);
}

void ob_script_clear(struct ob_script *script)
{
    free(script->setups);
    free(script->ops);
    ob_arena_clear(&script->arena);
}

static const char *bound(struct ob_script *script, const char *sql, int param_count,
                         const char *const *params)
{
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    ob_sql_put_statement(&out, sql, param_count, params);
    const char *text = ob_arena_strdup(&script->arena, out.data);
    ob_buf_clear(&out);
    return text;
}

void ob_script_add_setup(struct ob_script *script, const char *sql, int param_count,
                         const char *const *params)
{
    if (!script)
        return;
    script->setups = ob_grow(script->setups, &script->setup_capacity, script->setup_count + 1,
                             sizeof *script->setups);
    script->setups[script->setup_count++] = bound(script, sql, param_count, params);
}

void ob_script_add_session_setup(struct ob_script *script, size_t client, const char *sql)
{
    if (!script || !sql)
        return;
    const char *before = script->sessions[client];
    script->sessions[client] = before ? ob_arena_printf(&script->arena, "%s;\n%s", before, sql)
                                      : ob_arena_strdup(&script->arena, sql);
}

void ob_script_note(void *self, size_t step, const struct ob_op *op, int64_t now_us)
{
    struct ob_script *script = self;
    script->op_count = step == 0 ? 0 : script->op_count;
    assert(step == script->op_count);
    script->ops = ob_grow(script->ops, &script->op_capacity, step + 1, sizeof *script->ops);
    script->ops[script->op_count++] = (struct ob_script_op){
        .sql = bound(script, op->text, op->param_count, op->params),
        .now_us = now_us,
        .time_us = op->time_us,
    };
}
