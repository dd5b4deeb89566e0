#include "fault/fault.h"

#include "base/alloc.h"

#include <assert.h>
#include <fiu-control.h>
#include <fiu.h>
#include <stdlib.h>
#include <string.h>

struct ob_faults {
    struct ob_fault_point *points;
    size_t count, enabled;
};

/* Points that fail in more than one way; libfiu's failnum tells the code under test which. */
static unsigned ways_of(const char *name)
{
    static const char *const two_ways[] = {"psp/timeout", "webhook/duplicate"};
    for (size_t i = 0; i < sizeof two_ways / sizeof *two_ways; i++)
        if (strcmp(name, two_ways[i]) == 0)
            return 2;
    return 1;
}

/* libfiu hands failinfo back, which is how the callback knows its set without a global. */
static int decide(const char *name, int *failnum, void **failinfo, unsigned int *flags)
{
    (void)flags;
    struct ob_client *client = ob_client_current();
    if (!client)
        return 0; /* not a racing client: what was done before the race, or a check */
    const struct ob_faults *faults = *failinfo;
    size_t point = 0;
    while (point < faults->count && strcmp(faults->points[point].name, name) != 0)
        point++;
    assert(point < faults->count);
    unsigned way = ob_client_fault(client, point);
    if (way != 0)
        *failnum = (int)way; /* the point's own, and other threads may be here */
    return way != 0;
}

enum ob_result ob_faults_open(const char *const *names, size_t count, struct ob_faults **out,
                              struct ob_error *err)
{
    assert(count <= OB_FAULT_POINTS_MAX);
    struct ob_faults *faults = ob_alloc(sizeof *faults);
    faults->points = ob_alloc(count * sizeof *faults->points);
    faults->count = count;
    for (size_t i = 0; i < count; i++)
        faults->points[i] = (struct ob_fault_point){.name = names[i], .ways = ways_of(names[i])};
    bool failed = fiu_init(0) != 0;
    for (size_t i = 0; i < count && !failed; i++) {
        failed = fiu_enable_external(names[i], 1, faults, 0, decide) != 0;
        faults->enabled += !failed;
    }
    if (!failed) {
        *out = faults;
        return OB_OK;
    }
    ob_faults_close(faults);
    return ob_error_set(err, OB_INTERNAL, "libfiu did not take a point of failure");
}

void ob_faults_close(struct ob_faults *faults)
{
    if (!faults)
        return;
    for (size_t i = 0; i < faults->enabled; i++)
        (void)fiu_disable(faults->points[i].name);
    free(faults->points);
    free(faults);
}

const struct ob_fault_point *ob_faults_points(const struct ob_faults *faults)
{
    return faults->points;
}
