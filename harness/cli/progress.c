#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define DRAW_EVERY_US 100000
#define BAR_CELLS 10
#define LINE_MAX_SIZE 1024
#define SECOND_US INT64_C(1000000)

void ob_progress_init(struct ob_progress *progress, enum ob_when when, int verbosity)
{
    *progress = (struct ob_progress){0};
    progress->bar = isatty(STDERR_FILENO);
    progress->shown = when == OB_ALWAYS || (when == OB_AUTO && verbosity >= 0 && progress->bar);
}

int64_t ob_progress_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* In the largest unit of which there is more than one. */
static void describe_time(double left_us, struct ob_buf *out)
{
    static const struct {
        double us;
        const char *unit;
    } units[] = {{86400e6, "days"}, {3600e6, "h"}, {60e6, "min"}, {1e6, "s"}};
    size_t i = 0;
    while (i < 3 && left_us < 1.5 * units[i].us)
        i++;
    double count = left_us / units[i].us;
    if (count > 1000 && i == 0)
        ob_buf_puts(out, ", more than 1000 days left");
    else
        ob_buf_printf(out, ", about %.0f %s left", count < 1 ? 1 : count, units[i].unit);
}

void ob_progress_describe(double share, int64_t spent_us, bool bar, struct ob_buf *out)
{
    if (share <= 0)
        return;
    if (bar) {
        int full = (int)(share * BAR_CELLS);
        ob_buf_puts(out, "[");
        for (int i = 0; i < BAR_CELLS; i++)
            ob_buf_puts(out, i < full ? "#" : "-");
        ob_buf_puts(out, "] ");
    }
    ob_buf_printf(out, "%d %%", (int)(share * 100));
    if (spent_us >= SECOND_US) /* before, it would be a guess */
        describe_time((double)spent_us * (1 - share) / share, out);
}

static void draw(struct ob_progress *progress, const struct ob_explored *explored)
{
    struct ob_buf line;
    ob_buf_init(&line, LINE_MAX_SIZE);
    progress->drawn_us = ob_progress_clock_us();
    ob_buf_printf(&line, "%s, %s: %s%" PRIu64 " runs", progress->scenario, progress->variant,
                  explored->shrinking ? "making it small, "
                  : explored->curing  ? "trying a cure, "
                                      : "",
                  explored->runs);
    if (explored->share > 0)
        ob_buf_puts(&line, " ");
    ob_progress_describe(explored->share, progress->drawn_us - progress->begun_us, progress->bar,
                         &line);
    fprintf(stderr, "\r\033[K%s", line.data);
    fflush(stderr);
    ob_buf_clear(&line);
    progress->dirty = true;
}

void ob_progress_begin(struct ob_progress *progress, const char *scenario, const char *variant)
{
    progress->scenario = scenario;
    progress->variant = variant;
    progress->begun_us = ob_progress_clock_us();
    if (progress->shown)
        draw(progress, &(struct ob_explored){0});
}

bool ob_progress_tick(void *self, const struct ob_explored *explored)
{
    struct ob_progress *progress = self;
    if (progress->shown && ob_progress_clock_us() - progress->drawn_us > DRAW_EVERY_US)
        draw(progress, explored);
    return !ob_cli_interrupted();
}

void ob_progress_end(struct ob_progress *progress)
{
    if (progress->dirty)
        fprintf(stderr, "\r\033[K");
    progress->dirty = false;
}
