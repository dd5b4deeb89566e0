#include "cli/step.h"

#include "base/alloc.h"
#include "base/parse.h"
#include "cli/timeline.h"
#include "divergence.h"
#include "explore/follower.h"
#include "grid.h"
#include "pg/world.h"
#include "repro/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_ROWS 5 /* shown by themselves after a step */
#define LINE_MAX_SIZE ((size_t)1 << 16)

struct walk {
    const struct ob_options *options;
    const struct ob_again_run *run;
    struct ob_rig *rig;
    struct ob_pg_world *world;
    struct ob_chooser follow; /* of the record */
    struct ob_buf line;       /* the last command */
    bool prompts;             /* standard input is a terminal */

    /* Where it is. */
    const struct ob_trace *trace;
    const struct ob_choice_point *point; /* NULL: the run is over */
    size_t option;                       /* of it, that is to be taken next */
    size_t shown;                        /* steps whose lines were printed */
    bool touched; /* somebody asked in a client's session: the run is to be made again */

    /* What is wanted. */
    size_t target; /* steps to be made until the next question */
    bool again;    /* the run is to be made anew first */
    bool left;
};

static size_t made(const struct walk *w)
{
    return w->trace->step_count;
}

/* --- showing */

static void say(const char *text)
{
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    ob_report_plain(text, ob_cli_unicode(), 0, &out);
    fputs(out.data, stdout);
    ob_buf_clear(&out);
}

static void say_error(const struct ob_error *err)
{
    struct ob_buf text;
    ob_buf_init(&text, SIZE_MAX);
    ob_buf_puts(&text, err->message);
    if (err->detail[0] != '\0')
        ob_buf_printf(&text, "\n  %s", err->detail);
    if (err->hint[0] != '\0')
        ob_buf_printf(&text, "\n  Hint: %s", err->hint);
    say(text.data);
    ob_buf_clear(&text);
}

static void put_rows(const struct ob_rows *rows, size_t rows_max)
{
    struct ob_buf out;
    ob_buf_init(&out, SIZE_MAX);
    ob_grid_put(rows, rows_max, 4, ob_cli_unicode(), &out);
    fputs(out.data, stdout);
    ob_buf_clear(&out);
}

/* What those were answered whose operation ended in the step; false: no rows. */
static bool show_rows(struct walk *w, size_t rows_max)
{
    bool any = false;
    if (made(w) == 0)
        return false;
    const struct ob_step *step = &w->trace->steps[made(w) - 1];
    struct ob_arena arena;
    ob_arena_init(&arena);
    for (size_t i = 0; i < step->completion_count; i++) {
        struct ob_rows rows;
        size_t client = step->completions[i].client;
        if (!ob_pg_world_rows(w->world, client, &arena, &rows))
            continue;
        if (client != step->client)
            printf("    %s:\n", w->rig->client_names[client]);
        put_rows(&rows, rows_max);
        any = true;
    }
    ob_arena_clear(&arena);
    return any;
}

/* Steps before that one are as recorded. */
static size_t first_other(const struct walk *w)
{
    size_t step = 0, recorded = w->run->token->schedule.step_count;
    while (step < made(w) && step < recorded && ob_replay_same_step(w->trace, w->run->token, step))
        step++;
    return step < made(w) ? step : OB_LANES_NONE;
}

/* The line of each step from there on, and both sides of the first that is not as recorded. */
static void show_steps(struct walk *w, size_t from)
{
    struct ob_lanes_options how = ob_again_drawing(w->options);
    struct ob_arena arena;
    struct ob_buf out;
    ob_arena_init(&arena);
    ob_buf_init(&out, SIZE_MAX);
    how.other = first_other(w);
    const struct ob_report_timeline *now =
        ob_timeline_of(&arena, w->trace, w->rig->client_names, w->rig->spec.client_count);
    for (size_t i = from; i < now->step_count; i++) {
        ob_lanes_draw_step(now, i, &how, &out);
        const struct ob_schedule *schedule = &w->run->token->schedule;
        const struct ob_divergence divergence = {
            .recorded = w->run->record->timeline,
            .now = now,
            .step = i,
            .client = i < schedule->step_count ? w->rig->client_names[schedule->clients[i]] : NULL};
        if (i == how.other && i >= w->shown)
            ob_divergence_draw(&divergence, &how, &out);
    }
    fputs(out.data, stdout);
    ob_buf_clear(&out);
    ob_arena_clear(&arena);
    w->shown = made(w) > w->shown ? made(w) : w->shown;
}

static void show_op(const struct walk *w, size_t option)
{
    const struct ob_choice_point *point = w->point;
    const struct ob_op *op = point->ops[option];
    struct ob_buf text;
    ob_buf_init(&text, SIZE_MAX);
    ob_buf_printf(&text, "%s %s  ", w->rig->client_names[point->clients[option]],
                  ob_op_word(point->kinds[option]));
    ob_buf_put_line(&text, op->text, SIZE_MAX);
    for (int i = 0; i < op->param_count; i++)
        if (op->params[i])
            ob_buf_printf(&text, "%s$%d = '%s'", i > 0 ? ", " : "  ", i + 1, op->params[i]);
        else
            ob_buf_printf(&text, "%s$%d = null", i > 0 ? ", " : "  ", i + 1);
    say(text.data);
    ob_buf_clear(&text);
}

static void show_next(const struct walk *w)
{
    if (!w->point) {
        printf("the run is over: %s\n", ob_run_end_text(w->trace->end));
        return;
    }
    printf("next, %zu: ", made(w) + 1);
    if (w->option != OB_CANNOT_FOLLOW) {
        show_op(w, w->option);
        return;
    }
    const struct ob_schedule *schedule = &w->run->token->schedule;
    if (made(w) < schedule->step_count)
        printf("%s should move, and cannot; ", w->rig->client_names[schedule->clients[made(w)]]);
    else
        printf("the record ends here, and the run goes on; ");
    printf("with --continue it goes on\n");
}

/* --- commands; each returns true when the run is to move */

static bool go_to(struct walk *w, size_t target)
{
    if (target < made(w) || w->touched) {
        w->again = true;
        if (target < w->shown) /* the last step before it is told again */
            w->shown = target > 0 ? target - 1 : 0;
    } else if (!w->point || (w->option == OB_CANNOT_FOLLOW && target > made(w))) {
        show_next(w);
        return false;
    } else if (target == made(w)) {
        return false;
    }
    w->target = target;
    return true;
}

static bool next(struct walk *w, char *rest)
{
    (void)rest;
    if (!w->point) {
        show_next(w);
        return false;
    }
    return go_to(w, made(w) + 1);
}

static bool back(struct walk *w, char *rest)
{
    (void)rest;
    if (made(w) == 0) {
        printf("this is the beginning\n");
        return false;
    }
    return go_to(w, made(w) - 1);
}

static bool go(struct walk *w, char *rest)
{
    uint64_t target;
    if (ob_parse_u64(rest, 0, OB_STEPS_MAX, &target))
        return go_to(w, (size_t)target);
    printf("go takes a number of steps, from 0\n");
    return false;
}

static bool to_end(struct walk *w, char *rest)
{
    (void)rest;
    return go_to(w, w->point ? OB_STEPS_MAX : made(w));
}

static bool locks(struct walk *w, char *rest)
{
    struct ob_arena arena;
    struct ob_error err;
    struct ob_rows rows;
    (void)rest;
    ob_arena_init(&arena);
    if (ob_pg_world_locks(w->world, &arena, &rows, &err) != OB_OK)
        say_error(&err);
    else if (rows.row_count == 0)
        printf("    no locks\n");
    else
        put_rows(&rows, SIZE_MAX);
    ob_arena_clear(&arena);
    return false;
}

static bool rows(struct walk *w, char *rest)
{
    (void)rest;
    if (!show_rows(w, SIZE_MAX))
        printf("    no rows\n");
    return false;
}

static bool who(struct walk *w, char *rest)
{
    (void)rest;
    const ob_client_set waiting =
        made(w) > 0 ? w->trace->steps[made(w) - 1].blocked : (ob_client_set)0;
    for (size_t i = 0; i < w->rig->spec.client_count; i++) {
        size_t option = w->point ? ob_follow_client(w->point, i) : OB_CANNOT_FOLLOW;
        printf("    ");
        if (option != OB_CANNOT_FOLLOW)
            show_op(w, option);
        else
            printf("%s %s\n", w->rig->client_names[i],
                   waiting >> i & 1 ? "waits for a lock" : "has nothing to do");
    }
    return false;
}

static bool timeline(struct walk *w, char *rest)
{
    (void)rest;
    show_steps(w, 0);
    return false;
}

static bool look(struct walk *w, size_t client, const char *sql)
{
    struct ob_arena arena;
    struct ob_error err;
    struct ob_rows found;
    ob_arena_init(&arena);
    if (ob_pg_world_look(w->world, client, sql, &arena, &found, &err) == OB_OK)
        put_rows(&found, OB_PG_LOOK_ROWS);
    else
        say_error(&err);
    ob_arena_clear(&arena);
    return false;
}

static bool sql(struct walk *w, char *rest)
{
    return look(w, OB_NO_CLIENT, rest);
}

static bool in(struct walk *w, char *rest)
{
    size_t size = strcspn(rest, " \t"), count = w->rig->spec.client_count, client = 0;
    const char *const *names = w->rig->client_names;
    while (client < count &&
           (strlen(names[client]) != size || memcmp(names[client], rest, size) != 0))
        client++;
    if (client == count) {
        printf("in takes a client and a query; the clients are");
        for (size_t i = 0; i < count; i++)
            printf("%s %s", i > 0 ? "," : "", names[i]);
        printf("\n");
        return false;
    }
    w->touched = true;
    return look(w, client, rest + size + strspn(rest + size, " \t"));
}

static bool quit(struct walk *w, char *rest)
{
    (void)rest;
    w->left = true;
    return true;
}

static bool help(struct walk *w, char *rest);

static const struct command {
    const char *name, *argument, *about;
    bool (*run)(struct walk *w, char *rest);
} commands[] = {
    {"next", "", "make the next step; an empty line does so too", next},
    {"back", "", "go back by one step: the run is made again until there", back},
    {"go", " N", "go to where N steps are made, forwards or back", go},
    {"end", "", "go to the run's end", to_end},
    {"who", "", "each client's next step, or what it waits for", who},
    {"locks", "", "the locks that are held or waited for", locks},
    {"rows", "", "all rows of the last step's answer", rows},
    {"timeline", "", "the steps until here", timeline},
    {"sql", " QUERY", "ask on the control connection, which sees what is committed", sql},
    {"in", " CLIENT QUERY", "ask in the client's own transaction, which sees its snapshot", in},
    {"help", "", "this; a command's first letters suffice", help},
    {"quit", "", "leave this run", quit},
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static bool help(struct walk *w, char *rest)
{
    (void)w, (void)rest;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char *usage = ob_asprintf("%s%s", commands[i].name, commands[i].argument);
        printf("    %-16s %s\n", usage, commands[i].about);
        free(usage);
    }
    printf("A query is a SELECT, VALUES, TABLE or WITH; what writes is refused. After one in a "
           "client's\ntransaction the run is made again before it goes on, so that it changes "
           "nothing.\n");
    return false;
}

static bool obey(struct walk *w)
{
    char *line = w->line.data + strspn(w->line.data, " \t");
    size_t size = strcspn(line, " \t");
    char *rest = line + size + strspn(line + size, " \t");
    if (size == 0)
        return next(w, rest);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strncmp(commands[i].name, line, size) == 0)
            return commands[i].run(w, rest);
    printf("\"help\" tells the commands; this is none of them\n");
    return false;
}

/* --- asking */

/* The next line of standard input, without its end; false: there is none, or the user interrupts.
 * Read byte by byte, so that nothing waits in a buffer while poll looks at the file. */
static bool read_line(struct walk *w)
{
    ob_buf_reset(&w->line);
    for (;;) {
        char c;
        struct pollfd in_fd = {.fd = STDIN_FILENO, .events = POLLIN};
        if (ob_cli_interrupted() || (poll(&in_fd, 1, -1) < 0 && errno != EINTR))
            return false;
        if (ob_cli_interrupted())
            return false;
        if (in_fd.revents == 0)
            continue;
        if (read(STDIN_FILENO, &c, 1) != 1)
            return w->line.size > 0;
        if (c == '\n')
            return true;
        if (c != '\0')
            ob_buf_putc(&w->line, c);
    }
}

/* Until the run is to move. */
static void ask(struct walk *w)
{
    for (bool moves = false; !moves;) {
        printf("> ");
        fflush(stdout);
        if (!read_line(w)) {
            w->left = true;
            printf("\n");
            return;
        }
        if (!w->prompts)
            printf("%s\n", w->line.data);
        moves = obey(w);
    }
}

static void stop_and_ask(struct walk *w)
{
    (void)show_rows(w, ANSWER_ROWS);
    show_next(w);
    ask(w);
}

/* --- the chooser */

static void restart(void *self)
{
    const struct walk *w = self;
    w->follow.restart(w->follow.self);
}

static size_t choose(void *self, const struct ob_choice_point *point)
{
    struct walk *w = self;
    if (w->left || w->again)
        return OB_CANNOT_FOLLOW;
    if (point->kind != OB_CHOICE_STEP)
        return w->follow.choose(w->follow.self, point);
    w->option = w->follow.choose(w->follow.self, point);
    w->point = point;
    w->trace = point->trace;
    if (made(w) > w->shown)
        show_steps(w, w->shown);
    if (made(w) >= w->target || w->option == OB_CANNOT_FOLLOW)
        stop_and_ask(w);
    w->point = NULL;
    return w->left || w->again ? OB_CANNOT_FOLLOW : w->option;
}

/* --- the walk */

static void show_verdict(struct walk *w, const struct ob_replay *replay)
{
    const struct ob_scenario *scenario = w->run->scenario;
    if (replay->trace.end != OB_RUN_FINISHED && replay->trace.end != OB_RUN_STUCK)
        return;
    for (size_t i = 0; i < replay->outcome.broken_count; i++) {
        const struct ob_broken *broken = &replay->outcome.broken[i];
        char *text =
            ob_asprintf("breaks %s: %s", scenario->invariants[broken->item].name, broken->rows);
        say(text);
        free(text);
    }
    if (replay->outcome.broken_count == 0)
        printf("breaks nothing\n");
}

/* Nobody moves any more; the sessions are as the run has left them. */
static void stand_at_end(struct walk *w, struct ob_replay *replay)
{
    w->trace = &replay->trace;
    w->point = NULL;
    if (made(w) > w->shown)
        show_steps(w, w->shown);
    show_verdict(w, replay);
    stop_and_ask(w);
}

static enum ob_result walk_once(struct walk *w, struct ob_replay *out, struct ob_error *err)
{
    const struct ob_schedule *schedule = &w->run->token->schedule;
    struct ob_follower follower = {.schedule = schedule};
    struct ob_plan plan;
    ob_plan_init(&plan, schedule);
    w->follow = w->options->go_on ? ob_plan_chooser(&plan) : ob_follower_chooser(&follower);
    w->again = w->touched = false;
    const struct ob_chooser chooser = {.self = w, .restart = restart, .choose = choose};
    enum ob_result result = ob_replay_choose(w->rig, w->run->token, &chooser, out, err);
    ob_plan_clear(&plan);
    if (result == OB_OK && !w->left && !w->again)
        stand_at_end(w, out);
    return result;
}

/* A run that was left is not diverged for being short. */
static void judge_left(struct walk *w, struct ob_replay *out)
{
    w->trace = &out->trace;
    bool stuck = w->option == OB_CANNOT_FOLLOW;
    if (out->trace.end == OB_RUN_DIVERGED && !stuck && first_other(w) == OB_LANES_NONE)
        out->diverged = false;
}

enum ob_result ob_step_walk(const struct ob_options *options, const struct ob_again_run *run,
                            struct ob_replay *out, struct ob_error *err)
{
    struct walk w = {.options = options,
                     .run = run,
                     .rig = ob_target_rig(run->target),
                     .world = ob_target_world(run->target),
                     .prompts = isatty(STDIN_FILENO)};
    ob_buf_init(&w.line, LINE_MAX_SIZE);
    ob_pg_world_keep_rows(w.world);
    printf("%s, %s: %zu steps; \"help\" tells the commands\n", run->scenario->name,
           run->scenario->variants[run->token->variant].name, run->token->schedule.step_count);
    enum ob_result result = walk_once(&w, out, err);
    while (result == OB_OK && w.again) {
        ob_replay_clear(out);
        result = walk_once(&w, out, err);
    }
    if (result == OB_OK)
        judge_left(&w, out);
    ob_buf_clear(&w.line);
    return result;
}
