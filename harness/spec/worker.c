#include "spec/worker.h"

#include "base/alloc.h"
#include "spec/file.h"
#include "spec/place.h"
#include "spec/player.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATH_SIZE 4096

/* Before a report's text. */
struct header {
    int64_t us;
    uint64_t size;
    struct ob_error error; /* code OB_OK: none */
};

/* --- the worker's side */

static void collect(void *self, bool complaint, const char *text, size_t size)
{
    (void)complaint;
    ob_buf_add(self, text, size);
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A spec that does not load fails as it does in isolationtester, by what is printed. */
static enum ob_result play(struct ob_spec_place *place, const char *path, int limit_s,
                           struct ob_buf *text, struct ob_error *err)
{
    struct ob_spec *spec = NULL;
    if (ob_spec_file_read(path, &spec, err) != OB_OK) {
        ob_buf_printf(text, "%s\n", err->message);
        return OB_OK;
    }
    char *name = ob_spec_file_name(path), *application = ob_asprintf("isolation/%s", name);
    const struct ob_spec_options options = {.application = application, .limit_s = limit_s};
    const struct ob_spec_out out = {.self = text, .write = collect};
    bool played;
    enum ob_result result =
        ob_spec_play(spec, ob_spec_place_plain(place), &options, &out, &played, err);
    free(application);
    free(name);
    ob_spec_free(spec);
    return result;
}

static bool send_report(int fd, const struct header *header, const struct ob_buf *text)
{
    return ob_child_send(fd, header, sizeof *header) && ob_child_send(fd, text->data, text->size);
}

static void work(int fd, pid_t owner, void *arg)
{
    const struct ob_spec_worker_options *options = arg;
    struct ob_spec_place *place = NULL;
    struct header header = {0};
    struct ob_buf text;
    char path[PATH_SIZE];
    ob_buf_init(&text, SIZE_MAX);
    enum ob_result result = options->conninfo
                                ? ob_spec_place_open_at(options->conninfo, &place, &header.error)
                                : ob_spec_place_open(&place, &header.error);
    header.error.code = result;
    if (!send_report(fd, &header, &text))
        result = OB_IO;
    while (result == OB_OK && ob_child_is_owned(owner) && ob_child_receive(fd, path, sizeof path)) {
        int64_t began_us = now_us();
        ob_buf_reset(&text);
        result = play(place, path, options->limit_s, &text, &header.error);
        header.us = now_us() - began_us;
        header.size = text.size;
        header.error.code = result;
        if (!send_report(fd, &header, &text))
            break;
    }
    ob_buf_clear(&text);
    ob_spec_place_close(place);
}

/* --- the owner's side */

enum ob_result ob_spec_worker_start(struct ob_child *worker,
                                    const struct ob_spec_worker_options *options,
                                    const struct ob_child *others, size_t other_count,
                                    struct ob_error *err)
{
    struct ob_spec_worker_options copy = *options; /* the child has the whole of it */
    return ob_child_start(worker, others, other_count, work, &copy, err);
}

static enum ob_result has_ended(struct ob_error *err)
{
    ob_error_set(err, OB_IO, "a worker has ended in the middle of its work");
    ob_error_hint(err, "Was it killed, or is memory short?");
    return OB_IO;
}

enum ob_result ob_spec_worker_give(const struct ob_child *worker, const char *path,
                                   struct ob_error *err)
{
    char message[PATH_SIZE] = "";
    if (strlen(path) >= sizeof message)
        return ob_error_set(err, OB_INPUT, "the path of a spec is too long");
    memcpy(message, path, strlen(path) + 1);
    return ob_child_send(worker->fd, message, sizeof message) ? OB_OK : has_ended(err);
}

enum ob_result ob_spec_worker_report(const struct ob_child *worker, struct ob_spec_report *out,
                                     struct ob_error *err)
{
    struct header header;
    *out = (struct ob_spec_report){0};
    ob_buf_init(&out->text, SIZE_MAX);
    if (!ob_child_receive(worker->fd, &header, sizeof header))
        return has_ended(err);
    char chunk[65536];
    while (out->text.size < header.size) {
        size_t left = header.size - out->text.size;
        size_t size = left < sizeof chunk ? left : sizeof chunk;
        if (!ob_child_receive(worker->fd, chunk, size))
            return has_ended(err);
        ob_buf_add(&out->text, chunk, size);
    }
    out->us = header.us;
    out->failed = header.error.code != OB_OK;
    out->error = header.error;
    return OB_OK;
}

void ob_spec_worker_stop(struct ob_child *worker, bool at_once)
{
    ob_child_stop(worker, at_once ? SIGTERM : 0);
}
