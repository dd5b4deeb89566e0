#include "spec/regress.h"

#include "base/alloc.h"
#include "spec/file.h"
#include "spec/worker.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX 64
#define NO_TEST SIZE_MAX

struct running {
    const struct ob_regress_options *options;
    struct ob_regress *regress;
    struct ob_child workers[WORKERS_MAX];
    size_t at[WORKERS_MAX]; /* the test that each plays, or NO_TEST */
    size_t worker_count;
    size_t *order; /* of the tests: those that will probably take longest come first */
    size_t next;   /* in order */
    size_t told;   /* tests that done was called for */
};

/* --- finding */

static int is_spec(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name), suffix = sizeof ".spec" - 1;
    return size > suffix && strcmp(entry->d_name + size - suffix, ".spec") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum ob_result find_tests(const struct ob_regress_options *options, struct ob_regress *out,
                                 struct ob_error *err)
{
    struct dirent **entries;
    int count = scandir(options->specs, &entries, is_spec, by_name);
    if (count < 0)
        return ob_error_set(err, OB_INPUT, "could not read the folder \"%s\": %s", options->specs,
                            strerror(errno));
    out->tests = ob_alloc((size_t)count * sizeof *out->tests);
    out->test_count = (size_t)count;
    enum ob_result result = OB_OK;
    for (int i = 0; i < count; i++) {
        struct ob_regress_test *test = &out->tests[i];
        test->name = ob_spec_file_name(entries[i]->d_name);
        test->spec = ob_asprintf("%s/%s", options->specs, entries[i]->d_name);
        test->expected = ob_asprintf("%s/%s.out", options->expected, test->name);
        if (result == OB_OK && access(test->expected, R_OK) != 0) {
            result = ob_error_set(err, OB_INPUT, "\"%s\" has no expected output", test->spec);
            ob_error_detail(err, "%s: %s", test->expected, strerror(errno));
        }
        free(entries[i]);
    }
    free(entries);
    if (result == OB_OK && count == 0)
        result = ob_error_set(err, OB_INPUT, "there is no spec in \"%s\"", options->specs);
    return result;
}

/* What is long takes long, as a rule. */
static off_t expected_size(const struct ob_regress_test *test)
{
    struct stat status;
    return stat(test->expected, &status) == 0 ? status.st_size : 0;
}

static int by_size(const void *a, const void *b, void *arg)
{
    const struct ob_regress_test *tests = arg;
    off_t one = expected_size(&tests[*(const size_t *)a]);
    off_t other = expected_size(&tests[*(const size_t *)b]);
    if (one != other)
        return one > other ? -1 : 1;
    return *(const size_t *)a < *(const size_t *)b ? -1 : 1;
}

/* --- comparing */

/* Whether the file has these contents. */
static bool is_met(const char *path, const struct ob_buf *output)
{
    struct ob_buf text;
    struct ob_error err;
    ob_buf_init(&text, (size_t)64 << 20);
    bool met = ob_spec_file_text(path, &text, &err) == OB_OK && text.size == output->size &&
               memcmp(text.data, output->data, text.size) == 0;
    ob_buf_clear(&text);
    return met;
}

static void judge(struct running *run, struct ob_regress_test *test, struct ob_spec_report *report)
{
    const char *folder = run->options->expected;
    test->done = true;
    test->us = report->us;
    test->passed = is_met(test->expected, &report->text);
    for (int variant = 0; variant <= 9 && !test->passed; variant++) {
        char *path = ob_asprintf("%s/%s_%d.out", folder, test->name, variant);
        test->passed = access(path, R_OK) == 0 && is_met(path, &report->text);
        if (test->passed) {
            free(test->expected);
            test->expected = path;
        } else {
            free(path);
        }
    }
    run->regress->passed += test->passed;
    run->regress->failed += !test->passed;
    if (test->passed)
        return;
    test->output_size = report->text.size;
    test->output = ob_buf_take(&report->text);
}

static void tell(struct running *run)
{
    struct ob_regress *regress = run->regress;
    for (; run->told < regress->test_count && regress->tests[run->told].done; run->told++)
        if (run->options->done)
            run->options->done(run->options->arg, &regress->tests[run->told]);
}

/* --- playing */

static bool is_stopped(const struct running *run)
{
    return run->options->stopped && run->options->stopped();
}

static enum ob_result give(struct running *run, size_t worker, struct ob_error *err)
{
    run->at[worker] = NO_TEST;
    if (run->next == run->regress->test_count || is_stopped(run))
        return OB_OK;
    run->at[worker] = run->order[run->next++];
    return ob_spec_worker_give(&run->workers[worker], run->regress->tests[run->at[worker]].spec,
                               err);
}

static enum ob_result receive(struct running *run, size_t worker, struct ob_error *err)
{
    struct ob_spec_report report;
    struct ob_regress_test *test = &run->regress->tests[run->at[worker]];
    enum ob_result result = ob_spec_worker_report(&run->workers[worker], &report, err);
    if (result == OB_OK && report.failed) {
        *err = report.error;
        result = err->code;
    }
    if (result == OB_OK) {
        judge(run, test, &report);
        tell(run);
        result = give(run, worker, err);
    } else {
        ob_error_context(err, "%s", test->name);
    }
    ob_buf_clear(&report.text);
    return result;
}

/* Waits until one of the workers has something to say; false when none has anything to do. */
static bool wait_for_one(const struct running *run, struct pollfd *fds)
{
    bool busy = false;
    for (size_t i = 0; i < run->worker_count; i++) {
        fds[i] = (struct pollfd){.fd = run->at[i] != NO_TEST ? run->workers[i].fd : -1,
                                 .events = POLLIN};
        busy |= run->at[i] != NO_TEST;
    }
    if (busy && poll(fds, (nfds_t)run->worker_count, -1) < 0)
        for (size_t i = 0; i < run->worker_count; i++)
            fds[i].revents = 0; /* a signal */
    return busy;
}

static enum ob_result play_all(struct running *run, struct ob_error *err)
{
    struct pollfd fds[WORKERS_MAX];
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < run->worker_count && result == OB_OK; i++)
        result = give(run, i, err);
    while (result == OB_OK && !is_stopped(run) && wait_for_one(run, fds))
        for (size_t i = 0; i < run->worker_count && result == OB_OK; i++)
            if (fds[i].revents != 0)
                result = receive(run, i, err);
    return result;
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static enum ob_result start_workers(struct running *run, struct ob_error *err)
{
    size_t wanted = run->options->workers;
    if (wanted > run->regress->test_count)
        wanted = run->regress->test_count;
    if (wanted > WORKERS_MAX)
        wanted = WORKERS_MAX;
    for (; run->worker_count < wanted; run->worker_count++) {
        enum ob_result result =
            ob_spec_worker_start(&run->workers[run->worker_count], &run->options->worker,
                                 run->workers, run->worker_count, err);
        if (result != OB_OK)
            return result;
    }
    return OB_OK;
}

/* Their servers are started side by side. */
static enum ob_result await_workers(const struct running *run, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < run->worker_count && result == OB_OK; i++) {
        struct ob_spec_report report;
        result = ob_spec_worker_report(&run->workers[i], &report, err);
        if (result == OB_OK && report.failed) {
            *err = report.error;
            result = err->code;
        }
        ob_buf_clear(&report.text);
    }
    return result;
}

enum ob_result ob_regress_run(const struct ob_regress_options *options, struct ob_regress *out,
                              struct ob_error *err)
{
    *out = (struct ob_regress){0};
    struct running run = {.options = options, .regress = out};
    enum ob_result result = find_tests(options, out, err);
    if (result != OB_OK)
        return result;
    run.order = ob_alloc(out->test_count * sizeof *run.order);
    for (size_t i = 0; i < out->test_count; i++)
        run.order[i] = i;
    qsort_r(run.order, out->test_count, sizeof *run.order, by_size, out->tests);
    result = start_workers(&run, err);
    if (result == OB_OK)
        result = await_workers(&run, err);
    int64_t began_us = now_us();
    if (result == OB_OK)
        result = play_all(&run, err);
    out->us = now_us() - began_us;
    if (is_stopped(&run))
        result = OB_OK; /* a signal that ended this one's work has ended the workers, too */
    for (size_t i = 0; i < run.worker_count; i++)
        ob_spec_worker_stop(&run.workers[i], result != OB_OK || is_stopped(&run));
    free(run.order);
    return result;
}

void ob_regress_clear(struct ob_regress *regress)
{
    for (size_t i = 0; i < regress->test_count; i++) {
        free(regress->tests[i].name);
        free(regress->tests[i].spec);
        free(regress->tests[i].expected);
        free(regress->tests[i].output);
    }
    free(regress->tests);
    *regress = (struct ob_regress){0};
}
