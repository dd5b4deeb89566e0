#include "target/spec_program.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

struct ob_spec_programs {
    const struct ob_spec *spec;    /* borrowed */
    struct ob_spec_orders *orders; /* of a file without permutations; owned */
    struct ob_order order;         /* the present one: its launches are owned, */
    struct ob_launch *launches;    /* these, */
    size_t launch_capacity;
    size_t *after; /* and so is what they point to */
    size_t after_capacity;
};

size_t ob_spec_program_count(const struct ob_spec *spec)
{
    return spec->permutation_count > 0 ? spec->permutation_count : 1;
}

bool ob_spec_program_step(const struct ob_spec *spec, size_t program, size_t session, size_t *at,
                          size_t *step)
{
    assert(program >= 1 && program <= ob_spec_program_count(spec));
    const struct ob_spec_session *own = &spec->sessions[session];
    if (spec->permutation_count == 0) {
        *step = own->first_step + *at;
        return (*at)++ < own->step_count;
    }
    const struct ob_spec_permutation *permutation = &spec->permutations[program - 1];
    while (*at < permutation->launch_count) {
        *step = permutation->launches[(*at)++].step;
        if (spec->steps[*step].session == session)
            return true;
    }
    return false;
}

struct ob_spec_programs *ob_spec_programs_new(const struct ob_spec *spec)
{
    struct ob_spec_programs *programs = ob_alloc(sizeof *programs);
    programs->spec = spec;
    return programs;
}

void ob_spec_programs_free(struct ob_spec_programs *programs)
{
    if (!programs)
        return;
    ob_spec_orders_free(programs->orders);
    free(programs->launches);
    free(programs->after);
    free(programs);
}

/* Of the markers only "until that step is over" bears upon what is launched: the step that has one
 * keeps its session busy.  The others are for when the server is not known to be quiet, which it
 * always is before a step here. */
static size_t count_after(const struct ob_spec_permutation *permutation)
{
    size_t count = 0;
    for (size_t i = 0; i < permutation->launch_count; i++)
        for (size_t k = 0; k < permutation->launches[i].blocker_count; k++)
            count += permutation->launches[i].blockers[k].kind == OB_SPEC_STEP;
    return count;
}

static void make_order(struct ob_spec_programs *self, size_t program,
                       const struct ob_spec_permutation *permutation)
{
    const struct ob_spec *spec = self->spec;
    self->launches = ob_grow(self->launches, &self->launch_capacity, permutation->launch_count,
                             sizeof *self->launches);
    self->after = ob_grow(self->after, &self->after_capacity, count_after(permutation) + 1,
                          sizeof *self->after);
    size_t *after = self->after;
    for (size_t i = 0; i < permutation->launch_count; i++) {
        const struct ob_spec_launch *given = &permutation->launches[i];
        const struct ob_spec_step *step = &spec->steps[given->step];
        struct ob_launch *launch = &self->launches[i];
        *launch = (struct ob_launch){
            .name = step->name, .client = step->session, .what = given->step, .after = after};
        for (size_t k = 0; k < given->blocker_count; k++)
            if (given->blockers[k].kind == OB_SPEC_STEP)
                *after++ = given->blockers[k].step;
        launch->after_count = (size_t)(after - launch->after);
    }
    self->order = (struct ob_order){
        .program = program, .launches = self->launches, .count = permutation->launch_count};
}

static const struct ob_order *get_listed(void *self, uint64_t number)
{
    struct ob_spec_programs *programs = self;
    if (number >= programs->spec->permutation_count)
        return NULL;
    make_order(programs, (size_t)number + 1, &programs->spec->permutations[number]);
    return &programs->order;
}

static const struct ob_order *get_made(void *self, uint64_t number)
{
    struct ob_spec_programs *programs = self;
    struct ob_spec_permutation permutation;
    if (number == 0) {
        ob_spec_orders_free(programs->orders);
        programs->orders = ob_spec_orders_new(programs->spec);
    }
    if (!ob_spec_orders_next(programs->orders, &permutation))
        return NULL;
    make_order(programs, 1, &permutation);
    return &programs->order;
}

struct ob_orders ob_spec_programs_orders(struct ob_spec_programs *programs)
{
    bool listed = programs->spec->permutation_count > 0;
    return (struct ob_orders){
        .self = programs, .get = listed ? get_listed : get_made, .listed = listed};
}
