/* vocabulary.c - see vocabulary.h.  Tables, and how to find a row. */
#include "scenario/vocabulary.h"

#include <assert.h>
#include <string.h>

#define CLOCK_TEXT "[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z?"
#define TIME_TEXT "[0-9]{4}-[0-9]{2}-[0-9]{2}T" CLOCK_TEXT

const struct ob_key_type_info ob_key_types[OB_KEY_TYPE_COUNT] = {
    [OB_KEY_TEXT] = {OB_VALUE_TEXT, "a text", "\"two customers\"", NULL},
    [OB_KEY_NAME] = {OB_VALUE_TEXT, "a name of small letters, digits and hyphens, 64 at most",
                     "alice-2", "^[a-z0-9]+(-[a-z0-9]+)*$"},
    [OB_KEY_CURRENCY] = {OB_VALUE_TEXT, "a currency of three capitals", "EUR", "^[A-Z]{3}$"},
    [OB_KEY_WORD] = {OB_VALUE_WORD, "a word", NULL, NULL},
    [OB_KEY_NUMBER] = {OB_VALUE_NUMBER, "a whole number", "1", NULL},
    [OB_KEY_BOOLEAN] = {OB_VALUE_BOOLEAN, "true or false", "true", NULL},
    [OB_KEY_TIME] = {OB_VALUE_TIME, "a time in UTC", "2026-06-01T09:00:00Z", "^" TIME_TEXT "$"},
    [OB_KEY_DURATION] = {OB_VALUE_DURATION, "a duration over 0 and up to 8784h", "15min",
                         "^[0-9]+(ms|s|min|h)$"},
    [OB_KEY_SECONDS] = {OB_VALUE_DURATION, "a duration of whole seconds, over 0 and up to 8784h",
                        "15min", "^[0-9]+(ms|s|min|h)$"},
    [OB_KEY_RANGE] = {OB_VALUE_RANGE, "a slot, its end after its start", "2026-06-01T10:00/11:00",
                      "^" TIME_TEXT "/([0-9]{4}-[0-9]{2}-[0-9]{2}T)?" CLOCK_TEXT "$"},
    [OB_KEY_STRATEGY] = {OB_VALUE_WORD, "a strategy", "pct:3", "^(bounded|pct):[0-9]+$"},
    [OB_KEY_PARTY] = {OB_VALUE_PARTY, "a client's name", "alice", NULL},
    [OB_KEY_OTHER] = {OB_VALUE_TEXT, NULL, NULL, NULL},
};

const char *const ob_target_words[] = {
    [OB_TARGET_REFERENCE] = "reference",
    [OB_TARGET_SQL] = "sql",
    [OB_TARGET_SPEC] = "spec",
    NULL,
};
const char *const ob_isolation_words[] = {
    [OB_READ_COMMITTED] = "read-committed",
    [OB_REPEATABLE_READ] = "repeatable-read",
    [OB_SERIALIZABLE] = "serializable",
    NULL,
};
const char *const ob_strategy_words[] = {"random",       "round-robin", "exhaustive", "stress",
                                         "permutations", "bounded",     "pct",        "pos",
                                         "urw",          "dpor",        "portfolio",  NULL};
const struct ob_numbered_word ob_numbered_strategies[] = {
    {"bounded", 0, 1000},
    {"pct", 1, 16},
    {NULL, 0, 0},
};
const char *const ob_variable_words[] = {"client", "now", NULL};

const char *const ob_path_words[] = {"legacy", "fixed", NULL};
static const char *const event_words[] = {"same", "new", NULL};
static const char *const tamper_words[] = {"none",   "signature", "old",      "owner",
                                           "amount", "currency",  "metadata", NULL};
static const char *const link_words[] = {"latest", "first", NULL};
static const char *const every_words[] = {"day", "week", NULL};
static const char *const change_words[] = {"succeeded", "failed", "refunded", NULL};

static const struct ob_key scenario_keys[] = {
    {.name = "name",
     .type = OB_KEY_NAME,
     .required = true,
     .about = "The scenario's name, unique among all that run together."},
    {.name = "about",
     .type = OB_KEY_TEXT,
     .required = true,
     .about = "What happens, in a sentence or two."},
    {.name = "target",
     .type = OB_KEY_WORD,
     .required = true,
     .words = ob_target_words,
     .about = "What is tested: the built-in booking flow, the statements written here, or those "
              "of an isolation spec."},
    {.name = "spec",
     .type = OB_KEY_TEXT,
     .targets = OB_FOR_SPEC,
     .required = true,
     .about = "The isolation spec, as a path that begins where this file is."},
    {.name = "variants",
     .type = OB_KEY_OTHER,
     .about = "The versions that race by the same script: a mapping of name to settings."},
    {.name = "setup",
     .type = OB_KEY_TEXT,
     .targets = OB_FOR_SQL,
     .about = "SQL that makes the tables and rows; any number of statements."},
    {.name = "start",
     .type = OB_KEY_TIME,
     .fallback = "2026-06-01T09:00:00Z",
     .about = "The virtual time at which each run starts."},
    {.name = "given",
     .type = OB_KEY_OTHER,
     .targets = OB_FOR_REFERENCE,
     .about = "What has happened before the race, in order: a list."},
    {.name = "clients",
     .type = OB_KEY_OTHER,
     .targets = OB_FOR_REFERENCE | OB_FOR_SQL,
     .required = true,
     .about = "Who races: a list."},
    {.name = "faults",
     .type = OB_KEY_OTHER,
     .targets = OB_FOR_REFERENCE | OB_FOR_SQL,
     .about = "What may go wrong, as choices of the schedule: a mapping."},
    {.name = "explore",
     .type = OB_KEY_OTHER,
     .about = "How to explore when the command line does not say: a mapping."},
    {.name = "invariants",
     .type = OB_KEY_OTHER,
     .required = true,
     .about = "What must hold: a list of built-in names and of own queries."},
    {.name = "sometimes",
     .type = OB_KEY_OTHER,
     .about = "What some run must have reached where a variant holds: a list of built-in names and "
              "of own queries."},
    {.name = "expect",
     .type = OB_KEY_OTHER,
     .required = true,
     .about = "The verdict to be expected: for each variant holds, or violates and an invariant."},
    {.name = NULL},
};
const struct ob_key_set ob_scenario_keys = {"scenario", scenario_keys};

static const struct ob_key variant_keys[] = {
    {.name = "flag",
     .type = OB_KEY_NUMBER,
     .targets = OB_FOR_REFERENCE,
     .min = 0,
     .max = 100,
     .fallback = "100",
     .about = "The percentage of customers on the fixed path."},
    {.name = "constraint",
     .type = OB_KEY_BOOLEAN,
     .targets = OB_FOR_REFERENCE,
     .about = "Whether the exclusion constraint is there; by default it is when flag is over 0."},
    {.name = "schema",
     .type = OB_KEY_NUMBER,
     .targets = OB_FOR_REFERENCE,
     .min = 1,
     .max = 999,
     .about = "The version of the schema, in place of constraint."},
    {.name = "isolation",
     .type = OB_KEY_WORD,
     .words = ob_isolation_words,
     .fallback = "read-committed",
     .about = "The isolation level of the transactions."},
    {.name = "gates",
     .type = OB_KEY_BOOLEAN,
     .fallback = "false",
     .about = "Whether statements that write, also those within functions, take two steps: one to "
              "take the snapshot, and one to run."},
    {.name = "hold-for",
     .type = OB_KEY_SECONDS,
     .targets = OB_FOR_REFERENCE,
     .fallback = "15min",
     .about = "How long a hold keeps its slot."},
    {.name = "setup",
     .type = OB_KEY_TEXT,
     .targets = OB_FOR_SQL | OB_FOR_SPEC,
     .about = "SQL that is run after the scenario's own setup."},
    {.name = "source",
     .type = OB_KEY_TEXT,
     .about = "The real race that the variant rebuilds, and where it is told."},
    {.name = NULL},
};
const struct ob_key_set ob_variant_keys = {"variant", variant_keys};

static const struct ob_key given_keys[] = {
    {.name = "as",
     .type = OB_KEY_NAME,
     .about =
         "Who does it: a client, or a name of its own. Needed but for cleanup, clock and furnish."},
    {.name = "does",
     .type = OB_KEY_OTHER,
     .required = true,
     .about = "A verb, with its keys beside it, or a list of actions."},
    {.name = NULL},
};
const struct ob_key_set ob_given_keys = {"given entry", given_keys};

static const struct ob_key client_keys[] = {
    {.name = "name", .type = OB_KEY_NAME, .required = true, .about = "The client's name."},
    {.name = "does",
     .type = OB_KEY_OTHER,
     .targets = OB_FOR_REFERENCE,
     .required = true,
     .about = "A verb, with its keys beside it, or a list of actions."},
    {.name = "steps",
     .type = OB_KEY_OTHER,
     .targets = OB_FOR_SQL,
     .required = true,
     .about = "What the client sends, one step after the other: a list."},
    {.name = "only",
     .type = OB_KEY_OTHER,
     .about = "The variants in which the client takes part: a name or a list; by default all."},
    {.name = "customer",
     .type = OB_KEY_TEXT,
     .targets = OB_FOR_REFERENCE,
     .about = "The customer whom the client acts for; by default the client's name."},
    {.name = "path",
     .type = OB_KEY_OTHER,
     .targets = OB_FOR_REFERENCE,
     .about = "The path that this client takes whatever the flag says: legacy or fixed, or a "
              "mapping of variant to one of them."},
    {.name = "vars",
     .type = OB_KEY_OTHER,
     .targets = OB_FOR_SQL,
     .about = "Variables that have a value from the start: a mapping of name to value."},
    {.name = "isolation",
     .type = OB_KEY_WORD,
     .targets = OB_FOR_SQL,
     .words = ob_isolation_words,
     .about = "The isolation level of this client's transactions; by default the variant's."},
    {.name = "retries",
     .type = OB_KEY_NUMBER,
     .targets = OB_FOR_SQL,
     .min = 0,
     .max = 100,
     .fallback = "0",
     .about = "How often the steps are begun again after SQLSTATE 40001 or 40P01."},
    {.name = "retry-lost",
     .type = OB_KEY_BOOLEAN,
     .targets = OB_FOR_SQL,
     .fallback = "false",
     .about = "Whether they are begun again also after the session was lost."},
    {.name = NULL},
};
const struct ob_key_set ob_client_keys = {"client", client_keys};

static const struct ob_key step_keys[] = {
    {.name = "begin",
     .type = OB_KEY_OTHER,
     .about = "Begins a transaction at the client's isolation level: no value."},
    {.name = "commit", .type = OB_KEY_OTHER, .about = "Commits: no value."},
    {.name = "rollback", .type = OB_KEY_OTHER, .about = "Rolls back: no value."},
    {.name = "sql",
     .type = OB_KEY_OTHER,
     .about = "One statement, in which :name is a variable's value: a text, or a mapping of "
              "variant to text."},
    {.name = "clock",
     .type = OB_KEY_OTHER,
     .about = "Moves the virtual clock: a mapping with to or advance."},
    {.name = "event", .type = OB_KEY_NAME, .about = "Adds an event of this kind to the history."},
    {.name = "data",
     .type = OB_KEY_OTHER,
     .about = "The event's data: a mapping of key to value; \":name\" is a variable's value."},
    {.name = "capture",
     .type = OB_KEY_OTHER,
     .about = "Keeps values of the statement's first row: a mapping of variable to column."},
    {.name = "touches",
     .type = OB_KEY_OTHER,
     .about = "All that the statement touches, which dpor believes: a mapping of read, share and "
              "write to what is touched so."},
    {.name = "when",
     .type = OB_KEY_OTHER,
     .about = "Skips the step unless this holds: a guard such as \"n = 0\", or a list of them."},
    {.name = "only",
     .type = OB_KEY_OTHER,
     .about = "The variants that have the step: a name or a list; by default all."},
    {.name = NULL},
};
const struct ob_key_set ob_step_keys = {"step", step_keys};

static const struct ob_key touches_keys[] = {
    {.name = "read",
     .type = OB_KEY_OTHER,
     .about = "Read as a snapshot shows it: TABLE or TABLE/KEY, or a list of them."},
    {.name = "share",
     .type = OB_KEY_OTHER,
     .about = "Locked against changes, as by FOR SHARE or a foreign key's check."},
    {.name = "write",
     .type = OB_KEY_OTHER,
     .about = "Changed, locked as for a change, or looked up as a unique key."},
    {.name = NULL},
};
const struct ob_key_set ob_touches_keys = {"declaration", touches_keys};

static const struct ob_key faults_keys[] = {
    {.name = "budget",
     .type = OB_KEY_NUMBER,
     .min = 1,
     .max = 16,
     .fallback = "1",
     .about = "The most faults in one run."},
    {.name = "points",
     .type = OB_KEY_OTHER,
     .required = true,
     .about = "Which faults there may be: a list."},
    {.name = NULL},
};
const struct ob_key_set ob_faults_keys = {"set of faults", faults_keys};

static const struct ob_key explore_keys[] = {
    {.name = "strategy",
     .type = OB_KEY_STRATEGY,
     .words = ob_strategy_words,
     .about = "As --strategy on the command line."},
    {.name = "runs",
     .type = OB_KEY_NUMBER,
     .min = 1,
     .max = 1000000000,
     .about = "As --runs on the command line."},
    {.name = "schedule",
     .type = OB_KEY_TEXT,
     .about = "The token of a run: that one is made, in the variant that it is of, and no other."},
    {.name = NULL},
};
const struct ob_key_set ob_explore_keys = {"exploration", explore_keys};

static const struct ob_key invariant_keys[] = {
    {.name = "name",
     .type = OB_KEY_NAME,
     .required = true,
     .about = "The invariant's name, one that is built in or a new one."},
    {.name = "sql",
     .type = OB_KEY_TEXT,
     .about = "A query that returns the offending rows; not for one that is built in."},
    {.name = "after-commit",
     .type = OB_KEY_BOOLEAN,
     .fallback = "false",
     .about = "Whether it is checked after each commit, and not only at the end."},
    {.name = "only",
     .type = OB_KEY_OTHER,
     .about = "The variants in which it is checked: a name or a list; by default all."},
    {.name = NULL},
};
const struct ob_key_set ob_invariant_keys = {"invariant", invariant_keys};

static const struct ob_key sometimes_keys[] = {
    {.name = "name",
     .type = OB_KEY_NAME,
     .required = true,
     .about = "What is reached: one that is built in or a new name."},
    {.name = "sql",
     .type = OB_KEY_TEXT,
     .about = "A query that returns rows when it was reached; not for one that is built in."},
    {.name = "only",
     .type = OB_KEY_OTHER,
     .about = "The variants that must reach it: a name or a list; by default all."},
    {.name = NULL},
};
const struct ob_key_set ob_sometimes_keys = {"sometimes entry", sometimes_keys};

#define SMALLEST_KEY(word, text)                                                        \
    {                                                                                   \
        .name = (word), .type = OB_KEY_NUMBER, .min = 0, .max = 100000, .about = (text) \
    }

static const struct ob_key expectation_keys[] = {
    {.name = "violates",
     .type = OB_KEY_NAME,
     .required = true,
     .about = "The invariant that some schedule must be found to break."},
    SMALLEST_KEY("clients", "Clients that move in the smallest run known to break it."),
    SMALLEST_KEY("faults", "Faults in it."),
    SMALLEST_KEY("steps", "Its steps."),
    SMALLEST_KEY("preemptions", "Switches in it from a client that could have gone on."),
    {.name = NULL},
};
const struct ob_key_set ob_expectation_keys = {"expectation", expectation_keys};

/* As many as the reference's seeds have. */
#define SIMULATOR_KEY                                                                     \
    {                                                                                     \
        .name = "simulator", .type = OB_KEY_NUMBER, .required = true, .min = 1, .max = 3, \
        .about = "The simulator's number; there are three."                               \
    }
#define SLOT_KEY                                                             \
    {                                                                        \
        .name = "slot", .type = OB_KEY_RANGE, .required = true,              \
        .about = "From when to when, in UTC; the end's day may be left out." \
    }
#define OF_KEY                                                   \
    {                                                            \
        .name = "of", .type = OB_KEY_PARTY,                      \
        .about = "Whose hold it is about; by default one's own." \
    }
#define PAYMENT_KEY                                                                      \
    {                                                                                    \
        .name = "payment", .type = OB_KEY_NUMBER, .min = 1, .max = 100, .fallback = "1", \
        .about = "Which payment for that hold, counted from 1."                          \
    }
#define LINK_KEY                                                                               \
    {                                                                                          \
        .name = "link", .type = OB_KEY_WORD, .words = link_words, .fallback = "latest",        \
        .about = "Which link is followed: the latest one, or the first, which is old after a " \
                 "rescheduling."                                                               \
    }

static const struct ob_key slot_keys[] = {SIMULATOR_KEY, SLOT_KEY, {.name = NULL}};
static const struct ob_key series_keys[] = {
    SIMULATOR_KEY,
    {.name = "slot",
     .type = OB_KEY_RANGE,
     .required = true,
     .about = "The first one, by the clock on the wall of where the simulator stands."},
    {.name = "every",
     .type = OB_KEY_WORD,
     .words = every_words,
     .fallback = "week",
     .about = "How often: each day, or each week."},
    {.name = "times",
     .type = OB_KEY_NUMBER,
     .required = true,
     .min = 1,
     .max = 60,
     .about = "How many there are, the first one included."},
    {.name = NULL},
};
static const struct ob_key pay_keys[] = {
    OF_KEY,
    {.name = "amount",
     .type = OB_KEY_NUMBER,
     .min = 0,
     .max = 1000000000,
     .about = "What is paid, in the currency's smallest unit; by default the price."},
    {.name = "currency",
     .type = OB_KEY_CURRENCY,
     .about = "What it is paid in; by default the price's currency."},
    PAYMENT_KEY,
    {.name = NULL},
};
static const struct ob_key webhook_keys[] = {
    OF_KEY,
    PAYMENT_KEY,
    {.name = "event",
     .type = OB_KEY_WORD,
     .words = event_words,
     .fallback = "same",
     .about = "The event's id: the provider's own, or a new one for the same change."},
    {.name = "tamper",
     .type = OB_KEY_WORD,
     .words = tamper_words,
     .fallback = "none",
     .about = "What is wrong with the delivery."},
    {.name = "type",
     .type = OB_KEY_WORD,
     .words = change_words,
     .fallback = "succeeded",
     .about = "The change that it tells."},
    {.name = NULL},
};
static const struct ob_key return_keys[] = {OF_KEY, PAYMENT_KEY, {.name = NULL}};
static const struct ob_key cancel_keys[] = {OF_KEY, LINK_KEY, {.name = NULL}};
static const struct ob_key reschedule_keys[] = {OF_KEY, SLOT_KEY, LINK_KEY, {.name = NULL}};
static const struct ob_key refund_keys[] = {
    OF_KEY,
    {.name = "amount",
     .type = OB_KEY_NUMBER,
     .required = true,
     .min = 1,
     .max = 1000000000,
     .about = "What goes back, in the currency's smallest unit."},
    {.name = "part",
     .type = OB_KEY_NUMBER,
     .min = 1,
     .max = 100,
     .fallback = "1",
     .about = "Which refund of that booking; the same number is the same request made again."},
    {.name = NULL},
};
static const struct ob_key no_keys[] = {{.name = NULL}};
static const struct ob_key flag_keys[] = {
    {.name = "percent",
     .type = OB_KEY_NUMBER,
     .required = true,
     .min = 0,
     .max = 100,
     .about = "The percentage of customers on the fixed path from then on."},
    {.name = NULL},
};
static const struct ob_key migrate_keys[] = {
    {.name = "version",
     .type = OB_KEY_NUMBER,
     .required = true,
     .min = 1,
     .max = 999,
     .about = "The version that the schema goes to, up or down, step by step."},
    {.name = NULL},
};
static const struct ob_key clock_keys[] = {
    {.name = "to", .type = OB_KEY_TIME, .about = "The new time."},
    {.name = "advance", .type = OB_KEY_DURATION, .about = "How far the clock goes forward."},
    {.name = NULL},
};

static const struct ob_key simulator_keys[] = {
    SIMULATOR_KEY,
    {.name = "capacity",
     .type = OB_KEY_NUMBER,
     .min = 1,
     .max = 1000,
     .about = "How many bookings it has room for at a time."},
    {.name = "before", .type = OB_KEY_SECONDS, .about = "Time that is claimed before a slot."},
    {.name = "after", .type = OB_KEY_SECONDS, .about = "Time that is claimed after a slot."},
    {.name = "zone",
     .type = OB_KEY_TEXT,
     .about = "Where it stands, as a time zone: America/New_York."},
    {.name = NULL},
};

const struct ob_verb ob_verbs[] = {
    {.set = {"availability", slot_keys}, .about = "Asks whether the slot is free."},
    {.set = {"hold", slot_keys}, .about = "Reserves the slot for a while."},
    {.set = {"series", series_keys}, .about = "Reserves a slot again and again, or none of it."},
    {.set = {"pay", pay_keys}, .about = "Makes a payment for the hold and captures it."},
    {.set = {"webhook", webhook_keys}, .about = "The provider tells what became of a payment."},
    {.set = {"return", return_keys}, .about = "The customer comes back from the payment page."},
    {.set = {"cancel", cancel_keys}, .about = "Gives up the hold or the booking."},
    {.set = {"refund", refund_keys}, .about = "Gives back a part of what was paid."},
    {.set = {"reschedule", reschedule_keys}, .about = "Moves the booking to another slot."},
    {.set = {"book", slot_keys}, .about = "hold, pay and webhook in one go."},
    {.set = {"cleanup", no_keys}, .about = "Ends the holds that are overdue.", .nobodys = true},
    {.set = {"flag", flag_keys}, .about = "Sets the feature flag.", .nobodys = true},
    {.set = {"migrate", migrate_keys},
     .about = "Migrates the schema while the others go on.",
     .nobodys = true},
    {.set = {"clock", clock_keys},
     .about = "Moves the virtual clock.",
     .one_of = true,
     .nobodys = true},
    {.set = {"furnish", simulator_keys},
     .about = "Changes what a simulator is like.",
     .nobodys = true},
    {.set = {.name = NULL}},
};

const struct ob_word ob_fault_words[] = {
    {"commit/not-sent", 0, "The connection is lost before COMMIT is sent: rolled back."},
    {"commit/ack-lost", 0, "The connection is lost after COMMIT is sent: committed."},
    {"session/killed", 0, "The server ends the session before a statement."},
    {"statement/40001", 0, "A statement fails with a serialization failure."},
    {"statement/40P01", 0, "A statement fails as a deadlock's victim."},
    {"webhook/duplicate", OB_FOR_REFERENCE, "A webhook is delivered twice."},
    {"webhook/reordered", OB_FOR_REFERENCE, "Webhooks are delivered out of order."},
    {"webhook/before-row", OB_FOR_REFERENCE, "A webhook arrives before its hold is stored."},
    {"hold/expired", OB_FOR_REFERENCE, "The hold ends just before it is decided upon."},
    {"worker/crash", OB_FOR_REFERENCE, "The worker dies between the effect and the answer."},
    {"psp/timeout", OB_FOR_REFERENCE, "The provider's answer to a call does not come."},
    {"psp/refund-failed", OB_FOR_REFERENCE, "The provider refuses a refund."},
    {"cleanup/now", OB_FOR_REFERENCE, "The cleanup job runs just then."},
    {"migrate/lock-timeout", OB_FOR_REFERENCE,
     "A migration that has to wait for its lock gives up, and tries again later."},
    {NULL, 0, NULL},
};

const struct ob_word ob_invariant_words[] = {
    {"no-overlap", OB_FOR_REFERENCE, "No two live claims of one simulator overlap."},
    {"capacity", OB_FOR_REFERENCE, "Never more live claims than a simulator has room for."},
    {"one-booking-per-payment", OB_FOR_REFERENCE, "A payment makes at most one booking."},
    {"every-payment-settles", OB_FOR_REFERENCE,
     "A captured payment ends in a booking, a full refund or an open case."},
    {"money-conserved", OB_FOR_REFERENCE, "What was captured is booked, refunded or in a case."},
    {"ownership", OB_FOR_REFERENCE, "Payment, hold and booking have one owner."},
    {"no-expired-confirm", OB_FOR_REFERENCE, "An expired hold is not confirmed."},
    {"legal-transitions", OB_FOR_REFERENCE, "Every change of status is a legal one."},
    {"effects-once", OB_FOR_REFERENCE, "Each effect of a transition comes at most once."},
    {"acknowledged-means-done", OB_FOR_REFERENCE, "What was acknowledged is committed."},
    {"no-acknowledged-loss", OB_FOR_REFERENCE, "What was acknowledged is not lost later."},
    {"reschedule-lineage", OB_FOR_REFERENCE, "A booking that was moved is live at most once."},
    {"no-spurious-rejection", OB_FOR_REFERENCE, "Who is turned away met a real conflict."},
    {"liveness", OB_FOR_REFERENCE, "Nothing blocks for longer than it may."},
    {"sane-ranges", OB_FOR_REFERENCE, "Every range is finite, not empty and as sold."},
    {"stable-keys", OB_FOR_REFERENCE, "Retries of a call carry one idempotency key."},
    {"honest-metrics", OB_FOR_REFERENCE, "The counters tell what the history tells."},
    {NULL, 0, NULL},
};

const struct ob_word ob_sometimes_words[] = {
    {"contention", 0,
     "A client waited for another, or came between two steps of one with a step "
     "that touches what that one does."},
    {"wait", 0, "A client waited for another."},
    {NULL, 0, NULL},
};

bool ob_key_is_for(unsigned targets, enum ob_target_kind target)
{
    return targets == 0 || (targets & 1U << target) != 0;
}

const struct ob_key *ob_key_find(const struct ob_key_set *set, const char *name)
{
    for (const struct ob_key *key = set->keys; key->name; key++) {
        if (strcmp(key->name, name) == 0)
            return key;
    }
    return NULL;
}

const struct ob_verb *ob_verb_find(const char *name)
{
    for (const struct ob_verb *verb = ob_verbs; verb->set.name; verb++) {
        if (strcmp(verb->set.name, name) == 0)
            return verb;
    }
    return NULL;
}

const struct ob_word *ob_word_find(const struct ob_word *words, const char *name)
{
    for (; words->name; words++) {
        if (strcmp(words->name, name) == 0)
            return words;
    }
    return NULL;
}
