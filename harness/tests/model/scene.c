#include "scene.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct verb {
    const char *word;
    enum ob_op_kind kind;
};

static const struct verb verbs[] = {
    {"begin", OB_OP_BEGIN}, {"commit", OB_OP_COMMIT}, {"rollback", OB_OP_ROLLBACK},
    {"kill", OB_OP_KILL},   {"call ", OB_OP_CALL},    {"clock ", OB_OP_CLOCK},
    {"wait ", OB_OP_WAIT},
};

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool flag_is_up(const void *arg)
{
    const struct ob_scene *scene = arg;
    return scene->flag;
}

static struct ob_op op_of(const struct ob_scene *scene, const char *line)
{
    bool loose = starts_with(line, "loosely ");
    line += loose ? strlen("loosely ") : 0;
    bool goes_on = starts_with(line, "hastily ");
    line += goes_on ? strlen("hastily ") : 0;
    struct ob_op op = {.kind = OB_OP_STATEMENT, .text = line, .loose = loose, .goes_on = goes_on};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (starts_with(line, verbs[i].word))
            op.kind = verbs[i].kind;
    bool timed = op.kind == OB_OP_CLOCK || op.kind == OB_OP_WAIT;
    const char *number = strchr(line, ' ');
    op.time_us = INT64_MAX;
    if (timed && strspn(number + 1, "0123456789") > 0)
        op.time_us = strtoll(number + 1, NULL, 10);
    if (op.kind == OB_OP_WAIT && strcmp(line, "wait flag") == 0) {
        op.ready = flag_is_up;
        op.arg = scene;
    }
    return op;
}

/* Lines that are no operation.  False: the line is one. */
static bool does_itself(struct ob_client *client, struct ob_scene *scene, const char *line)
{
    char data[96];
    if (strcmp(line, "raise") == 0) {
        scene->flag = true;
    } else if (starts_with(line, "say ")) {
        snprintf(data, sizeof data, "{\"words\": \"%s\"}", line + 4);
        ob_client_event(client, "says", data);
    } else if (starts_with(line, "fault ")) {
        unsigned way = ob_client_fault(client, (size_t)strtoul(line + 6, NULL, 10));
        snprintf(data, sizeof data, "{\"way\": %u}", way);
        ob_client_event(client, "reached", data);
    } else if (starts_with(line, "fail ")) {
        struct ob_error err;
        ob_error_set(&err, OB_SQL, "%s", line + 5);
        ob_client_fail(client, &err);
    } else if (strcmp(line, "spin") == 0) {
        for (;;)
            pause();
    } else if (strcmp(line, "spin when stopped") != 0) {
        return false;
    }
    return true;
}

static void tell(struct ob_client *client, const struct ob_reply *reply)
{
    static const char *const statuses[] = {"done", "lost", "never", "stopped"};
    char data[64];
    bool fine = strcmp(reply->sqlstate, "00000") == 0 || reply->sqlstate[0] == '\0';
    if (reply->status == OB_REPLY_DONE && fine)
        return;
    snprintf(data, sizeof data, "{\"%s\": \"%s\"}", statuses[reply->status], reply->sqlstate);
    ob_client_event(client, "told", data);
}

static void spin_when_stopped(const struct ob_scene_client *script)
{
    size_t last = 0;
    while (script->lines[last + 1])
        last++;
    while (strcmp(script->lines[last], "spin when stopped") == 0)
        pause();
}

static void follow_script(struct ob_client *client, void *arg)
{
    const struct ob_scene_client *script = arg;
    for (size_t i = 0; script->lines[i]; i++) {
        if (does_itself(client, script->scene, script->lines[i]))
            continue;
        struct ob_op op = op_of(script->scene, script->lines[i]);
        struct ob_reply reply;
        ob_client_do(client, &op, &reply);
        script->scene->place.release(reply.native);
        if (reply.status == OB_REPLY_STOPPED) {
            spin_when_stopped(script);
            return;
        }
        tell(client, &reply);
    }
}

static enum ob_result reset_model(void *self, struct ob_error *err)
{
    (void)err;
    ob_model_reset(self);
    return OB_OK;
}

void ob_scene_open(struct ob_scene *scene, struct ob_model_options options,
                   const struct ob_limits *limits)
{
    if (options.session_count == 0)
        options.session_count = 4;
    struct ob_model *model = ob_model_new(&options);
    struct ob_ports ports = ob_model_ports(model);
    struct ob_scene_place place = {
        .self = model, .reset = reset_model, .release = ob_model_result_free};
    ob_scene_open_at(scene, place, &ports, limits);
    scene->model = model;
}

void ob_scene_open_at(struct ob_scene *scene, struct ob_scene_place place,
                      const struct ob_ports *ports, const struct ob_limits *limits)
{
    struct ob_limits usual = ob_limits_default();
    *scene = (struct ob_scene){.place = place};
    scene->engine = ob_engine_new(ports, limits ? limits : &usual);
    scene->spec.clients = scene->clients;
    ob_trace_init(&scene->trace);
    ob_buf_init(&scene->text, (size_t)1 << 22);
}

void ob_scene_close(struct ob_scene *scene)
{
    ob_engine_free(scene->engine);
    ob_model_free(scene->model);
    ob_trace_clear(&scene->trace);
    ob_schedule_clear(&scene->schedule);
    ob_buf_clear(&scene->text);
}

void ob_scene_add(struct ob_scene *scene, const char *name, const char *const *lines)
{
    size_t index = scene->spec.client_count++;
    scene->names[index] = name;
    scene->scripts[index] = (struct ob_scene_client){.scene = scene, .lines = lines};
    scene->clients[index] =
        (struct ob_run_client){.name = name, .body = follow_script, .arg = &scene->scripts[index]};
}

enum ob_result ob_scene_run(struct ob_scene *scene, const char *clients)
{
    ob_schedule_reset(&scene->schedule);
    const char *c = clients;
    for (; *c != '\0' && *c != '/'; c++)
        ob_schedule_add_step(&scene->schedule, (size_t)(*c - '0'));
    for (c += *c == '/'; *c != '\0'; c++)
        ob_schedule_add_wake(&scene->schedule, (size_t)(*c - '0'));
    scene->follower = (struct ob_follower){.schedule = &scene->schedule, .prefix = true};
    return ob_scene_choose(scene, ob_follower_chooser(&scene->follower));
}

enum ob_result ob_scene_choose(struct ob_scene *scene, struct ob_chooser chooser)
{
    scene->spec.chooser = chooser;
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        scene->flag = false;
        scene->spec.careful = attempt == 1;
        enum ob_result result = scene->place.reset(scene->place.self, &scene->err);
        if (result == OB_OK)
            result = ob_engine_run(scene->engine, &scene->spec, &scene->trace, &scene->err);
        if (result != OB_OK || scene->trace.end != OB_RUN_AGAIN)
            return result;
    }
    return OB_OK;
}

const char *ob_scene_text(struct ob_scene *scene, bool exact)
{
    ob_buf_reset(&scene->text);
    ob_trace_print(&scene->trace, scene->names, exact, &scene->text);
    return scene->text.data;
}
