/*
 * Nothing is lost by the reduction: programs made by lot, of clients that read, write, lock, wait
 * for each other and deadlock, end in the same ways under dpor as in all their schedules.
 */
#include "tests/model/scene.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/rng.h"
#include "explore/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAMS 80
#define CLIENTS 3
#define LINES_MAX 7
#define LINE_SIZE 48
#define OUTCOMES_MAX 4096
#define RUNS_MAX 40000

struct program {
    size_t client_count;
    char text[CLIENTS][LINES_MAX][LINE_SIZE];
    const char *lines[CLIENTS][LINES_MAX + 1];
};

static void write_command(struct ob_rng *rng, size_t client, char line[LINE_SIZE])
{
    static const char *const forms[] = {"read %s",   "rows r",        "lock %s",
                                        "add %s 1",  "add %s 1",      "set %s %zu7",
                                        "delete %s", "insert %s %zu", "insert %s %zu"};
    static const char *const rows[] = {"r1", "r2", "s1"};
    const char *form = forms[ob_rng_below(rng, sizeof forms / sizeof *forms)];
    const char *row = rows[ob_rng_below(rng, 3)];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(line, LINE_SIZE, form, row, client + 1);
#pragma GCC diagnostic pop
}

/* A transaction of one to three statements, or statements without one. */
static void write_client(struct program *program, size_t client, size_t statements,
                         struct ob_rng *rng)
{
    size_t count = 0;
    bool transaction = ob_rng_below(rng, 4) > 0;
    if (transaction)
        snprintf(program->text[client][count++], LINE_SIZE, "begin");
    for (size_t i = 0; i < statements; i++)
        write_command(rng, client, program->text[client][count++]);
    if (transaction)
        snprintf(program->text[client][count++], LINE_SIZE, "%s",
                 ob_rng_below(rng, 5) == 0 ? "rollback" : "commit");
    for (size_t i = 0; i < count; i++)
        program->lines[client][i] = program->text[client][i];
}

static void write_program(struct program *program, uint64_t seed)
{
    struct ob_rng rng;
    *program = (struct program){0};
    ob_rng_seed(&rng, seed);
    program->client_count = 2 + ob_rng_below(&rng, 2);
    for (size_t i = 0; i < program->client_count; i++)
        write_client(program, i, 1 + ob_rng_below(&rng, program->client_count == 2 ? 3 : 2), &rng);
}

struct outcomes {
    uint64_t seen[OUTCOMES_MAX];
    size_t count;
    uint64_t runs;
    bool ended;
};

struct total {
    uint64_t compared, all, reduced, lost;
};

static void add(struct outcomes *out, uint64_t outcome)
{
    for (size_t i = 0; i < out->count; i++)
        if (out->seen[i] == outcome)
            return;
    assert_true(out->count < OUTCOMES_MAX);
    out->seen[out->count++] = outcome;
}

static uint64_t outcome_of(const struct ob_scene *scene)
{
    uint64_t hash = ob_hash_u64(OB_HASH_START, ob_model_digest(scene->model));
    for (size_t i = 0; i < scene->spec.client_count; i++)
        hash = ob_hash_u64(hash, scene->trace.seen[i]);
    return ob_hash_end(hash);
}

static void search(const struct program *program, enum ob_strategy_kind kind, struct outcomes *out)
{
    static const char *const names[] = {"ann", "bob", "cat"};
    struct ob_scene scene;
    ob_scene_open(&scene, (struct ob_model_options){.tells = true}, NULL);
    ob_model_put(scene.model, "r1", 10);
    ob_model_put(scene.model, "s1", 20);
    for (size_t i = 0; i < program->client_count; i++)
        ob_scene_add(&scene, names[i], program->lines[i]);
    struct ob_strategy *strategy = ob_strategy_new(kind, 0, program->client_count);
    uint64_t run = 0;
    *out = (struct outcomes){0};
    for (; run < RUNS_MAX && ob_strategy_next(strategy, run); run++) {
        assert_int_equal(ob_scene_choose(&scene, ob_strategy_chooser(strategy)), OB_OK);
        ob_strategy_learn(strategy, &scene.trace);
        if (ob_strategy_cut(strategy))
            continue;
        assert_int_equal(scene.trace.end, OB_RUN_FINISHED);
        add(out, outcome_of(&scene));
        out->runs++;
    }
    out->ended = run < RUNS_MAX;
    if (out->ended)
        assert_true(ob_strategy_exhausted(strategy));
    ob_strategy_free(strategy);
    ob_scene_close(&scene);
}

static bool is_among(const struct outcomes *all, uint64_t outcome)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->seen[i] == outcome)
            return true;
    return false;
}

static void print_program(const struct program *program)
{
    for (size_t i = 0; i < program->client_count; i++) {
        print_message("  client %zu:", i);
        for (size_t k = 0; program->lines[i][k]; k++)
            print_message(" %s;", program->lines[i][k]);
        print_message("\n");
    }
}

/* Compares all schedules of a program with those of dpor.  False: it has too many of them. */
static bool compare(const struct program *program, const char *name, struct total *total)
{
    static struct outcomes all, reduced;
    search(program, OB_STRATEGY_DPOR, &reduced);
    search(program, OB_STRATEGY_EXHAUSTIVE, &all);
    if (!all.ended)
        return false;
    assert_true(reduced.ended && reduced.runs <= all.runs);
    bool same = reduced.count == all.count;
    for (size_t i = 0; i < reduced.count; i++)
        same = same && is_among(&all, reduced.seen[i]);
    total->compared++;
    total->all += all.runs;
    total->reduced += reduced.runs;
    total->lost += !same;
    if (same)
        return true;
    print_message("%s: %zu of %zu outcomes\n", name, reduced.count, all.count);
    print_program(program);
    return true;
}

/* Hand-written: what a program made by lot rarely is. */
static void no_outcome_of_a_hard_program_is_lost(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct program program;
    } cases[] = {
        {"a ring of three",
         {.client_count = 3,
          .lines = {{"begin", "add r1 1", "add r2 1", "commit"},
                    {"begin", "add r2 1", "add s1 1", "commit"},
                    {"begin", "add s1 1", "add r1 1", "commit"}}}},
        {"two who wait for one",
         {.client_count = 3,
          .lines = {{"begin", "set r1 1", "rollback"},
                    {"insert r2 2"},
                    {"begin", "insert r2 3", "lock r1", "commit"}}}},
        {"a phantom behind a lock",
         {.client_count = 2,
          .lines = {{"begin", "lock r1", "rows r", "insert r2 1", "commit"},
                    {"begin", "rows r", "insert r3 1", "commit"}}}},
        {"advisory locks",
         {.client_count = 3,
          .lines = {{"take a", "add r1 1", "give a"},
                    {"take a", "add r1 1", "give a"},
                    {"read r1"}}}},
        {"a lock freed by an error",
         {.client_count = 3,
          .lines = {{"begin", "set r1 5", "insert s1 1", "commit"},
                    {"begin", "add r1 1", "commit"},
                    {"delete r1"}}}},
        {"deleted while it is waited for",
         {.client_count = 3,
          .lines = {{"begin", "delete r1", "commit"}, {"insert r1 3"}, {"add r1 1"}}}},
        {"a session lost with its lock",
         {.client_count = 2, .lines = {{"begin", "add r1 1", "kill"}, {"add r1 1", "read r1"}}}},
        {"a clock, and something outside",
         {.client_count = 3,
          .lines = {{"clock 5", "read r1"}, {"call something", "add r1 1"}, {"add r1 2"}}}},
    };
    struct total total = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(compare(&cases[i].program, cases[i].name, &total));
    assert_int_equal(total.lost, 0);
}

static void no_outcome_is_lost(void **state)
{
    (void)state;
    struct total total = {0};
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        struct program program;
        char name[32];
        write_program(&program, seed);
        snprintf(name, sizeof name, "seed %" PRIu64, seed);
        (void)compare(&program, name, &total);
    }
    print_message("figure: %" PRIu64 " programs, %" PRIu64 " schedules, %" PRIu64 " runs of dpor\n",
                  total.compared, total.all, total.reduced);
    assert_int_equal(total.lost, 0);
    assert_true(total.compared > PROGRAMS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_outcome_of_a_hard_program_is_lost),
        cmocka_unit_test(no_outcome_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
