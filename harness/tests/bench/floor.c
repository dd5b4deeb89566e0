#include "floor.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Reads the next "$n = 'text'" or "$n = null" of a step's params; NULL is SQL's null. */
static const char *read_param(const char *at, char **value)
{
    const char *start = strchr(at, '=') + 2;
    *value = NULL;
    if (*start != '\'')
        return start + strcspn(start, ",");
    const char *end = start + 1 + strcspn(start + 1, "'");
    struct ob_arena arena;
    ob_arena_init(&arena);
    *value = ob_strdup(ob_arena_strndup(&arena, start + 1, (size_t)(end - start - 1)));
    ob_arena_clear(&arena);
    return end + 1;
}

static void read_params(struct ob_floor_statement *statement, const char *text)
{
    size_t capacity = 0;
    for (const char *at = text; *at != '\0';) {
        statement->params = ob_grow(statement->params, &capacity,
                                    (size_t)statement->param_count + 1, sizeof(char *));
        at = read_param(at, &statement->params[statement->param_count++]);
        at += strspn(at, ", ");
    }
}

void ob_floor_record(struct ob_floor *floor, const struct ob_trace *trace)
{
    for (size_t i = 0; i < trace->step_count; i++) {
        const struct ob_step *step = &trace->steps[i];
        if (step->kind == OB_OP_CLOCK || step->kind == OB_OP_CALL || step->kind == OB_OP_WAIT)
            continue;
        floor->statements = ob_grow(floor->statements, &floor->capacity, floor->count + 1,
                                    sizeof *floor->statements);
        struct ob_floor_statement *statement = &floor->statements[floor->count++];
        *statement = (struct ob_floor_statement){.client = step->client};
        statement->sql = ob_strdup(step->text);
        read_params(statement, step->params);
        for (size_t k = 0; k < step->completion_count; k++)
            statement->answered |= (ob_client_set)1 << step->completions[k].client;
    }
}

void ob_floor_clear(struct ob_floor *floor)
{
    for (size_t i = 0; i < floor->count; i++) {
        struct ob_floor_statement *statement = &floor->statements[i];
        for (int k = 0; k < statement->param_count; k++)
            free(statement->params[k]);
        free(statement->params);
        free(statement->sql);
    }
    free(floor->statements);
    *floor = (struct ob_floor){0};
}

void ob_floor_run(const struct ob_floor *floor, PGconn *const *conns)
{
    for (size_t i = 0; i < floor->count; i++) {
        const struct ob_floor_statement *statement = &floor->statements[i];
        int sent =
            PQsendQueryParams(conns[statement->client], statement->sql, statement->param_count,
                              NULL, (const char *const *)statement->params, NULL, NULL, 0);
        assert(sent);
        for (size_t c = 0; c < OB_CLIENTS_MAX; c++) {
            if (!(statement->answered >> c & 1))
                continue;
            for (PGresult *result; (result = PQgetResult(conns[c]));)
                PQclear(result);
        }
    }
}
