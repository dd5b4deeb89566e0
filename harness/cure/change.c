/*
 * change.c - a scenario like another one, but for something.  What is not changed is shared, so a
 * changed scenario lives as long as its original and the case's arena, and is never freed by
 * itself.
 */
#include "cure/cure_int.h"

#include "base/alloc.h"

#include <assert.h>
#include <string.h>

static void *copy(struct ob_arena *arena, const void *items, size_t count, size_t size)
{
    void *out = ob_arena_alloc(arena, count * size);
    if (count > 0)
        memcpy(out, items, count * size);
    return out;
}

void ob_cure_change_begin(struct ob_cure_change *change, struct ob_cure_case *of,
                          const struct ob_cure *upon)
{
    const struct ob_scenario *original = upon ? upon->scenario : of->scenario;
    size_t client_count = original->client_count;
    struct ob_scenario *scenario = copy(&of->arena, original, 1, sizeof *original);
    struct ob_variant *variants =
        copy(&of->arena, original->variants, original->variant_count, sizeof *variants);
    *change = (struct ob_cure_change){
        .arena = &of->arena,
        .original = original,
        .variant = of->variant,
        .scenario = scenario,
        .changed = &variants[of->variant],
        .clients = copy(&of->arena, original->clients, client_count, sizeof *original->clients),
        .origins = ob_arena_alloc(&of->arena, client_count * sizeof *change->origins),
    };
    if (upon)
        memcpy(change->origins, upon->clients, client_count * sizeof *change->origins);
    scenario->variants = variants;
    scenario->clients = change->clients;
    change->changed->gates = true;
}

void ob_cure_change_set_up(struct ob_cure_change *change, const char *sql)
{
    change->changed->setup = ob_arena_printf(change->arena, "%s;\n%s", change->changed->setup, sql);
}

void ob_cure_change_setting(struct ob_cure_change *change, const char *key, int64_t number)
{
    size_t count = change->changed->setting_count;
    struct ob_setting *settings =
        copy(change->arena, change->changed->settings, count, sizeof *settings);
    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].key, key) == 0)
            settings[i].number = number;
    change->changed->settings = settings;
}

/* The client's steps and where they come from, to be written to, with room for one more. */
static struct ob_sql_step *open_client(struct ob_cure_change *change, size_t client,
                                       struct ob_cure_step **origins)
{
    struct ob_scenario_client *changed = &change->clients[client];
    size_t count = changed->step_count;
    struct ob_sql_step *steps = ob_arena_alloc(change->arena, (count + 1) * sizeof *steps);
    *origins = ob_arena_alloc(change->arena, (count + 1) * sizeof **origins);
    for (size_t i = 0; i < count; i++) {
        const struct ob_cure_step *before = change->origins[client].steps;
        steps[i] = changed->steps[i];
        (*origins)[i] = before ? before[i] : (struct ob_cure_step){(uint32_t)i, true};
    }
    changed->steps = steps;
    change->origins[client].steps = *origins;
    return steps;
}

void ob_cure_change_step(struct ob_cure_change *change, size_t client, size_t index,
                         const struct ob_sql_step *step)
{
    struct ob_cure_step *origins;
    struct ob_sql_step *steps = open_client(change, client, &origins);
    assert(index < change->clients[client].step_count);
    steps[index] = *step;
}

void ob_cure_change_insert(struct ob_cure_change *change, size_t client, size_t index, bool after,
                           const struct ob_sql_step *step)
{
    struct ob_scenario_client *changed = &change->clients[client];
    size_t moved = changed->step_count - index;
    struct ob_cure_step *origins;
    struct ob_sql_step *steps = open_client(change, client, &origins);
    uint32_t anchor = origins[after ? index - 1 : index].anchor;
    assert(after ? index > 0 : moved > 0);
    memmove(steps + index + 1, steps + index, moved * sizeof *steps);
    memmove(origins + index + 1, origins + index, moved * sizeof *origins);
    steps[index] = *step;
    steps[index].variants = UINT64_C(1) << change->variant;
    origins[index] = (struct ob_cure_step){anchor, false};
    changed->step_count++;
}

static bool takes_part(const struct ob_cure_change *change, uint64_t variants)
{
    return variants >> change->variant & 1;
}

/* A BEGIN before the first thing that the client does in the database, a COMMIT after the last. */
static void transact(struct ob_cure_change *change, size_t client)
{
    const struct ob_scenario_client *of = &change->clients[client];
    struct ob_cure_step *origins;
    size_t first = SIZE_MAX, last = SIZE_MAX;
    (void)open_client(change, client, &origins); /* its own transactions are to be whole too */
    for (size_t i = 0; i < of->step_count; i++) {
        const struct ob_sql_step *step = &of->steps[i];
        if (!takes_part(change, step->variants))
            continue;
        if (step->kind == OB_SQL_BEGIN)
            return;
        if (step->kind != OB_SQL_STATEMENT)
            continue;
        first = first == SIZE_MAX ? i : first;
        last = i;
    }
    if (first == SIZE_MAX)
        return;
    const struct ob_sql_step begin = {.kind = OB_SQL_BEGIN}, commit = {.kind = OB_SQL_COMMIT};
    ob_cure_change_insert(change, client, last + 1, true, &commit);
    ob_cure_change_insert(change, client, first, false, &begin);
}

void ob_cure_change_transact(struct ob_cure_change *change)
{
    for (size_t i = 0; i < change->scenario->client_count; i++)
        if (takes_part(change, change->clients[i].variants))
            transact(change, i);
}

void ob_cure_change_retry(struct ob_cure_change *change)
{
    for (size_t i = 0; i < change->scenario->client_count; i++)
        if (change->clients[i].retries < OB_CURE_RETRIES)
            change->clients[i].retries = OB_CURE_RETRIES;
}

void ob_cure_change_isolate(struct ob_cure_change *change, enum ob_isolation level)
{
    change->changed->isolation = level;
    for (size_t i = 0; i < change->scenario->client_count; i++)
        change->clients[i].isolation_given = false;
}

struct ob_cure ob_cure_change_made(const struct ob_cure_change *change, const struct ob_cure *texts)
{
    struct ob_cure cure = *texts;
    cure.scenario = change->scenario;
    cure.clients = change->origins;
    return cure;
}

void ob_cure_change_end(struct ob_cure_change *change, struct ob_cure_case *of,
                        const struct ob_cure *texts)
{
    of->cures = ob_grow(of->cures, &of->cure_capacity, of->cure_count + 1, sizeof *of->cures);
    of->cures[of->cure_count++] = ob_cure_change_made(change, texts);
}
