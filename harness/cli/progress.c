#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define DRAW_EVERY_US 100000

void ob_progress_init(struct ob_progress *progress, enum ob_when when, int verbosity)
{
    *progress = (struct ob_progress){0};
    progress->shown =
        when == OB_ALWAYS || (when == OB_AUTO && verbosity >= 0 && isatty(STDERR_FILENO));
}

int64_t ob_progress_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void draw(struct ob_progress *progress, uint64_t runs)
{
    fprintf(stderr, "\r\033[K%s, %s: %" PRIu64 " runs", progress->scenario, progress->variant,
            runs);
    fflush(stderr);
    progress->dirty = true;
    progress->drawn_us = ob_progress_clock_us();
}

void ob_progress_begin(struct ob_progress *progress, const char *scenario, const char *variant)
{
    progress->scenario = scenario;
    progress->variant = variant;
    if (progress->shown)
        draw(progress, 0);
}

bool ob_progress_tick(void *self, uint64_t runs, size_t findings)
{
    struct ob_progress *progress = self;
    (void)findings;
    if (progress->shown && ob_progress_clock_us() - progress->drawn_us > DRAW_EVERY_US)
        draw(progress, runs);
    return !ob_cli_interrupted();
}

void ob_progress_end(struct ob_progress *progress)
{
    if (progress->dirty)
        fprintf(stderr, "\r\033[K");
    progress->dirty = false;
}
