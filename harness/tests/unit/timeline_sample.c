#include "timeline_sample.h"

#include "report_sample.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const clients[] = {"alice", "bob", "cleanup"};

#define DONE(who, number)                                                                       \
    {                                                                                           \
        .client = (who), .status = "done", .sqlstate = "00000", .message = "", .rows = (number) \
    }

static const struct ob_report_ended alice_done[] = {DONE(0, 0)}, bob_done[] = {DONE(1, 0)},
                                    bob_row[] = {DONE(1, 1)};
static const struct ob_report_ended alice_row[] = {{.client = 0,
                                                    .status = "done",
                                                    .sqlstate = "00000",
                                                    .message = "",
                                                    .rows = 1,
                                                    .digest = 0xfedcba9876543210}};
static const struct ob_report_ended alice_frees_bob[] = {DONE(0, 0), DONE(1, 1)};
static const struct ob_report_ended refused[] = {
    DONE(0, 0),
    {.client = 1,
     .status = "done",
     .sqlstate = "23P01",
     .message = "conflicting key value violates exclusion constraint \"booking_no_overlap\""},
};

static const struct ob_report_note before[] = {
    {.client = OB_REPORT_NOBODY, .kind = "fixture", .data = "{\"simulators\": 1}"}};
static const struct ob_report_note told[] = {
    {.client = 1, .kind = "answer", .data = "{\"status\": \"ok\", \"booking\": 2}"},
    {.client = 1, .kind = "fault", .data = "{\"point\": \"commit/ack-lost\", \"way\": 1}"},
    {.client = OB_REPORT_NOBODY, .kind = "clock", .data = "{\"at_us\": 1780315200000000}"}};

#define CHECK_SQL "SELECT count(*)\n  FROM booking\n WHERE simulator_id = $1\n   AND during && $2"
#define CHECK_PARAMS "$1 = '1', $2 = '[2026-06-01 10:00,2026-06-01 11:00)'"
#define INSERT_SQL "INSERT INTO booking (simulator_id, during, customer) VALUES ($1, $2, $3)"

#define STEP(who, does, sql, values, endings)                                               \
    .client = (who), .kind = (does), .text = (sql), .params = (values), .ended = (endings), \
    .ended_count = COUNT(endings)

static const struct ob_report_step raced[] = {
    {STEP(0, "begin", "BEGIN", "", alice_done)},
    {STEP(1, "begin", "BEGIN", "", bob_done)},
    {STEP(0, "sql", CHECK_SQL, CHECK_PARAMS, alice_row)},
    {STEP(1, "sql", CHECK_SQL, CHECK_PARAMS, bob_row)},
    {STEP(0, "sql", INSERT_SQL, CHECK_PARAMS ", $3 = 'alice'", alice_row)},
    {.client = 1,
     .kind = "sql",
     .text = INSERT_SQL,
     .params = CHECK_PARAMS ", $3 = 'bob'",
     .blocked = 2,
     .holders = 1},
    {STEP(0, "commit", "COMMIT", "", alice_frees_bob), .woken = 2, .uncontrolled = true},
    {STEP(1, "commit", "COMMIT", "", bob_done), .notes = told, .note_count = COUNT(told)},
};

static const struct ob_report_step cured[] = {
    {STEP(0, "begin", "BEGIN", "", alice_done)},
    {STEP(1, "begin", "BEGIN", "", bob_done)},
    {STEP(0, "sql", CHECK_SQL, CHECK_PARAMS, alice_row)},
    {STEP(1, "sql", CHECK_SQL, CHECK_PARAMS, bob_row)},
    {STEP(0, "sql", INSERT_SQL, CHECK_PARAMS ", $3 = 'alice'", alice_row)},
    {.client = 1,
     .kind = "sql",
     .text = INSERT_SQL,
     .params = CHECK_PARAMS ", $3 = 'bob'",
     .blocked = 2,
     .holders = 1},
    {STEP(0, "commit", "COMMIT", "", refused), .woken = 2},
    {STEP(1, "rollback", "ROLLBACK", "", bob_done)},
};

static const struct ob_report_timeline run = {
    .clients = clients,
    .client_count = COUNT(clients),
    .before = before,
    .before_count = COUNT(before),
    .steps = raced,
    .step_count = COUNT(raced),
    .end = "finished",
    .reason = "",
};

static const struct ob_report_timeline small_run = {
    .clients = clients,
    .client_count = 2,
    .steps = raced,
    .step_count = COUNT(raced),
    .end = "finished",
    .reason = "",
};

static const struct ob_report_timeline neighbour = {
    .clients = clients,
    .client_count = 2,
    .steps = cured,
    .step_count = COUNT(cured),
    .end = "finished",
    .reason = "",
};

static const struct ob_report_shrunk shrunk = {
    .token = "ob1-AAECAw",
    .replay = "overbook replay ob1-AAECAw",
    .clients = 2,
    .steps = COUNT(raced),
    .preemptions = 1,
    .replays_same = 10,
    .replays = 10,
    .runs = 23,
    .complete = true,
    .left_out = "alice's SELECT 1; all of carol",
    .timeline = &small_run,
};

static const struct ob_report_edge edges[] = {
    {.from = 2, .to = 6, .kind = "rw", .because = "alice counted before bob's booking was there"},
    {.from = 3, .to = 4, .kind = "rw", .because = "bob counted before alice's booking was there"},
};

static const struct ob_report_explanation explanation = {
    .anomaly = "write skew",
    .sentence = "Both counted the bookings of the slot before either had written one, so neither "
                "saw the other's.",
    .first = 3,
    .second = 4,
    .edges = edges,
    .edge_count = COUNT(edges),
};

static const struct ob_report_cure cures[] = {
    {.name = "exclusion constraint",
     .what = "Let the server refuse a booking that overlaps another one.",
     .change = "ALTER TABLE booking ADD CONSTRAINT booking_no_overlap\n"
               "  EXCLUDE USING gist (simulator_id WITH =, during WITH &&);",
     .on_schedule = "holds",
     .in_exploration = "holds",
     .verdict = "cured",
     .runs = 1204,
     .neighbour = &neighbour},
    {.name = "repeatable read",
     .what = "Let each transaction see one snapshot.",
     .change = "SET default_transaction_isolation = 'repeatable read';",
     .on_schedule = "violated",
     .in_exploration = "violated",
     .verdict = "not cured",
     .runs = 3},
    {.name = "row lock",
     .what = "Lock the bookings that are counted.",
     .change = "SELECT … FOR UPDATE",
     .on_schedule = "holds",
     .in_exploration = "deadlocks",
     .verdict = "cured but deadlocks",
     .runs = 80},
};

void timeline_sample(struct ob_report *report)
{
    report_sample_good(report);
    struct ob_report_result *result = &report->results[0];
    struct ob_report_violation *all = ob_arena_alloc(&report->arena, 2 * sizeof *all);
    all[0] = result->violations[0];
    all[0].timeline = &run;
    all[0].shrunk = &shrunk;
    all[0].explanation = &explanation;
    all[0].cures = cures;
    all[0].cure_count = COUNT(cures);
    all[1] = result->violations[0];
    all[1].invariant = "one-booking-per-slot";
    all[1].timeline = &run;
    result->violations = all;
    result->violation_count = 2;
}
