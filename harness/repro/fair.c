#include "repro/shrink_int.h"

#include "repro/plan.h"
#include "repro/whole.h"

#include <string.h>

/* --- one after the other */

/* Those that begin at all. */
static size_t collect_clients(const struct ob_trials *trials, const struct ob_schedule *schedule,
                              size_t clients[OB_CLIENTS_MAX])
{
    size_t count = 0;
    for (size_t client = 0; client < trials->rig->spec.client_count; client++) {
        bool begins = true;
        for (size_t i = 0; i < schedule->omission_count; i++) {
            const struct ob_omission *omission = &schedule->omissions[i];
            begins &= omission->client != client || !omission->rest || omission->at > 0;
        }
        if (begins)
            clients[count++] = client;
    }
    return count;
}

/* The n-th order of the clients, false when there are no more.  Of three, all; else
 * each comes first once, of the first six. */
static bool make_order(size_t n, const size_t *clients, size_t count, size_t order[OB_CLIENTS_MAX])
{
    static const unsigned char of_three[][3] = {{0, 1, 2}, {1, 2, 0}, {2, 0, 1},
                                                {0, 2, 1}, {2, 1, 0}, {1, 0, 2}};
    if (n >= OB_ORDERS_MAX || (count != 3 && n >= count))
        return false;
    for (size_t i = 0; i < count; i++)
        order[i] = clients[count == 3 ? of_three[n][i] : (n + i) % count];
    return true;
}

/* A run that was not checked proves nothing. */
static bool is_checked(const struct ob_trace *trace)
{
    return trace->end == OB_RUN_FINISHED || trace->end == OB_RUN_STUCK;
}

static enum ob_result break_nothing(struct ob_trials *trials, const struct ob_schedule *schedule,
                                    bool *out, struct ob_error *err)
{
    size_t order[OB_CLIENTS_MAX], clients[OB_CLIENTS_MAX];
    size_t count = collect_clients(trials, schedule, clients);
    enum ob_result result = OB_OK;
    *out = true;
    for (size_t n = 0; result == OB_OK && *out && make_order(n, clients, count, order); n++) {
        struct ob_turns turns = {.program = schedule->program, .order = order, .count = count};
        struct ob_chooser chooser = ob_turns_chooser(&turns);
        const char *broken;
        *out = !trials->stopped;
        if (!*out)
            break;
        result = ob_trials_run(trials, &chooser, schedule, 0, &trials->beside, &broken, err);
        *out = !broken && is_checked(&trials->beside);
    }
    return result;
}

enum ob_result ob_trials_is_innocent(struct ob_trials *trials, const struct ob_schedule *schedule,
                                     bool *out, struct ob_error *err)
{
    const uint64_t omissions = ob_trials_omissions(schedule);
    *out = omissions == trials->known_innocent;
    if (*out || omissions == trials->known_guilty)
        return OB_OK;
    enum ob_result result = break_nothing(trials, schedule, out, err);
    if (result == OB_OK && !trials->stopped)
        *(*out ? &trials->known_innocent : &trials->known_guilty) = omissions;
    return result;
}

/* --- the whole program */

static enum ob_result put_back(struct ob_trials *trials, enum ob_put_back how, const char *rows,
                               bool *out, struct ob_error *err)
{
    static const struct ob_schedule nothing;
    const char *broken;
    struct ob_whole whole;
    ob_whole_init(&whole, &trials->other, how);
    struct ob_chooser chooser = ob_whole_chooser(&whole);
    enum ob_result result =
        ob_trials_run(trials, &chooser, &nothing, trials->other.schedule.fault_count,
                      &trials->beside, &broken, err);
    *out = broken && strcmp(broken, rows) == 0 && ob_whole_kept_order(&whole);
    ob_whole_clear(&whole);
    return result;
}

/* Whether the whole program breaks it too, in the same rows, when it keeps to the order of the
 * other run. */
static enum ob_result is_of_the_whole(struct ob_trials *trials, const char *rows, bool *out,
                                      struct ob_error *err)
{
    enum ob_result result = OB_OK;
    *out = false;
    for (enum ob_put_back how = 0;
         how < OB_PUT_BACK_COUNT && !*out && !trials->stopped && result == OB_OK; how++)
        result = put_back(trials, how, rows, out, err);
    return result;
}

enum ob_result ob_trials_is_fair(struct ob_trials *trials, const char *rows, bool *out,
                                 struct ob_error *err)
{
    enum ob_result result = is_of_the_whole(trials, rows, out, err);
    return result == OB_OK && *out
               ? ob_trials_is_innocent(trials, &trials->other.schedule, out, err)
               : result;
}
