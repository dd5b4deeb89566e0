/*
 * spec_check.c - what the names of a spec refer to.  See spec_int.h.
 *
 * All steps of a permutation are looked up before its blockers, because a blocker may be a step
 * that comes later.
 */
#include "scenario/spec_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct check {
    struct ob_spec_reader *r;
    const struct ob_spec_step **by_name; /* sorted */
    size_t *last_use;                    /* for each step: the last permutation that has it */
    size_t round;                        /* this permutation, from 1 */
};

/* Steps of one name are in the order of the file. */
static int compare_steps(const void *left, const void *right)
{
    const struct ob_spec_step *a = *(const struct ob_spec_step *const *)left;
    const struct ob_spec_step *b = *(const struct ob_spec_step *const *)right;
    int by_name = strcmp(a->name, b->name);
    return by_name != 0 ? by_name : (a > b) - (a < b);
}

/* All steps by name; the caller's to free. */
static const struct ob_spec_step **sort_steps(const struct ob_spec *spec)
{
    const struct ob_spec_step **steps = ob_alloc(spec->step_count * sizeof(void *));
    for (size_t i = 0; i < spec->step_count; i++)
        steps[i] = &spec->steps[i];
    qsort(steps, spec->step_count, sizeof(void *), compare_steps);
    return steps;
}

static int compare_name(const void *name, const void *step)
{
    return strcmp(name, (*(const struct ob_spec_step *const *)step)->name);
}

static bool find(const struct check *check, const char *name, size_t *out)
{
    const struct ob_spec *spec = check->r->spec;
    const struct ob_spec_step *const *found =
        bsearch(name, check->by_name, spec->step_count, sizeof(void *), compare_name);
    if (found)
        *out = (size_t)(*found - spec->steps);
    return found != NULL;
}

static bool check_unique(const struct check *check)
{
    struct ob_spec_reader *r = check->r;
    for (size_t i = 1; i < r->spec->step_count; i++) {
        const struct ob_spec_step *step = check->by_name[i];
        if (strcmp(step->name, check->by_name[i - 1]->name) == 0) {
            size_t token = r->step_tokens[step - r->spec->steps];
            return ob_spec_refuse(r, r->tokens.items[token].place,
                                  "give each step a name of its own, in all sessions together",
                                  "duplicate step name: %s", step->name);
        }
    }
    return true;
}

static bool find_launches(struct check *check, struct ob_spec_launch *launches, size_t count)
{
    struct ob_spec_reader *r = check->r;
    for (size_t i = 0; i < count; i++) {
        const struct ob_spec_token *token = &r->tokens.items[launches[i].step];
        if (!find(check, token->text, &launches[i].step))
            return ob_spec_refuse(r, token->place, "name a step of one of the sessions",
                                  "undefined step \"%s\" specified in permutation", token->text);
        r->spec->steps[launches[i].step].used = true;
        check->last_use[launches[i].step] = check->round;
    }
    return true;
}

static bool find_blocker(const struct check *check, size_t blocked, struct ob_spec_blocker *blocker)
{
    struct ob_spec_reader *r = check->r;
    const struct ob_spec_step *step = &r->spec->steps[blocked];
    const struct ob_spec_token *token = &r->tokens.items[blocker->step];
    if (!find(check, token->text, &blocker->step) || check->last_use[blocker->step] != check->round)
        return ob_spec_refuse(r, token->place, "name a step of the same permutation",
                              "undefined blocking step \"%s\" referenced in permutation step "
                              "\"%s\"",
                              token->text, step->name);
    if (r->spec->steps[blocker->step].session == step->session)
        return ob_spec_refuse(
            r, token->place, "name a step of another session: one's own wait for each other anyway",
            "permutation step \"%s\" cannot block on its own session", step->name);
    return true;
}

static bool check_permutation(struct check *check, struct ob_spec_launch *launches, size_t count,
                              struct ob_spec_blocker **blockers)
{
    check->round++;
    if (!find_launches(check, launches, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        assert(launches[i].blockers == *blockers);
        for (size_t k = 0; k < launches[i].blocker_count; k++, (*blockers)++) {
            if ((*blockers)->kind != OB_SPEC_ONCE &&
                !find_blocker(check, launches[i].step, *blockers))
                return false;
        }
    }
    return true;
}

static bool check_permutations(struct check *check)
{
    const struct ob_spec *spec = check->r->spec;
    struct ob_spec_launch *launches = check->r->launches;
    struct ob_spec_blocker *blockers = check->r->blockers;
    for (size_t i = 0; i < spec->permutation_count; i++) {
        if (!check_permutation(check, launches, spec->permutations[i].launch_count, &blockers))
            return false;
        launches += spec->permutations[i].launch_count;
    }
    for (size_t i = 0; spec->permutation_count == 0 && i < spec->step_count; i++)
        spec->steps[i].used = true;
    return true;
}

bool ob_spec_check(struct ob_spec_reader *r)
{
    struct check check = {.r = r, .by_name = sort_steps(r->spec)};
    check.last_use = ob_alloc(r->spec->step_count * sizeof *check.last_use);
    bool good = check_unique(&check) && check_permutations(&check);
    free(check.last_use);
    free(check.by_name);
    return good;
}

const struct ob_spec_step **ob_spec_unused(const struct ob_spec *spec, size_t *count)
{
    const struct ob_spec_step **steps = sort_steps(spec);
    *count = 0;
    for (size_t i = 0; i < spec->step_count; i++) {
        if (!steps[i]->used)
            steps[(*count)++] = steps[i];
    }
    return steps;
}
