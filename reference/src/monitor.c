/*
 * monitor.c - counters and the race log.
 */
#include "booking/monitor.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

struct booking_monitor {
    void (*log)(void *arg, const char *json_line);
    void *log_arg;
    atomic_uint_fast64_t counters[BOOKING_COUNTER_COUNT];
};

static const struct {
    const char *metric, *labels, *help;
} counters[] = {
#define COUNTER_ROW(name, metric, labels, help) {metric, labels, help},
    BOOKING_COUNTERS(COUNTER_ROW)
#undef COUNTER_ROW
};

struct booking_monitor *booking_monitor_new(void (*log)(void *arg, const char *json_line),
                                            void *arg)
{
    struct booking_monitor *monitor = calloc(1, sizeof *monitor);

    if (monitor) {
        monitor->log = log;
        monitor->log_arg = arg;
    }
    return monitor;
}

void booking_monitor_free(struct booking_monitor *monitor)
{
    free(monitor);
}

void booking_monitor_add(struct booking_monitor *monitor, enum booking_counter counter, uint64_t n)
{
    atomic_fetch_add_explicit(&monitor->counters[counter], n, memory_order_relaxed);
}

void booking_monitor_count(struct booking_monitor *monitor, enum booking_counter counter)
{
    booking_monitor_add(monitor, counter, 1);
}

uint64_t booking_monitor_get(const struct booking_monitor *monitor, enum booking_counter counter)
{
    return atomic_load_explicit(&monitor->counters[counter], memory_order_relaxed);
}

void booking_monitor_reset(struct booking_monitor *monitor)
{
    for (size_t i = 0; i < BOOKING_COUNTER_COUNT; i++)
        atomic_store_explicit(&monitor->counters[i], 0, memory_order_relaxed);
}

static void put_text(json_t *object, const char *name, const char *text)
{
    if (text && *text)
        json_object_set_new(object, name, json_string(text));
}

static void put_number(json_t *object, const char *name, int64_t number)
{
    if (number != 0)
        json_object_set_new(object, name, json_integer(number));
}

void booking_monitor_race(struct booking_monitor *monitor, const struct booking_race *race)
{
    json_t *object;
    char *line;

    if (!monitor->log)
        return;
    object = json_pack("{s:s}", "event", "race");
    put_text(object, "kind", race->kind);
    put_text(object, "request", race->request);
    put_text(object, "path", race->path);
    put_text(object, "decided", race->decided);
    put_text(object, "customer", race->customer);
    put_number(object, "simulator", race->simulator_id);
    put_number(object, "hold", race->hold_id);
    put_text(object, "payment", race->payment_id);
    put_text(object, "during", race->during);
    put_text(object, "sqlstate", race->sqlstate);
    line = json_dumps(object, JSON_COMPACT);
    if (line)
        monitor->log(monitor->log_arg, line);
    free(line);
    json_decref(object);
}

char *booking_monitor_prometheus(const struct booking_monitor *monitor)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    for (size_t i = 0; i < BOOKING_COUNTER_COUNT; i++) {
        if (counters[i].help)
            fprintf(out, "# HELP %s %s\n# TYPE %s counter\n", counters[i].metric, counters[i].help,
                    counters[i].metric);
        fputs(counters[i].metric, out);
        if (counters[i].labels)
            fprintf(out, "{%s}", counters[i].labels);
        fprintf(out, " %" PRIu64 "\n", booking_monitor_get(monitor, (enum booking_counter)i));
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
