#include "cli/variant.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/journal.h"
#include "base/version.h"
#include "cli/cures.h"
#include "cli/judge.h"
#include "cli/pinned.h"
#include "cli/requests.h"
#include "cli/study.h"
#include "repro/replay.h"
#include "target/target.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum ob_result choose_strategy(const struct ob_options *options,
                                      const struct ob_scenario *scenario,
                                      struct ob_variant_plan *out, struct ob_error *err)
{
    out->strategy = OB_STRATEGY_PORTFOLIO;
    if (options->strategy_given) {
        out->strategy = options->strategy;
        out->argument = options->strategy_argument;
        return OB_OK;
    }
    if (ob_pinned_is(options, scenario))
        out->strategy = OB_STRATEGY_ROUND_ROBIN; /* never asked */
    if (ob_pinned_is(options, scenario) || scenario->explore.strategy[0] == '\0')
        return OB_OK;
    enum ob_result result =
        ob_strategy_parse(scenario->explore.strategy, &out->strategy, &out->argument, err);
    if (result == OB_OK)
        return OB_OK;
    ob_error_context(err, "%s", scenario->file);
    return err->code = OB_INPUT;
}

/* An enumeration, which has no end but its own, gets as many as the usual ones. */
static uint64_t quick_runs(uint64_t runs)
{
    uint64_t most = runs == UINT64_MAX ? OB_RUNS_DEFAULT : runs;
    return (most + OB_QUICK_PART - 1) / OB_QUICK_PART;
}

enum ob_result ob_variant_plan(const struct ob_options *options, const struct ob_scenario *scenario,
                               size_t variant, struct ob_variant_plan *out, struct ob_error *err)
{
    struct ob_variant_plan plan = {0};
    enum ob_result result = choose_strategy(options, scenario, &plan, err);
    if (result != OB_OK)
        return result;
    plan.runs_max = OB_RUNS_DEFAULT;
    if (ob_strategy_ends(plan.strategy))
        plan.runs_max = UINT64_MAX; /* --runs and --budget bound it */
    if (scenario->explore.runs > 0)
        plan.runs_max = scenario->explore.runs;
    if (options->quick && !scenario->variants[variant].violates)
        plan.runs_max = quick_runs(plan.runs_max);
    if (options->runs > 0)
        plan.runs_max = options->runs;
    *out = plan;
    return OB_OK;
}

char *ob_variant_asked(const struct ob_options *options, bool with_runs)
{
    struct ob_buf asked;
    ob_buf_init(&asked, SIZE_MAX);
    if (options->keep_going)
        ob_buf_puts(&asked, " --keep-going");
    if (options->from_permutations)
        ob_buf_puts(&asked, " --from-permutations");
    if (options->require_exhausted)
        ob_buf_puts(&asked, " --require-exhausted");
    if (with_runs && options->quick)
        ob_buf_puts(&asked, " --quick");
    if (with_runs && options->runs > 0)
        ob_buf_printf(&asked, " --runs %" PRIu64, options->runs);
    if (options->faults)
        ob_buf_printf(&asked, " --faults %u", *options->faults);
    for (size_t i = 0; i < options->invariant_count; i++) {
        ob_buf_puts(&asked, " --invariant ");
        ob_buf_put_line(&asked, options->invariants[i], SIZE_MAX);
    }
    char *text = ob_strdup(asked.size > 0 ? asked.data + 1 : "");
    ob_buf_clear(&asked);
    return text;
}

/* --- checkpoints */

enum ob_result ob_variant_check_folder(const struct ob_options *options, struct ob_error *err)
{
    struct stat status;
    if (!options->checkpoint)
        return OB_OK;
    bool made = mkdir(options->checkpoint, 0777) == 0 || errno == EEXIST;
    if (made && stat(options->checkpoint, &status) == 0 && !S_ISDIR(status.st_mode)) {
        made = false;
        errno = ENOTDIR;
    }
    if (made && access(options->checkpoint, R_OK | W_OK | X_OK) == 0)
        return OB_OK;
    ob_error_set(err, OB_INPUT, "could not use the folder \"%s\" for checkpoints: %s",
                 options->checkpoint, strerror(errno));
    ob_error_hint(err, "Name a folder that you may write in.");
    return OB_INPUT;
}

/* What the runs in it are of. */
static char *journal_head(const struct ob_variant_job *job, const struct ob_variant_plan *plan)
{
    const struct ob_options *options = job->options;
    char name[OB_STRATEGY_NAME_SIZE], *asked = ob_variant_asked(options, false);
    ob_strategy_name(plan->strategy, plan->argument, name);
    struct ob_buf head;
    ob_buf_init(&head, SIZE_MAX);
    ob_buf_printf(&head, "a checkpoint of overbook %s\n", OB_VERSION);
    ob_buf_printf(&head, "PostgreSQL %s\n", ob_server_version(job->server));
    ob_buf_printf(&head, "scenario %s ", job->scenario->name);
    for (size_t i = 0; i < sizeof job->scenario->hash; i++)
        ob_buf_printf(&head, "%02x", job->scenario->hash[i]);
    ob_buf_printf(&head, "\nvariant %s\n", job->scenario->variants[job->variant].name);
    ob_buf_printf(&head, "strategy %s\nseed %" PRIu64 "\n", name, options->seed);
    ob_buf_printf(&head, "shard %u/%u\n", options->shard.index + (options->shard.count > 0),
                  options->shard.count);
    ob_buf_printf(&head, "options %s\n", asked);
    free(asked);
    return ob_buf_take(&head);
}

/* Names may have anything in them; the hash tells apart what is left of them. */
static char *journal_path(const struct ob_variant_job *job)
{
    const char *variant = job->scenario->variants[job->variant].name;
    char *name = ob_asprintf("%s.%s", job->scenario->name, variant);
    uint64_t hash = ob_hash_end(ob_hash_text(OB_HASH_START, name));
    for (char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            *c = '_';
    char *path = ob_asprintf("%s/%.80s.%08x.journal", job->options->checkpoint, name,
                             (unsigned)(hash & UINT32_MAX));
    free(name);
    return path;
}

static enum ob_result open_journal(const struct ob_variant_job *job,
                                   const struct ob_variant_plan *plan, struct ob_journal **out,
                                   struct ob_error *err)
{
    if (!job->options->checkpoint)
        return OB_OK;
    char *head = journal_head(job, plan), *path = journal_path(job);
    enum ob_result result = ob_journal_open(path, head, out, err);
    free(path);
    free(head);
    return result;
}

/* --- exploring */

/* Where it is copied from another database: its name. */
static const char *schema_of(const struct ob_variant_job *job)
{
    return ob_server_embedded(job->server) ? ob_target_schema(job->scenario, job->variant) : NULL;
}

static enum ob_result fill(void *arg, const char *conninfo, struct ob_error *err)
{
    const struct ob_variant_job *job = arg;
    return ob_target_fill(job->scenario, job->variant, conninfo, err);
}

static enum ob_result open_target(const struct ob_variant_job *job,
                                  const struct ob_variant_plan *plan, const char *conninfo,
                                  struct ob_target **out, struct ob_error *err)
{
    const struct ob_target_options options = {
        .conninfo = conninfo,
        .limits = ob_limits_default(),
        .fault_budget = job->options->faults,
        .fixed_plans = true,
        .own_server = ob_server_embedded(job->server),
        .learns = ob_strategy_wants_footprints(plan->strategy),
        .has_schema = schema_of(job) != NULL,
    };
    return ob_target_open(job->scenario, job->variant, &options, out, err);
}

/* --- judging */

static void judge(const struct ob_variant_job *job, const struct ob_rig *rig,
                  const struct ob_exploration *exploration, const struct ob_study *studies,
                  struct ob_report *report)
{
    const struct ob_options *options = job->options;
    const struct ob_judge_case judged = {
        .scenario = job->scenario,
        .variant = job->variant,
        .rig = rig,
        .exploration = exploration,
        .studies = studies,
        .server_version = ob_server_version_number(job->server),
        .named = options->arg_count > 0,
        .require_exhausted = options->require_exhausted,
        .is_part = options->shard.count > 0,
        .invariants = options->invariants,
        .invariant_count = options->invariant_count,
    };
    ob_judge(report, &report->results[report->result_count - 1], &judged);
}

/* Everything between a database's making and the report's line. */
struct work {
    const struct ob_variant_job *job;
    const struct ob_variant_plan *plan;
    struct ob_journal *journal;
    struct ob_report *report;
    struct ob_exploration exploration;
    struct ob_study *studies;
    struct ob_cure_case *cases; /* of each finding; those without a scenario are none */
};

/* The line's violation that the finding is. */
static struct ob_report_violation *violation_of(const struct work *work, size_t finding)
{
    const struct ob_report_result *line = &work->report->results[work->report->result_count - 1];
    const char *name =
        work->job->scenario->invariants[work->exploration.findings[finding].item].name;
    size_t i = 0;
    while (strcmp(line->violations[i].invariant, name) != 0)
        i++;
    return &line->violations[i];
}

/* The finding that a matrix is about: what the variant is expected to break, else the first. */
static size_t subject_of(const struct work *work)
{
    const char *violates = work->job->scenario->variants[work->job->variant].violates;
    for (size_t i = 0; violates && i < work->exploration.finding_count; i++)
        if (strcmp(violation_of(work, i)->invariant, violates) == 0)
            return i;
    return 0;
}

/* What might prevent what was found, where somebody will want to know. */
static enum ob_result find_cures(struct work *work, struct ob_target *target, struct ob_error *err)
{
    const struct ob_report_result *line = &work->report->results[work->report->result_count - 1];
    size_t count = work->exploration.finding_count;
    bool unexpected = line->verdict == OB_VIOLATED && !line->as_expected;
    enum ob_result result = OB_OK;
    work->cases = ob_alloc(count * sizeof *work->cases);
    const struct ob_options *options = work->job->options;
    if (work->exploration.stopped || options->no_cures ||
        !(unexpected || options->cures || options->crosses))
        return OB_OK;
    for (size_t i = 0; i < count && result == OB_OK; i++) {
        const struct ob_cures_wanted wanted = {&work->studies[i].shrunk.trace,
                                               work->exploration.findings[i].item,
                                               &work->studies[i].explained};
        if (wanted.explained->sentence && !(options->crosses && i != subject_of(work)))
            result = ob_cures_find(work->job, target, &wanted, &work->cases[i], err);
    }
    return result;
}

static enum ob_result cross(struct work *work, struct ob_cure_case *of, struct ob_error *err)
{
    struct ob_report *report = work->report;
    struct ob_report_result *line = &report->results[report->result_count - 1];
    return ob_cures_cross(work->job, of, &report->arena, &line->matrix, err);
}

static enum ob_result try_cures(struct work *work, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < work->exploration.finding_count && result == OB_OK; i++) {
        struct ob_report_violation *violation;
        struct ob_cures_tried tried;
        if (!work->cases[i].scenario)
            continue;
        if (work->job->options->crosses) {
            result = cross(work, &work->cases[i], err);
            continue;
        }
        result = ob_cures_try(work->job, &work->cases[i], &work->report->arena, &tried, err);
        if (result != OB_OK)
            break;
        violation = violation_of(work, i);
        violation->cures = tried.cures;
        violation->cure_count = tried.count;
    }
    return result;
}

static void note_requests(void *requests, const struct ob_trace *trace)
{
    ob_requests_add(requests, trace);
}

/* The scenario is one run. */
static enum ob_result explore_pinned(struct work *work, struct ob_rig *rig,
                                     struct ob_explore_options explore, struct ob_error *err)
{
    const struct ob_run_spec before = rig->spec;
    struct ob_token token;
    enum ob_result result = ob_pinned_read(work->job->scenario, &token, err);
    if (result != OB_OK)
        return result;
    explore.pinned = &token.schedule;
    explore.runs_max = 1;
    explore.checkpoint = NULL;
    result = ob_replay_check(rig, &token, err);
    if (result == OB_OK) {
        ob_rig_leave_out(rig, &token.schedule, token.schedule.fault_count);
        result = ob_explore(rig, &explore, &work->exploration, err);
    }
    rig->spec = before;
    ob_token_clear(&token);
    return result;
}

static enum ob_result explore_target(struct work *work, struct ob_rig *rig, struct ob_error *err)
{
    const struct ob_variant_job *job = work->job;
    const struct ob_options *options = job->options;
    struct ob_requests requests = {.client_names = rig->client_names,
                                   .arena = &work->report->arena};
    const struct ob_explore_options explore = {
        .strategy = work->plan->strategy,
        .argument = &work->plan->argument,
        .seed = options->seed,
        .runs_max = work->plan->runs_max,
        .budget_us = options->budget_us,
        .keep_going = options->keep_going,
        .shard = options->shard,
        .checkpoint = work->journal,
        .orders_first = options->from_permutations,
        .until = job->scenario->variants[job->variant].violates,
        .progress = job->progress,
        .progress_arg = job->progress_arg,
        .seen = job->tells_requests ? note_requests : NULL,
        .seen_arg = &requests,
    };
    enum ob_result result = OB_OK;
    if (ob_pinned_is(options, job->scenario))
        result = explore_pinned(work, rig, explore, err);
    else
        result = ob_explore(rig, &explore, &work->exploration, err);
    ob_requests_take(&requests, &work->report->results[work->report->result_count - 1]);
    return result;
}

static enum ob_result explore(struct work *work, const char *conninfo, struct ob_error *err)
{
    const struct ob_variant_job *job = work->job;
    struct ob_report *report = work->report;
    struct ob_target *target = NULL;
    enum ob_result result = open_target(job, work->plan, conninfo, &target, err);
    if (result != OB_OK)
        return result;
    report->controlled_deadlock &= ob_target_controls_deadlock(target);
    report->controlled_now &= ob_target_has_probe(target);
    report->controlled_footprints &= ob_target_has_probe(target);
    struct ob_exploration *exploration = &work->exploration;
    struct ob_rig *rig = ob_target_rig(target);
    result = explore_target(work, rig, err);
    if (result == OB_OK)
        result = ob_study_all(job, rig, exploration, &work->studies, err);
    if (result == OB_OK) {
        judge(job, rig, exploration, work->studies, report);
        result = find_cures(work, target, err);
    }
    if (result != OB_STUCK) /* a thread of it still runs */
        ob_target_close(target);
    return result;
}

static void clear_work(struct work *work)
{
    size_t count = work->exploration.finding_count;
    for (size_t i = 0; work->cases && i < count; i++)
        ob_cure_case_close(&work->cases[i]);
    free(work->cases);
    ob_study_clear_all(work->studies, count);
    ob_exploration_clear(&work->exploration);
}

/* In a database of its own. */
static enum ob_result explore_there(struct work *work, struct ob_error *err)
{
    char *conninfo = NULL;
    struct ob_server *server = work->job->server;
    struct ob_variant_job filling = *work->job;
    const char *schema = schema_of(work->job);
    enum ob_result result =
        schema ? ob_server_create_filled(server, schema, fill, &filling, &conninfo, err)
               : ob_server_create_database(server, NULL, &conninfo, err);
    if (result != OB_OK)
        return OB_REFUSED;
    result = explore(work, conninfo, err);
    result = ob_server_drop_database(server, result, err);
    if (result == OB_OK)
        result = try_cures(work, err);
    clear_work(work);
    free(conninfo);
    return result;
}

enum ob_result ob_variant_run(const struct ob_variant_job *job, struct ob_report *report,
                              struct ob_error *err)
{
    struct ob_report_result *line = ob_judge_begin(report, job->scenario, job->variant);
    struct ob_journal *journal = NULL;
    struct ob_variant_plan plan;
    char name[OB_STRATEGY_NAME_SIZE];
    bool ends_all = false;
    enum ob_result result = ob_variant_plan(job->options, job->scenario, job->variant, &plan, err);
    if (result == OB_OK) {
        ob_strategy_name(plan.strategy, plan.argument, name);
        bool pinned = ob_pinned_is(job->options, job->scenario);
        line->strategy = pinned ? "schedule" : ob_arena_strdup(&report->arena, name);
        report->controlled_steps &= plan.strategy != OB_STRATEGY_STRESS;
        result = open_journal(job, &plan, &journal, err);
        ends_all = result != OB_OK;
    }
    if (result == OB_OK)
        result = explore_there(&(struct work){job, &plan, journal, report, {0}, NULL, NULL}, err);
    ob_journal_close(journal);
    if (result != OB_OK)
        ob_judge_error(report, line, err);
    ends_all = ends_all || result == OB_SERVER || result == OB_REFUSED || result == OB_STUCK;
    return ends_all ? err->code : OB_OK;
}
