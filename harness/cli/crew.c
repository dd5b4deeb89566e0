#include "cli/crew.h"

#include "base/alloc.h"
#include "base/child.h"
#include "cli/database.h"
#include "cli/judge.h"
#include "cli/progress.h"
#include "cli/variant.h"

#include <assert.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_EVERY_US 100000
#define NO_TASK SIZE_MAX

/* What a worker says; text comes after it. */
struct message {
    enum { READY, TICK, LINE } kind;
    struct ob_explored explored; /* TICK */
    uint64_t size;               /* of the text: the server's version, or a report of one line */
    struct ob_error error;       /* what ends everything; code OB_OK: nothing does */
};

struct worker {
    struct ob_child child;
    size_t task; /* under way, or NO_TASK */
};

struct ob_crew {
    const struct ob_options *options;
    const struct ob_crew_task *tasks;
    size_t task_count;

    struct worker *workers; /* owned */
    size_t worker_count;
    char *version;

    /* Of a run. */
    char **lines;          /* of each task: its report, until it is in the report; owned */
    size_t handed;         /* how many tasks have been given out */
    size_t told;           /* how many are in the report */
    size_t wanted;         /* what comes after so many is left out */
    bool interrupted;      /* the workers were told */
    struct ob_error fatal; /* of the task wanted - 1; code OB_OK: none */
};

/* --- a worker's side */

struct working {
    const struct ob_crew *crew;
    int fd;
    struct ob_server *server;
    bool ticks;
    int64_t ticked_us;
};

static bool say(int fd, struct message *message, const char *text)
{
    message->size = text ? strlen(text) : 0;
    return ob_child_send(fd, message, sizeof *message) &&
           (!text || ob_child_send(fd, text, message->size));
}

static bool tick(void *arg, const struct ob_explored *explored)
{
    struct working *working = arg;
    int64_t now_us = ob_progress_clock_us();
    if (working->ticks && now_us - working->ticked_us > TICK_EVERY_US) {
        struct message message = {.kind = TICK, .explored = *explored};
        working->ticked_us = now_us;
        (void)say(working->fd, &message, NULL); /* who is not listening any more ends us */
    }
    return !ob_cli_interrupted();
}

static char *render(const struct ob_report *report)
{
    char *text = NULL;
    size_t size = 0;
    struct ob_error ignored;
    FILE *out = open_memstream(&text, &size);
    bool done = out && ob_report_json(report, out, &ignored) == OB_OK;
    done = out && fclose(out) == 0 && done;
    assert(done);
    return text;
}

/* What is not controlled is found out. */
static void begin_controlled(struct ob_report *report)
{
    report->controlled_steps = report->controlled_deadlock = report->controlled_clock = true;
    report->controlled_gates = report->controlled_now = report->controlled_footprints = true;
}

/* False when nothing more can be done. */
static bool work_on(struct working *working, const struct ob_crew_task *task)
{
    struct message message = {.kind = LINE};
    const struct ob_variant_job job = {
        .options = working->crew->options,
        .server = working->server,
        .scenario = task->scenario,
        .variant = task->variant,
        .tells_requests = task->tells_requests,
        .progress = tick,
        .progress_arg = working,
    };
    struct ob_report report;
    ob_report_init(&report);
    begin_controlled(&report);
    report.controlled_wake = ob_server_embedded(working->server);
    report.seed = job.options->seed;
    enum ob_result result = ob_variant_run(&job, &report, &message.error);
    message.error.code = result;
    char *text = render(&report);
    bool said = say(working->fd, &message, text);
    free(text);
    if (result == OB_STUCK) { /* an abandoned thread still uses what would be freed */
        ob_server_close(working->server);
        _exit(0);
    }
    ob_report_clear(&report);
    return said && result == OB_OK;
}

static void ignore(int number)
{
    (void)number;
}

/* The owner decides on what a terminal sends to all: SIGUSR1 is its word. */
static void leave_signals_to_owner(void)
{
    struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void work(int fd, pid_t owner, void *arg)
{
    struct working working = {.crew = arg, .fd = fd};
    struct message message = {.kind = READY};
    size_t task;
    leave_signals_to_owner();
    message.error.code = ob_server_join(working.crew->options, &working.server, &message.error);
    bool going = message.error.code == OB_OK;
    going = say(fd, &message, going ? ob_server_version(working.server) : NULL) && going;
    going = going && ob_child_receive(fd, &working.ticks, sizeof working.ticks);
    while (going && ob_child_is_owned(owner) && ob_child_receive(fd, &task, sizeof task))
        going = work_on(&working, &working.crew->tasks[task]);
    ob_server_close(working.server);
}

/* --- the owner's side */

static size_t processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? (size_t)count : 1;
}

/* A server of the user's is shared with others, and loaded only as far as was asked for. */
static size_t job_count(const struct ob_options *options)
{
    if (options->jobs > 0)
        return options->jobs;
    return options->database_url ? 1 : processors();
}

static enum ob_result worker_gone(struct ob_error *err)
{
    ob_error_set(err, OB_IO, "a worker has ended in the middle of its work");
    ob_error_hint(err, "Was it killed, or is memory short?");
    return OB_IO;
}

/* Waits for the worker's next message; the text is the caller's to free. */
static enum ob_result hear(const struct worker *worker, struct message *out, char **text,
                           struct ob_error *err)
{
    *text = NULL;
    if (!ob_child_receive(worker->child.fd, out, sizeof *out))
        return worker_gone(err);
    *text = ob_alloc(out->size + 1);
    if (ob_child_receive(worker->child.fd, *text, out->size))
        return OB_OK;
    free(*text);
    *text = NULL;
    return worker_gone(err);
}

static void interrupt_worker(const struct worker *worker)
{
    if (worker->child.pid > 0)
        kill(worker->child.pid, SIGUSR1);
}

static enum ob_result start_workers(struct ob_crew *crew, size_t count, struct ob_error *err)
{
    struct ob_child *others = ob_alloc(count * sizeof *others);
    enum ob_result result = OB_OK;
    crew->workers = ob_alloc(count * sizeof *crew->workers);
    for (size_t i = 0; i < count && result == OB_OK; i++) {
        struct worker *worker = &crew->workers[i];
        worker->task = NO_TASK;
        result = ob_child_start(&worker->child, others, i, work, crew, err);
        others[i] = worker->child;
        crew->worker_count += result == OB_OK;
    }
    free(others);
    return result;
}

static enum ob_result await_ready(struct ob_crew *crew, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < crew->worker_count && result == OB_OK; i++) {
        struct message message;
        char *text;
        result = hear(&crew->workers[i], &message, &text, err);
        if (result == OB_OK && message.error.code != OB_OK) {
            *err = message.error;
            result = message.error.code;
        }
        free(crew->version);
        crew->version = text;
    }
    return result;
}

enum ob_result ob_crew_open(const struct ob_options *options, const struct ob_crew_task *tasks,
                            size_t task_count, struct ob_crew **out, struct ob_error *err)
{
    assert(task_count > 0);
    size_t jobs = job_count(options);
    struct ob_crew *crew = ob_alloc(sizeof *crew);
    *crew = (struct ob_crew){.options = options, .tasks = tasks, .task_count = task_count};
    crew->wanted = task_count;
    crew->lines = ob_alloc(task_count * sizeof *crew->lines);
    enum ob_result result = ob_server_prepare(options, err);
    ob_cli_catch_signals();
    if (result == OB_OK)
        result = start_workers(crew, jobs < task_count ? jobs : task_count, err);
    if (result == OB_OK)
        result = await_ready(crew, err);
    if (result != OB_OK) {
        ob_crew_close(crew);
        return result;
    }
    *out = crew;
    return OB_OK;
}

void ob_crew_close(struct ob_crew *crew)
{
    if (!crew)
        return;
    for (size_t i = 0; i < crew->worker_count; i++) /* so that they end at the same time */
        (void)shutdown(crew->workers[i].child.fd, SHUT_WR);
    for (size_t i = 0; i < crew->worker_count; i++)
        ob_child_stop(&crew->workers[i].child, 0);
    for (size_t i = 0; i < crew->task_count; i++)
        free(crew->lines[i]);
    free(crew->lines);
    free(crew->workers);
    free(crew->version);
    free(crew);
}

void ob_crew_describe(const struct ob_crew *crew, struct ob_report *report)
{
    report->postgres = ob_arena_strdup(&report->arena, crew->version);
    report->seed = crew->options->seed;
    report->controlled_steps = report->controlled_deadlock = report->controlled_clock = true;
    report->controlled_gates = report->controlled_now = true;
    report->controlled_footprints = true;
    report->controlled_wake = !crew->options->database_url;
}

/* --- the tasks */

/* What those are doing that come after the wanted ones is for nothing. */
static void want_only(struct ob_crew *crew, size_t count)
{
    if (count >= crew->wanted)
        return;
    crew->wanted = count;
    for (size_t i = 0; i < crew->worker_count; i++)
        if (crew->workers[i].task != NO_TASK && crew->workers[i].task >= count)
            interrupt_worker(&crew->workers[i]);
}

static void note_interrupt(struct ob_crew *crew)
{
    if (crew->interrupted || !ob_cli_interrupted())
        return;
    crew->interrupted = true;
    for (size_t i = 0; i < crew->worker_count; i++)
        interrupt_worker(&crew->workers[i]);
}

static bool is_first(const struct ob_crew *crew, size_t task)
{
    return task == crew->told;
}

static void hand_out(struct ob_crew *crew, const struct ob_crew_listener *listener)
{
    for (size_t i = 0; i < crew->worker_count; i++) {
        struct worker *worker = &crew->workers[i];
        if (worker->task != NO_TASK || worker->child.pid == 0 || crew->interrupted ||
            crew->handed >= crew->wanted)
            continue;
        worker->task = crew->handed++;
        if (is_first(crew, worker->task))
            listener->begin(listener->arg, &crew->tasks[worker->task]);
        /* One that has ended is found out when it is listened to. */
        (void)ob_child_send(worker->child.fd, &worker->task, sizeof worker->task);
    }
}

/* The line of a task whose worker is no more. */
static char *broken_line(const struct ob_crew_task *task, const struct ob_error *err)
{
    struct ob_report report;
    ob_report_init(&report);
    begin_controlled(&report);
    ob_judge_error(&report, ob_judge_begin(&report, task->scenario, task->variant), err);
    char *text = render(&report);
    ob_report_clear(&report);
    return text;
}

static void end_all(struct ob_crew *crew, size_t task, const struct ob_error *err)
{
    want_only(crew, task + 1);
    if (task + 1 == crew->wanted)
        crew->fatal = *err;
}

static void take_message(struct ob_crew *crew, struct worker *worker,
                         const struct ob_crew_listener *listener)
{
    struct message message;
    struct ob_error err;
    char *text;
    size_t task = worker->task;
    if (hear(worker, &message, &text, &err) != OB_OK) {
        ob_child_stop(&worker->child, 0);
        message = (struct message){.kind = LINE, .error = err};
        text = broken_line(&crew->tasks[task], &err);
    }
    if (message.kind == TICK) {
        if (is_first(crew, task))
            listener->tick(listener->arg, &message.explored);
        free(text);
        return;
    }
    worker->task = NO_TASK;
    crew->lines[task] = text;
    if (message.error.code == OB_OK)
        return;
    ob_child_stop(&worker->child, 0); /* it has ended of itself */
    end_all(crew, task, &message.error);
}

/* What is controlled in all lines is controlled. */
static void add_line(struct ob_report *report, const char *text)
{
    struct ob_report before = *report;
    struct ob_error err;
    enum ob_result result = ob_report_read("a worker's result", text, strlen(text), report, &err);
    assert(result == OB_OK);
    report->postgres = before.postgres;
    report->controlled_steps &= before.controlled_steps;
    report->controlled_deadlock &= before.controlled_deadlock;
    report->controlled_wake = before.controlled_wake;
    report->controlled_gates &= before.controlled_gates;
    report->controlled_now &= before.controlled_now;
    report->controlled_footprints &= before.controlled_footprints;
}

/* Adds what is next to the report. */
static void tell(struct ob_crew *crew, struct ob_report *report,
                 const struct ob_crew_listener *listener)
{
    while (crew->told < crew->wanted && crew->lines[crew->told]) {
        add_line(report, crew->lines[crew->told]);
        free(crew->lines[crew->told]);
        crew->lines[crew->told++] = NULL;
        if (!listener->line(listener->arg))
            want_only(crew, crew->told);
        for (size_t i = 0; i < crew->worker_count && crew->told < crew->wanted; i++)
            if (is_first(crew, crew->workers[i].task))
                listener->begin(listener->arg, &crew->tasks[crew->told]);
    }
}

/* Who has a task that is wanted. */
static size_t watch(const struct ob_crew *crew, struct pollfd *fds, size_t *workers)
{
    size_t count = 0;
    for (size_t i = 0; i < crew->worker_count; i++) {
        if (crew->workers[i].task == NO_TASK || crew->workers[i].task >= crew->wanted)
            continue;
        workers[count] = i;
        fds[count++] = (struct pollfd){.fd = crew->workers[i].child.fd, .events = POLLIN};
    }
    return count;
}

enum ob_result ob_crew_run(struct ob_crew *crew, struct ob_report *report,
                           const struct ob_crew_listener *listener, struct ob_error *err)
{
    struct pollfd *fds = ob_alloc(crew->worker_count * sizeof *fds);
    size_t *workers = ob_alloc(crew->worker_count * sizeof *workers), count;
    sigset_t ours, before; /* a signal is noticed where it is waited for */
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigprocmask(SIG_BLOCK, &ours, &before);
    for (size_t i = 0; i < crew->worker_count; i++)
        (void)ob_child_send(crew->workers[i].child.fd, &listener->ticks, sizeof listener->ticks);
    note_interrupt(crew);
    hand_out(crew, listener);
    while ((count = watch(crew, fds, workers)) > 0) {
        if (ppoll(fds, count, NULL, &before) < 0)
            count = 0;
        note_interrupt(crew);
        for (size_t i = 0; i < count; i++)
            if (fds[i].revents != 0)
                take_message(crew, &crew->workers[workers[i]], listener);
        tell(crew, report, listener);
        hand_out(crew, listener);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    free(workers);
    free(fds);
    *err = crew->fatal;
    return crew->fatal.code;
}
