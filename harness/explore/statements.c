#include "explore/statements.h"

#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

void ob_statements_init(struct ob_statements *statements)
{
    *statements = (struct ob_statements){0};
    ob_arena_init(&statements->arena);
}

void ob_statements_clear(struct ob_statements *statements)
{
    ob_arena_clear(&statements->arena);
    free(statements->items);
    *statements = (struct ob_statements){0};
}

/* SQLSTATE classes and codes of statements that are wrong in themselves (PostgreSQL's manual,
 * appendix A). */
static bool is_wrong(const char *sqlstate)
{
    static const char *const wrong[] = {
        "0A",    /* feature not supported */
        "21",    /* cardinality violation */
        "22",    /* data exception */
        "23502", /* not-null violation */
        "3F",    /* invalid schema name */
        "42",    /* syntax error or access rule violation */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (strncmp(sqlstate, wrong[i], strlen(wrong[i])) == 0)
            return true;
    return false;
}

static struct ob_statement *find(struct ob_statements *statements, size_t client, const char *text)
{
    uint64_t hash = ob_hash_text(OB_HASH_START, text);
    for (size_t i = 0; i < statements->count; i++)
        if (statements->items[i].hash == hash && statements->items[i].client == client)
            return &statements->items[i];
    statements->items = ob_grow(statements->items, &statements->capacity, statements->count + 1,
                                sizeof *statements->items);
    struct ob_statement *statement = &statements->items[statements->count++];
    statement->client = client;
    statement->hash = hash;
    statement->text = ob_arena_strdup(&statements->arena, text);
    return statement;
}

static void count(struct ob_statements *statements, const char *text,
                  const struct ob_completion *completion)
{
    if (completion->status != OB_REPLY_DONE || completion->sqlstate[0] == '\0')
        return;
    struct ob_statement *statement = find(statements, completion->client, text);
    statement->done += strcmp(completion->sqlstate, "00000") == 0;
    if (!is_wrong(completion->sqlstate))
        return;
    if (statement->wrong++ > 0)
        return;
    memcpy(statement->sqlstate, completion->sqlstate, sizeof statement->sqlstate);
    statement->message = ob_arena_strdup(&statements->arena, completion->message);
}

void ob_statements_add(struct ob_statements *statements, const struct ob_trace *trace)
{
    const char *asked[OB_CLIENTS_MAX] = {NULL}; /* by each client, last */
    for (size_t i = 0; i < trace->step_count; i++) {
        const struct ob_step *step = &trace->steps[i];
        asked[step->client] = step->text;
        for (size_t k = 0; k < step->completion_count; k++)
            count(statements, asked[step->completions[k].client], &step->completions[k]);
    }
}

bool ob_statement_unaccepted(const struct ob_statement *statement)
{
    return strncmp(statement->sqlstate, "42", 2) == 0;
}
