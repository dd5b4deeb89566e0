/*
 * Nothing is lost by the reduction: programs made by lot, of clients that read, write, lock, wait
 * for each other and deadlock, end in the same ways under dpor as in all their schedules.
 */
#include "tests/model/sound.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#define PROGRAMS 80

static uint64_t digest(void *self)
{
    return ob_model_digest(self);
}

static void begin(struct ob_scene *scene, struct ob_sound *sound)
{
    ob_scene_open(
        scene, (struct ob_model_options){.session_count = 3, .holds = true, .tells = true}, NULL);
    ob_model_put(scene->model, "r1", 10);
    ob_model_put(scene->model, "s1", 20);
    *sound = (struct ob_sound){
        .scene = scene, .self = scene->model, .digest = digest, .runs_max = 40000};
    ob_sound_begin(sound);
}

static void write_command(struct ob_rng *rng, size_t client, char line[OB_SOUND_LINE_SIZE])
{
    static const char *const forms[] = {
        "read %s",     "rows r",    "lock %s",       "add %s 1",      "add %s 1",
        "set %s %zu7", "delete %s", "insert %s %zu", "insert %s %zu", "clock 5"};
    static const char *const rows[] = {"r1", "r2", "s1"};
    const char *form = forms[ob_rng_below(rng, sizeof forms / sizeof *forms)];
    const char *row = rows[ob_rng_below(rng, 3)];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(line, OB_SOUND_LINE_SIZE, form, row, client + 1);
#pragma GCC diagnostic pop
}

/* A transaction of one to three statements, or statements without one. */
static void write_client(struct ob_sound_program *program, size_t client, size_t statements,
                         struct ob_rng *rng)
{
    size_t count = 0;
    bool transaction = ob_rng_below(rng, 4) > 0;
    if (transaction)
        snprintf(program->text[client][count++], OB_SOUND_LINE_SIZE, "begin");
    for (size_t i = 0; i < statements; i++)
        write_command(rng, client, program->text[client][count++]);
    if (transaction)
        snprintf(program->text[client][count++], OB_SOUND_LINE_SIZE, "%s",
                 ob_rng_below(rng, 5) == 0 ? "rollback" : "commit");
    for (size_t i = 0; i < count; i++)
        program->lines[client][i] = program->text[client][i];
}

static void write_program(struct ob_sound_program *program, uint64_t seed)
{
    struct ob_rng rng;
    *program = (struct ob_sound_program){0};
    ob_rng_seed(&rng, seed);
    program->client_count = 2 + ob_rng_below(&rng, 2);
    for (size_t i = 0; i < program->client_count; i++)
        write_client(program, i, 1 + ob_rng_below(&rng, program->client_count == 2 ? 3 : 2), &rng);
}

/* Hand-written: what a program made by lot rarely is. */
static void no_outcome_of_a_hard_program_is_lost(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct ob_sound_program program;
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
        {"a clock that is set within a transaction",
         {.client_count = 2,
          .lines = {{"begin", "set r1 1", "clock 5", "read s1", "commit"},
                    {"add s1 1", "read r1"}}}},
        {"a call within a transaction",
         {.client_count = 2,
          .lines = {{"begin", "set r1 1", "call something", "read s1", "rollback"},
                    {"add s1 1", "add r1 1", "read r1"}}}},
    };
    struct ob_scene scene;
    struct ob_sound sound;
    begin(&scene, &sound);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(ob_sound_compare(&sound, &cases[i].program, cases[i].name));
    assert_int_equal(sound.lost, 0);
    ob_scene_close(&scene);
}

static void no_outcome_is_lost(void **state)
{
    (void)state;
    struct ob_scene scene;
    struct ob_sound sound;
    begin(&scene, &sound);
    ob_sound_by_lot(&sound, PROGRAMS, write_program);
    ob_scene_close(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_outcome_of_a_hard_program_is_lost),
        cmocka_unit_test(no_outcome_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
