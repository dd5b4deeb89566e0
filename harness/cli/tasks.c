#include "cli/tasks.h"

#include "base/alloc.h"

struct ob_crew_task *ob_tasks_add(struct ob_tasks *tasks, const struct ob_scenario *scenario,
                                  size_t variant)
{
    tasks->items = ob_grow(tasks->items, &tasks->capacity, tasks->count + 1, sizeof *tasks->items);
    struct ob_crew_task *task = &tasks->items[tasks->count++];
    *task = (struct ob_crew_task){.scenario = scenario, .variant = variant};
    return task;
}

static void begin(void *progress, const struct ob_crew_task *task)
{
    ob_progress_begin(progress, task->scenario->name, task->scenario->variants[task->variant].name);
}

static void tick(void *progress, const struct ob_explored *explored)
{
    (void)ob_progress_tick(progress, explored);
}

static bool line(void *progress)
{
    ob_progress_end(progress);
    return true;
}

enum ob_result ob_tasks_run(const struct ob_tasks *tasks, const struct ob_options *options,
                            struct ob_progress *progress, struct ob_report *report,
                            struct ob_error *err)
{
    struct ob_crew *crew = NULL;
    const struct ob_crew_listener listener = {
        .arg = progress, .begin = begin, .tick = tick, .ticks = progress->shown, .line = line};
    enum ob_result result = ob_crew_open(options, tasks->items, tasks->count, &crew, err);
    if (result != OB_OK)
        return result;
    ob_crew_describe(crew, report);
    result = ob_crew_run(crew, report, &listener, err);
    ob_crew_close(crew);
    if (result == OB_OK && ob_cli_interrupted())
        result = ob_error_set(err, OB_INTERRUPTED, "interrupted");
    return result;
}
