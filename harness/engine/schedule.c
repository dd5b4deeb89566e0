#include "engine/trace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void ob_schedule_clear(struct ob_schedule *schedule)
{
    free(schedule->clients);
    free(schedule->wakes);
    free(schedule->faults);
    free(schedule->omissions);
    *schedule = (struct ob_schedule){0};
}

void ob_schedule_reset(struct ob_schedule *schedule)
{
    schedule->program = 0;
    schedule->step_count = 0;
    schedule->wake_count = 0;
    schedule->fault_count = 0;
    schedule->omission_count = 0;
}

void ob_schedule_copy(struct ob_schedule *to, const struct ob_schedule *from)
{
    assert(to != from);
    ob_schedule_reset(to);
    to->program = from->program;
    for (size_t i = 0; i < from->step_count; i++)
        ob_schedule_add_step(to, from->clients[i]);
    for (size_t i = 0; i < from->wake_count; i++)
        ob_schedule_add_wake(to, from->wakes[i]);
    for (size_t i = 0; i < from->fault_count; i++)
        ob_schedule_add_fault(to, from->faults[i]);
    for (size_t i = 0; i < from->omission_count; i++)
        ob_schedule_add_omission(to, from->omissions[i]);
}

static void add_client(uint8_t **clients, size_t *count, size_t *capacity, size_t client)
{
    assert(client < OB_CLIENTS_MAX);
    *clients = ob_grow(*clients, capacity, *count + 1, sizeof **clients);
    (*clients)[(*count)++] = (uint8_t)client;
}

void ob_schedule_add_step(struct ob_schedule *schedule, size_t client)
{
    add_client(&schedule->clients, &schedule->step_count, &schedule->step_capacity, client);
}

void ob_schedule_add_wake(struct ob_schedule *schedule, size_t client)
{
    add_client(&schedule->wakes, &schedule->wake_count, &schedule->wake_capacity, client);
}

void ob_schedule_add_fault(struct ob_schedule *schedule, struct ob_fault fault)
{
    assert(fault.client < OB_CLIENTS_MAX);
    schedule->faults = ob_grow(schedule->faults, &schedule->fault_capacity,
                               schedule->fault_count + 1, sizeof *schedule->faults);
    schedule->faults[schedule->fault_count++] = fault;
}

void ob_schedule_add_omission(struct ob_schedule *schedule, struct ob_omission omission)
{
    assert(omission.client < OB_CLIENTS_MAX);
    schedule->omissions = ob_grow(schedule->omissions, &schedule->omission_capacity,
                                  schedule->omission_count + 1, sizeof *schedule->omissions);
    schedule->omissions[schedule->omission_count++] = omission;
}
