#include "cli/cli.h"

#include "base/alloc.h"
#include "base/parse.h"
#include "base/version.h"
#include "cli/shard.h"
#include "pg/redact.h"
#include "pg/setting.h"

#include <argp.h>
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *argp_program_version = "overbook " OB_VERSION;

enum key {
    KEY_URL = 0x100,
    KEY_DISPOSABLE,
    KEY_VARIANT,
    KEY_STRATEGY,
    KEY_RUNS,
    KEY_BUDGET,
    KEY_SEED,
    KEY_FAULTS,
    KEY_KEEP_GOING,
    KEY_NO_SHRINK,
    KEY_QUICK,
    KEY_EXHAUSTED,
    KEY_JSON,
    KEY_JUNIT,
    KEY_HTML,
    KEY_PERFETTO,
    KEY_GITLAB,
    KEY_GITHUB,
    KEY_PROGRESS,
    KEY_COLOR,
    KEY_REGRESS,
    KEY_JOBS,
    KEY_ISOLATION,
    KEY_FROM_PERMUTATIONS,
    KEY_INVARIANT,
    KEY_SHARD,
    KEY_CHECKPOINT,
    KEY_CONTINUE,
    KEY_STEP,
    KEY_AS,
    KEY_EXPECTED,
    KEY_FAIL_FAST,
    KEY_CURES,
    KEY_NO_CURES,
    KEY_SET,
    KEY_OUTPUT = 'o',
    KEY_QUIET = 'q',
    KEY_VERBOSE = 'v',
};

#define RUN OB_COMMAND_RUN
#define REPLAY OB_COMMAND_REPLAY
#define SHRINK OB_COMMAND_SHRINK
#define LIST OB_COMMAND_LIST
#define DOCTOR OB_COMMAND_DOCTOR
#define SPEC OB_COMMAND_SPEC
#define MERGE OB_COMMAND_MERGE
#define REPORT OB_COMMAND_REPORT
#define ROLLOUT OB_COMMAND_ROLLOUT
#define EXPORT OB_COMMAND_EXPORT
#define MATRIX OB_COMMAND_MATRIX

static const struct {
    unsigned commands;
    struct argp_option option;
} table[] = {
    {RUN | REPLAY | SHRINK | DOCTOR | SPEC | ROLLOUT | EXPORT | MATRIX,
     {"database-url", KEY_URL, "URL", 0, "use this server, not one of overbook's own", 0}},
    {RUN | REPLAY | SHRINK | SPEC | ROLLOUT | EXPORT | MATRIX,
     {"disposable", KEY_DISPOSABLE, 0, 0,
      "mark the database of the URL, so that overbook may work beside it", 0}},
    {RUN | LIST | MATRIX, {"variant", KEY_VARIANT, "NAME", 0, "only this variant", 0}},
    {RUN,
     {"expected", KEY_EXPECTED, "WHAT", 0,
      "only variants of which this is expected: holds or violates", 0}},
    {RUN | ROLLOUT | MATRIX,
     {"strategy", KEY_STRATEGY, "NAME[:ARG]", 0,
      "portfolio (the default), random, round-robin, exhaustive, dpor, bounded:N (preemptions), "
      "pct:D (depth), pos, urw, stress or permutations",
      0}},
    {RUN | SHRINK | ROLLOUT | MATRIX,
     {"runs", KEY_RUNS, "N", 0, "at most so many runs, of each variant or token", 0}},
    {RUN | SHRINK | ROLLOUT | MATRIX,
     {"budget", KEY_BUDGET, "TIME", 0, "at most so long for each of them: 60s, 5min", 0}},
    {RUN | ROLLOUT | MATRIX, {"seed", KEY_SEED, "N", 0, "other numbers by lot (default 1)", 0}},
    {RUN, {"faults", KEY_FAULTS, "N", 0, "faults in a run at the most; 0 for none", 0}},
    {RUN | ROLLOUT,
     {"no-shrink", KEY_NO_SHRINK, 0, 0, "leave what was found as large as it is", 0}},
    {RUN,
     {"quick", KEY_QUICK, 0, 0,
      "for every push: an eighth of the runs where a variant is to hold, and nothing made small",
      0}},
    {RUN,
     {"cures", KEY_CURES, 0, 0, "try cures for every violation, not only for unexpected ones", 0}},
    {RUN | SHRINK, {"no-cures", KEY_NO_CURES, 0, 0, "try no cures", 0}},
    {MATRIX,
     {"set", KEY_SET, "NAME=VALUE", 0,
      "also with this setting in the clients' sessions; may be given again", 0}},
    {RUN, {"keep-going", KEY_KEEP_GOING, 0, 0, "go on after the first violation", 0}},
    {RUN, {"fail-fast", KEY_FAIL_FAST, 0, 0, "end with the first result not as expected", 0}},
    {RUN,
     {"from-permutations", KEY_FROM_PERMUTATIONS, 0, 0, "begin with the permutations of a spec",
      0}},
    {EXPORT, {"as", KEY_AS, "FORM", 0, "spec, psql, cmocka or yaml", 0}},
    {EXPORT, {"output", KEY_OUTPUT, "FILE", 0, "where to write it; - is standard output", 0}},
    {RUN | REPLAY | SHRINK | EXPORT,
     {"invariant", KEY_INVARIANT, "NAME: SQL", 0,
      "what must hold for the specs that are named; may be given again", 0}},
    {REPLAY,
     {"continue", KEY_CONTINUE, 0, 0,
      "go on where the record cannot be followed, also in a scenario that was changed", 0}},
    {REPLAY, {"step", KEY_STEP, 0, 0, "walk through the run, with commands on standard input", 0}},
    {RUN,
     {"require-exhausted", KEY_EXHAUSTED, 0, 0,
      "inconclusive unless every schedule was run (with --strategy exhaustive or dpor)", 0}},
    {SPEC,
     {"regress", KEY_REGRESS, 0, 0, "compare a folder of specs with a folder of their output", 0}},
    {RUN | SPEC | ROLLOUT | MATRIX,
     {"jobs", KEY_JOBS, "N", 0, "workers (default: the processors); of spec, with --regress", 0}},
    {RUN,
     {"shard", KEY_SHARD, "I/N", 0,
      "only this part of the work, I from 1; auto: as Slurm, Kubernetes or CI say", 0}},
    {RUN,
     {"checkpoint", KEY_CHECKPOINT, "DIR", 0,
      "write down what was done, and go on from what is there", 0}},
    {SPEC,
     {"isolation", KEY_ISOLATION, "LEVEL", 0,
      "the default isolation level: read-committed, repeatable-read or serializable", 0}},
    {RUN | REPLAY | SHRINK | SPEC | MERGE | REPORT | ROLLOUT | MATRIX,
     {"json", KEY_JSON, "FILE", 0, "write the result as JSON; - is standard output", 0}},
    {RUN | MERGE | REPORT | ROLLOUT,
     {"junit", KEY_JUNIT, "FILE", 0, "write the result as JUnit XML", 0}},
    {RUN | MERGE | REPORT | ROLLOUT | MATRIX,
     {"html", KEY_HTML, "FILE", 0, "write the result as a page for a browser", 0}},
    {RUN | MERGE | REPORT | ROLLOUT,
     {"perfetto", KEY_PERFETTO, "FILE", 0, "write the runs of violations for ui.perfetto.dev", 0}},
    {RUN | MERGE | REPORT | ROLLOUT,
     {"github", KEY_GITHUB, 0, 0,
      "print what is not as expected as GitHub's annotations, after the table", 0}},
    {RUN | MERGE | REPORT | ROLLOUT,
     {"gitlab", KEY_GITLAB, "FILE", 0,
      "write what is not as expected as GitLab's code quality report", 0}},
    {RUN | SHRINK | ROLLOUT | MATRIX,
     {"progress", KEY_PROGRESS, "WHEN", 0, "auto, always or never; on standard error", 0}},
    {RUN | REPLAY | SHRINK | MERGE | REPORT | ROLLOUT | MATRIX,
     {"color", KEY_COLOR, "WHEN", 0, "auto, always or never", 0}},
    {RUN | REPLAY | SHRINK | LIST | DOCTOR | SPEC | MERGE | REPORT | ROLLOUT | MATRIX,
     {"quiet", KEY_QUIET, 0, 0, "say less", 0}},
    {RUN | REPLAY | SHRINK | LIST | DOCTOR | MERGE | REPORT | ROLLOUT | MATRIX,
     {"verbose", KEY_VERBOSE, 0, 0, "say more", 0}},
};

#define TABLE_COUNT (sizeof table / sizeof *table)

/* Ends the program, as argp's own errors do. */
static void usage_error(struct argp_state *state, const struct ob_error *err)
{
    (void)ob_cli_error(err);
    argp_state_help(state, stderr, ARGP_HELP_STD_ERR);
}

static enum ob_when when(struct argp_state *state, const char *option, const char *arg)
{
    static const char *const words[] = {
        [OB_AUTO] = "auto", [OB_ALWAYS] = "always", [OB_NEVER] = "never"};
    size_t count = sizeof words / sizeof *words;
    for (size_t i = 0; i < count; i++)
        if (strcmp(arg, words[i]) == 0)
            return (enum ob_when)i;
    struct ob_error err;
    ob_error_set(&err, OB_USAGE, "--%s takes auto, always or never, not \"%s\"", option, arg);
    const char *nearest = ob_parse_nearest(arg, words, count);
    if (nearest)
        ob_error_hint(&err, "Did you mean \"%s\"?", nearest);
    usage_error(state, &err);
    return OB_AUTO;
}

static enum ob_want expected(struct argp_state *state, const char *arg)
{
    static const char *const words[] = {
        [OB_WANT_ANY] = "", [OB_WANT_HOLDS] = "holds", [OB_WANT_VIOLATES] = "violates"};
    for (size_t i = OB_WANT_HOLDS; i < sizeof words / sizeof *words; i++)
        if (strcmp(arg, words[i]) == 0)
            return (enum ob_want)i;
    struct ob_error err;
    ob_error_set(&err, OB_USAGE, "--expected takes holds or violates, not \"%s\"", arg);
    usage_error(state, &err);
    return OB_WANT_ANY;
}

/* As the server writes it. */
static const char *isolation(struct argp_state *state, const char *arg)
{
    static const char *const words[] = {"read-committed", "repeatable-read", "serializable"};
    static const char *const settings[] = {"read\\ committed", "repeatable\\ read", "serializable"};
    size_t count = sizeof words / sizeof *words;
    for (size_t i = 0; i < count; i++)
        if (strcmp(arg, words[i]) == 0)
            return settings[i];
    struct ob_error err;
    ob_error_set(&err, OB_USAGE, "--isolation takes no level \"%s\"", arg);
    ob_error_detail(&err, "Known are read-committed, repeatable-read and serializable.");
    const char *nearest = ob_parse_nearest(arg, words, count);
    if (nearest)
        ob_error_hint(&err, "Did you mean \"%s\"?", nearest);
    usage_error(state, &err);
    return NULL;
}

static uint64_t number(struct argp_state *state, const char *option, const char *arg, uint64_t min,
                       uint64_t max)
{
    uint64_t value = min;
    if (ob_parse_u64(arg, min, max, &value))
        return value;
    struct ob_error err;
    ob_error_set(&err, OB_USAGE,
                 "--%s takes a whole number from %" PRIu64 " to %" PRIu64 ", not \"%s\"", option,
                 min, max, arg);
    usage_error(state, &err);
    return value;
}

static char *kept_url; /* for the process's life */

static void forget_url(void)
{
    free(kept_url);
}

/* Keeps a copy, and wipes the argument: anybody may read those of a process. */
static void read_url(struct argp_state *state, char *url, struct ob_options *out)
{
    struct ob_error err;
    if (ob_pg_url_check(url, &err) != OB_OK)
        usage_error(state, &err);
    out->database_url = kept_url = ob_strdup(url); /* given once only */
    atexit(forget_url);
    memset(url, '*', strlen(url));
}

static void read_strategy(struct argp_state *state, const char *arg, struct ob_options *out)
{
    struct ob_error err;
    if (ob_strategy_parse(arg, &out->strategy, &out->strategy_argument, &err) != OB_OK)
        usage_error(state, &err);
    out->strategy_given = true;
}

static void read_budget(struct argp_state *state, const char *arg, struct ob_options *out)
{
    struct ob_error err;
    if (ob_parse_duration_us(arg, &out->budget_us) && out->budget_us > 0)
        return;
    ob_error_set(&err, OB_USAGE, "--budget takes a time such as 500ms, 60s or 5min, not \"%s\"",
                 arg);
    usage_error(state, &err);
}

static void read_setting(struct argp_state *state, const char *arg, struct ob_options *out)
{
    struct ob_error err;
    if (ob_pg_setting_check(arg, &err) != OB_OK)
        usage_error(state, &err);
    if (out->setting_count == OB_SETTINGS_MAX)
        argp_error(state, "more than %d settings", OB_SETTINGS_MAX);
    out->settings[out->setting_count++] = arg;
}

static void read_shard(struct argp_state *state, const char *arg, struct ob_options *out)
{
    struct ob_error err;
    if (ob_shard_parse(arg, &out->shard, &err) != OB_OK)
        usage_error(state, &err);
}

static error_t parse_limits(int key, char *arg, struct argp_state *state, struct ob_options *out)
{
    switch (key) {
    case KEY_RUNS:
        out->runs = number(state, "runs", arg, 1, 1000000000);
        return 0;
    case KEY_BUDGET:
        read_budget(state, arg, out);
        return 0;
    case KEY_SEED:
        out->seed = number(state, "seed", arg, 0, INT64_MAX);
        return 0;
    case KEY_JOBS:
        out->jobs = number(state, "jobs", arg, 1, 64);
        return 0;
    case KEY_FAULTS:
        out->faults_value = (unsigned)number(state, "faults", arg, 0, 1000);
        out->faults = &out->faults_value;
        return 0;
    case KEY_CHECKPOINT:
        out->checkpoint = arg;
        return 0;
    case KEY_SHARD:
        read_shard(state, arg, out);
        return 0;
    case KEY_FROM_PERMUTATIONS:
        out->from_permutations = true;
        return 0;
    case KEY_INVARIANT:
        if (out->invariant_count == OB_INVARIANTS_MAX)
            argp_error(state, "more than %d invariants", OB_INVARIANTS_MAX);
        out->invariants[out->invariant_count++] = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_output(int key, char *arg, struct ob_options *out)
{
    switch (key) {
    case KEY_JSON:
        out->json = arg;
        return 0;
    case KEY_JUNIT:
        out->junit = arg;
        return 0;
    case KEY_HTML:
        out->html = arg;
        return 0;
    case KEY_OUTPUT:
        out->output = arg;
        return 0;
    case KEY_PERFETTO:
        out->perfetto = arg;
        return 0;
    case KEY_GITLAB:
        out->gitlab = arg;
        return 0;
    case KEY_GITHUB:
        out->github = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Of two values one would be lost without a word. */
static void refuse_twice(struct argp_state *state, int key, struct ob_options *out)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        const struct argp_option *option = &table[i].option;
        if (option->key != key || !option->arg || key == KEY_INVARIANT || key == KEY_SET)
            continue;
        /* -o is the only short one */
        uint64_t bit = UINT64_C(1) << (key < KEY_URL ? 63 : key - KEY_URL);
        if (out->given & bit) {
            struct ob_error err;
            ob_error_set(&err, OB_USAGE, "--%s was given twice", option->name);
            ob_error_hint(&err, "It keeps one value; run overbook again for the other.");
            usage_error(state, &err);
        }
        out->given |= bit;
    }
}

/* Those that take no value. */
static error_t parse_flag(int key, struct ob_options *out)
{
    switch (key) {
    case KEY_DISPOSABLE:
        out->disposable = true;
        return 0;
    case KEY_CONTINUE:
        out->go_on = true;
        return 0;
    case KEY_STEP:
        out->step = true;
        return 0;
    case KEY_QUICK:
        out->quick = out->no_shrink = true;
        return 0;
    case KEY_FAIL_FAST:
        out->fail_fast = true;
        return 0;
    case KEY_NO_SHRINK:
        out->no_shrink = true;
        return 0;
    case KEY_CURES:
        out->cures = true;
        return 0;
    case KEY_NO_CURES:
        out->no_cures = true;
        return 0;
    case KEY_KEEP_GOING:
        out->keep_going = true;
        return 0;
    case KEY_EXHAUSTED:
        out->require_exhausted = true;
        return 0;
    case KEY_REGRESS:
        out->regress = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What cannot go together. */
static void check_together(struct argp_state *state, const struct ob_options *out)
{
    if (out->regress && out->arg_count != 2)
        argp_error(state, "--regress takes a folder of specs and one of their output");
    if (out->cures && out->no_shrink)
        argp_error(state, "--cures are tried on what was made small: leave out --no-shrink");
    if (out->cures && out->no_cures)
        argp_error(state, "--cures and --no-cures exclude each other");
    if (out->disposable && !out->database_url)
        argp_error(state, "--disposable goes with --database-url");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct ob_options *out = state->input;
    refuse_twice(state, key, out);
    switch (key) {
    case KEY_URL:
        read_url(state, arg, out);
        return 0;
    case KEY_VARIANT:
        out->variant = arg;
        return 0;
    case KEY_EXPECTED:
        out->expected = expected(state, arg);
        return 0;
    case KEY_STRATEGY:
        read_strategy(state, arg, out);
        return 0;
    case KEY_PROGRESS:
        out->progress = when(state, "progress", arg);
        return 0;
    case KEY_COLOR:
        out->color = when(state, "color", arg);
        return 0;
    case KEY_AS:
        out->as = arg;
        return 0;
    case KEY_ISOLATION:
        out->isolation = isolation(state, arg);
        return 0;
    case KEY_SET:
        read_setting(state, arg, out);
        return 0;
    case KEY_QUIET:
        out->verbosity = -1;
        return 0;
    case KEY_VERBOSE:
        out->verbosity = 1;
        return 0;
    case ARGP_KEY_ARGS:
        out->args = state->argv + state->next;
        out->arg_count = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        check_together(state, out);
        return 0;
    default:
        if (parse_flag(key, out) == 0 || parse_output(key, arg, out) == 0)
            return 0;
        return parse_limits(key, arg, state, out);
    }
}

static const char *usage_of(enum ob_command command)
{
    switch (command) {
    case OB_COMMAND_RUN:
        return "[PATH…]";
    case OB_COMMAND_ROLLOUT:
        return "[PLAN.yaml]";
    case OB_COMMAND_MATRIX:
        return "PATH…";
    case OB_COMMAND_REPLAY:
    case OB_COMMAND_SHRINK:
    case OB_COMMAND_EXPORT:
        return "TOKEN|FILE [PATH…]";
    case OB_COMMAND_LIST:
        return "[PATH…]";
    case OB_COMMAND_MERGE:
        return "RESULT…";
    case OB_COMMAND_REPORT:
        return "RESULT.json";
    case OB_COMMAND_SPEC:
        return "FILE.spec…\n--regress SPECS_DIR EXPECTED_DIR";
    case OB_COMMAND_DOCTOR:
    default:
        return "";
    }
}

static const struct {
    enum ob_command command;
    const char *text;
} abouts[] = {
    {OB_COMMAND_RUN,
     "Explore scenarios (files or folders; the built-in ones when none is named), check "
     "their invariants and report.\v"
     "Exit status: 0 everything as expected, 1 an expectation not met, 2 usage or a "
     "scenario that does not load, 3 the harness or the database failed, 4 inconclusive."},
    {OB_COMMAND_ROLLOUT,
     "Race a plan's traffic in each phase of a rollout, and beside each move from one to "
     "the next, there and back; say which orders of deployment are safe. Without a plan, "
     "the booking flow's own repair.\v"
     "Exit status: 0 each order is safe or unsafe as the plan expects, 1 one is not, 2 "
     "usage or a plan that does not load, 3 the harness or the database failed, 4 "
     "inconclusive."},
    {OB_COMMAND_MATRIX,
     "Of each scenario (files or folders), take a variant that breaks an invariant, the "
     "first or --variant, and try it at each isolation level: as it is and with each cure "
     "that may help, with clients that begin again after 40001 and 40P01 where they fail "
     "otherwise, and with each --set.\v"
     "A cell is an exploration of --runs, 100, at the most. Exit status: 0 the variants "
     "break as expected, and each cell is decided, whatever it says; 1 one does not; 2 "
     "usage or a scenario that does not load, 3 the harness or the database failed, 4 "
     "inconclusive."},
    {OB_COMMAND_REPLAY,
     "Run one schedule again and compare it, step by step, with its record. FILE is a "
     "result written by --json, of which every violation is replayed. PATH is where the "
     "scenarios are (when none is named, the files that the result names, or the "
     "built-in ones).\v"
     "With -v, what replays are compared by stands in brackets behind each step: a "
     "digest "
     "of the statement; as bits of the clients' places, who could move (e), who waits "
     "for a lock (b) and who was woken (w); and a digest of each client's answer.\n\n"
     "Where it went another way, both sides of the first step that differs are shown; "
     "the "
     "recorded one only where FILE is a result, since a token has no more than checks. "
     "The "
     "run ends where its record cannot be followed; with --continue it goes on, each "
     "step "
     "being the first of those left whose client can move.\n\n"
     "Exit status: 0 the same as recorded, 2 no token or of an unknown scenario, 3 the "
     "harness or the database failed, 4 it went another way."},
    {OB_COMMAND_SHRINK,
     "Make a run that breaks an invariant as small as it gets: fewer clients, faults, "
     "steps, switches between clients. FILE is a result written by --json, of which "
     "every "
     "violation is shrunk. PATH is where the scenarios are, as for replay.\v"
     "A run that does not come out the same each time is said to be flaky, and not "
     "shrunk. "
     "When its runs or its time are over, or when it is interrupted between two of its "
     "runs, it keeps the smallest until then. The first runs, which look whether it is "
     "steady, count too; the last ones, which make sure of the result and explain it, "
     "come on top of --runs and --budget.\n\n"
     "Exit status: 0 shrunk, 2 no token or of an unknown scenario, 3 the harness or the "
     "database failed, 4 flaky, breaking nothing, or interrupted."},
    {OB_COMMAND_EXPORT,
     "Write a run that breaks an invariant as something that other tools can run. FORM "
     "is spec, an isolation spec for PostgreSQL's isolationtester; psql, parts to paste "
     "into windows of psql; cmocka, a test in C that fails until it is cured; or yaml, a "
     "scenario that is this one run. FILE is a result written by --json, of which the "
     "smallest run is taken. PATH is where the scenarios are, as for replay.\v"
     "What is written was played first, outside of overbook's control, and did the same. "
     "Exit status: 0 written, 2 a run that cannot be taken elsewhere, no token or of an "
     "unknown scenario, 3 the harness or the database failed, 4 the run went another "
     "way or was interrupted."},
    {OB_COMMAND_SPEC,
     "Run PostgreSQL isolation specs and print what isolationtester prints. FILE may be "
     "- for standard input.\v"
     "PGISOLATIONTIMEOUT is the time in seconds after which a step is cancelled (300).\n"
     "Exit status: 0, or 1 where isolationtester ends with 1 or an output differs, 2 "
     "usage, 3 the harness or the database failed, 4 interrupted."},
    {OB_COMMAND_MERGE,
     "Put the results of all shards together: what \"overbook run --shard I/N --json "
     "FILE\" "
     "wrote for each I from 1 to N.\v"
     "Exit status: that of a run which did all the work; 2 for parts that do not fit."},
    {OB_COMMAND_REPORT,
     "Show a stored result, that \"overbook run --json FILE\" or \"overbook merge\" "
     "wrote, "
     "and write it in other forms.\v"
     "Exit status: that of the run whose result it is; 2 for a file that is none."},
    {OB_COMMAND_LIST, "List scenarios with their variants and what is expected of them."},
    {OB_COMMAND_DOCTOR, "Say what was found, what is controlled, what is missing, and the cure."},
};

static const char *about(enum ob_command command)
{
    size_t i = 0;
    while (abouts[i].command != command) {
        i++;
        assert(i < sizeof abouts / sizeof *abouts);
    }
    return abouts[i].text;
}

static const struct argp_option *find_option(const struct argp_option *options, const char *name,
                                             size_t size)
{
    for (; options->name; options++)
        if (strncmp(options->name, name, size) == 0) /* argp takes the beginning of a name too */
            return options;
    return NULL;
}

/* For a long option that is none, says which one was probably meant, before argp refuses it. */
static void suggest_option(const struct argp_option *options, int argc, char **argv)
{
    const char *names[TABLE_COUNT];
    size_t count = 0;
    for (; options[count].name; count++)
        names[count] = options[count].name;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0)
            continue;
        const char *name = argv[i] + 2;
        size_t size = strcspn(name, "=");
        const struct argp_option *option = find_option(options, name, size);
        i += option && option->arg && name[size] == '\0';
        char *word = ob_asprintf("%.*s", (int)size, name);
        const char *nearest = option ? NULL : ob_parse_nearest(word, names, count);
        if (nearest)
            fprintf(stderr, "overbook: did you mean --%s?\n", nearest);
        free(word);
    }
}

void ob_options_parse(enum ob_command command, int argc, char **argv, struct ob_options *out)
{
    struct argp_option options[TABLE_COUNT + 1] = {{0}};
    size_t count = 0;
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (table[i].commands & command)
            options[count++] = table[i].option;
    const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = usage_of(command),
        .doc = about(command),
    };
    *out = (struct ob_options){.budget_us = INT64_MAX, .seed = 1};
    suggest_option(options, argc, argv);
    argp_err_exit_status = OB_EXIT_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, out);
}
