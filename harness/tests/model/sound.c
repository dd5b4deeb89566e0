#include "sound.h"

#include "base/digest.h"
#include "explore/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#define OUTCOMES_MAX 4096

struct outcomes {
    uint64_t seen[OUTCOMES_MAX];
    size_t count;
    uint64_t runs, cut_short;
    bool ended;
};

void ob_sound_begin(struct ob_sound *sound)
{
    static const char *const none[] = {NULL};
    static const char *const names[OB_SOUND_CLIENTS] = {"ann", "bob", "cat"};
    for (size_t i = 0; i < OB_SOUND_CLIENTS; i++)
        ob_scene_add(sound->scene, names[i], none);
}

static bool is_among(const struct outcomes *all, uint64_t outcome)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->seen[i] == outcome)
            return true;
    return false;
}

static uint64_t outcome_of(const struct ob_sound *sound)
{
    uint64_t hash = ob_hash_u64(OB_HASH_START, sound->digest(sound->self));
    for (size_t i = 0; i < sound->scene->spec.client_count; i++)
        hash = ob_hash_u64(hash, sound->scene->trace.seen[i]);
    return ob_hash_end(hash);
}

static void run(struct ob_sound *sound, struct ob_strategy *strategy, struct outcomes *out)
{
    struct ob_scene *scene = sound->scene;
    if (ob_scene_choose(scene, ob_strategy_chooser(strategy)) != OB_OK)
        fail_msg("%s %s", scene->err.message, scene->err.detail);
    ob_strategy_learn(strategy, &scene->trace);
    if (ob_strategy_cut(strategy)) {
        out->cut_short++;
        return;
    }
    assert_true(scene->trace.end == OB_RUN_FINISHED || scene->trace.end == OB_RUN_STUCK);
    assert_int_equal(scene->trace.uncontrolled, 0);
    out->runs++;
    uint64_t outcome = outcome_of(sound);
    if (is_among(out, outcome))
        return;
    assert_true(out->count < OUTCOMES_MAX);
    out->seen[out->count++] = outcome;
}

static void search(struct ob_sound *sound, enum ob_strategy_kind kind, struct outcomes *out)
{
    struct ob_strategy *strategy = ob_strategy_new(kind, 0, sound->scene->spec.client_count);
    uint64_t count = 0;
    *out = (struct outcomes){0};
    for (; count < sound->runs_max && ob_strategy_next(strategy, count); count++)
        run(sound, strategy, out);
    out->ended = count < sound->runs_max;
    if (out->ended)
        assert_true(ob_strategy_exhausted(strategy));
    ob_strategy_free(strategy);
}

static void print_program(const struct ob_sound_program *program)
{
    for (size_t i = 0; i < program->client_count; i++) {
        print_message("  client %zu:", i);
        for (size_t k = 0; program->lines[i][k]; k++)
            print_message(" %s;", program->lines[i][k]);
        print_message("\n");
    }
}

bool ob_sound_compare(struct ob_sound *sound, const struct ob_sound_program *program,
                      const char *name)
{
    static struct outcomes all, reduced;
    sound->scene->spec.client_count = program->client_count;
    for (size_t i = 0; i < program->client_count; i++)
        sound->scene->scripts[i].lines = program->lines[i];
    search(sound, OB_STRATEGY_EXHAUSTIVE, &all);
    if (!all.ended)
        return false;
    search(sound, OB_STRATEGY_DPOR, &reduced);
    assert_true(reduced.ended && reduced.runs <= all.runs);
    bool same = reduced.count == all.count;
    for (size_t i = 0; i < reduced.count; i++)
        same = same && is_among(&all, reduced.seen[i]);
    sound->compared++;
    sound->schedules += all.runs;
    sound->reduced += reduced.runs;
    sound->cut_short += reduced.cut_short;
    sound->lost += !same;
    if (!same) {
        print_message("%s: %zu of %zu outcomes\n", name, reduced.count, all.count);
        print_program(program);
    }
    return true;
}

void ob_sound_by_lot(struct ob_sound *sound, uint64_t count,
                     void (*write)(struct ob_sound_program *program, uint64_t seed))
{
    for (uint64_t seed = 1; seed <= count; seed++) {
        struct ob_sound_program program;
        char name[32];
        write(&program, seed);
        snprintf(name, sizeof name, "seed %" PRIu64, seed);
        (void)ob_sound_compare(sound, &program, name);
    }
    print_message("figure: %" PRIu64 " programs, %" PRIu64 " schedules, %" PRIu64
                  " runs of dpor, %" PRIu64 " cut short, %" PRIu64 " programs lost outcomes\n",
                  sound->compared, sound->schedules, sound->reduced, sound->cut_short, sound->lost);
    assert_int_equal(sound->lost, 0);
    assert_true(sound->compared > count / 2);
}
