/*
 * libFuzzer: any bytes are read as a spec that keeps the promises of spec.h, or are refused in full
 * form.
 */
#include "scenario/spec.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ORDERS_MAX 100 /* looked at; there may be more than could ever be */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sessions(const struct ob_spec *spec)
{
    size_t steps = 0;
    assert(spec->session_count >= 1);
    for (size_t i = 0; i < spec->session_count; i++) {
        const struct ob_spec_session *session = &spec->sessions[i];
        assert(session->name && session->first_step == steps && session->step_count >= 1);
        for (size_t k = 0; k < session->step_count; k++)
            assert(spec->steps[steps + k].session == i);
        steps += session->step_count;
    }
    assert(steps == spec->step_count);
    for (size_t i = 0; i < spec->setup_count; i++)
        assert(spec->setups[i]);
}

static void check_permutation(const struct ob_spec *spec,
                              const struct ob_spec_permutation *permutation)
{
    assert(permutation->launch_count >= 1);
    for (size_t i = 0; i < permutation->launch_count; i++) {
        const struct ob_spec_launch *launch = &permutation->launches[i];
        assert(launch->step < spec->step_count && spec->steps[launch->step].used);
        for (size_t k = 0; k < launch->blocker_count; k++) {
            const struct ob_spec_blocker *blocker = &launch->blockers[k];
            assert(blocker->kind == OB_SPEC_ONCE || spec->steps[blocker->step].used);
            assert(blocker->kind == OB_SPEC_ONCE ||
                   spec->steps[blocker->step].session != spec->steps[launch->step].session);
        }
    }
}

static void check_orders(const struct ob_spec *spec)
{
    struct ob_spec_permutation order;
    struct ob_spec_orders *orders = ob_spec_orders_new(spec);
    for (int i = 0; i < ORDERS_MAX && ob_spec_orders_next(orders, &order); i++) {
        assert(order.launch_count == spec->step_count);
        for (size_t k = 0; k < order.launch_count; k++)
            assert(order.launches[k].step < spec->step_count);
    }
    ob_spec_orders_free(orders);
}

static void check_unused(const struct ob_spec *spec)
{
    size_t count = 0, used = 0;
    const struct ob_spec_step **unused = ob_spec_unused(spec, &count);
    for (size_t i = 0; i < spec->step_count; i++)
        used += spec->steps[i].used;
    assert(used + count == spec->step_count);
    for (size_t i = 1; i < count; i++)
        assert(strcmp(unused[i - 1]->name, unused[i]->name) < 0);
    free(unused);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ob_error err;
    struct ob_spec *spec;
    if (ob_spec_parse("x", (const char *)data, size, &spec, &err) == OB_OK) {
        check_sessions(spec);
        for (size_t i = 0; i < spec->permutation_count; i++)
            check_permutation(spec, &spec->permutations[i]);
        check_orders(spec);
        check_unused(spec);
        ob_spec_free(spec);
    } else {
        assert(err.code == OB_INPUT && !spec && err.message[0] != '\0' && err.hint[0] != '\0');
        assert(strncmp(err.detail, "x:", 2) == 0);
    }
    return 0;
}
