/*
 * The engine on a live PostgreSQL: the golden programs, and every sort of wait that the server
 * knows.
 */
#include "live.h"

#include "base/alloc.h"
#include "explore/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void golden_programs_have_their_known_schedules_and_outcomes(void **state)
{
    (void)state;
    for (size_t i = 0; i < OB_GOLDEN_COUNT; i++) {
        const struct ob_golden *golden = &ob_goldens[i];
        struct ob_live live;
        struct ob_golden_count count;
        char *schema = ob_asprintf("%s%s", ob_golden_schema, golden->rows);
        ob_live_open(&live, schema, NULL);
        struct ob_golden_place place = ob_live_golden_place(&live);
        if (ob_golden_exhaust(golden, 2, &place, &count, &live.err) != OB_OK)
            fail_msg("%s: %s %s", golden->name, live.err.message, live.err.detail);
        print_message("%s: %lu schedules, %lu outcomes\n", golden->name, count.schedules,
                      count.outcomes);
        assert_int_equal(count.schedules, golden->schedules[0]);
        assert_int_equal(count.outcomes, golden->outcomes[0]);
        ob_live_close(&live);
        free(schema);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_programs_have_their_known_schedules_and_outcomes),
    };
    return cmocka_run_group_tests(tests, ob_live_start, ob_live_stop);
}
