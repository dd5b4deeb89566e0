#include "model_int.h"

#include "base/alloc.h"
#include "base/digest.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK_TICKS 12 /* of a wait, until the deadlock check runs */
#define CALL_US 5      /* that looking at the clock takes */

static bool is_on_cycle(const struct ob_model *model, size_t session)
{
    bool foreign;
    ob_client_set reached = 0, next = ob_model_holders(model, session, &foreign);
    while (next & ~reached) {
        reached |= next;
        for (size_t i = 0; i < model->options.session_count; i++)
            if ((reached & ((ob_client_set)1 << i)) && model->sessions[i].state == WAITING)
                next |= ob_model_holders(model, i, &foreign);
    }
    return reached & ((ob_client_set)1 << session);
}

static void go_on_waiting(struct ob_model *model, size_t index)
{
    struct session *session = &model->sessions[index];
    unsigned check = session->own_check > 0 ? session->own_check : CHECK_TICKS;
    session->waited++;
    if ((session->armed || session->own_check > 0) && !session->checked &&
        session->waited >= check) {
        session->checked = true;
        if (is_on_cycle(model, index))
            ob_model_fail(model, index, "40P01");
    }
    if (session->state == WAITING && session->timeout > 0 && session->waited >= session->timeout)
        ob_model_fail(model, index, "55P03");
}

static void tick(struct ob_model *model)
{
    for (size_t i = 0; i < model->options.session_count; i++) {
        struct session *session = &model->sessions[i];
        if (session->held)
            continue;
        if (session->state == WAITING)
            go_on_waiting(model, i);
        else if (session->state == RUNNING && session->delay > 0)
            session->delay--;
        else if (session->state == RUNNING)
            ob_model_advance(model, i);
    }
}

/* True when this call is to fail; the error's detail is the port's name. */
static bool fails(struct ob_model *model, const char *port, struct ob_error *err)
{
    model->calls++;
    if (model->options.fail_call == 0 || model->calls < model->options.fail_call)
        return false;
    ob_error_set(err, OB_SERVER, "the model failed as it was asked to");
    ob_error_detail(err, "%s", port);
    return true;
}

static enum ob_io port_send(void *self, size_t client, const struct ob_op *op, struct ob_error *err)
{
    struct ob_model *model = self;
    struct session *session = &model->sessions[client];
    pthread_mutex_lock(&model->mutex);
    bool failed = fails(model, "send", err);
    if (!failed) {
        assert(session->state == IDLE);
        session->op = op;
        session->at = op->text;
        session->result = 0;
        session->rows_seen = OB_HASH_START;
        session->reply = (struct ob_reply){0};
        ob_footprint_reset(&session->footprint);
        session->state = RUNNING;
        session->delay = model->options.latency;
    }
    pthread_mutex_unlock(&model->mutex);
    return failed ? OB_IO_FAILED : OB_IO_PENDING;
}

static void hand_over(struct ob_model *model, struct session *session, struct ob_reply *reply)
{
    session->state = IDLE;
    *reply = session->reply;
    if (reply->status != OB_REPLY_DONE)
        return;
    struct model_result *result = ob_alloc(sizeof *result);
    result->model = model;
    result->value = session->result;
    reply->native = result;
    __atomic_add_fetch(&model->results_alive, 1, __ATOMIC_RELAXED);
}

static enum ob_io port_poll(void *self, size_t client, struct ob_reply *reply, struct ob_error *err)
{
    struct ob_model *model = self;
    struct session *session = &model->sessions[client];
    pthread_mutex_lock(&model->mutex);
    enum ob_io io = OB_IO_FAILED;
    if (!fails(model, "poll", err)) {
        assert(session->state != IDLE);
        tick(model);
        io = session->state == ANSWERED ? OB_IO_DONE : OB_IO_PENDING;
        if (io == OB_IO_DONE)
            hand_over(model, session, reply);
    }
    pthread_mutex_unlock(&model->mutex);
    return io;
}

static void port_wait(void *self, ob_client_set clients, int64_t limit_us)
{
    struct ob_model *model = self;
    assert(clients != 0 && limit_us >= 0);
    pthread_mutex_lock(&model->mutex);
    tick(model);
    if (!model->options.racing)
        model->skipped_us += limit_us;
    pthread_mutex_unlock(&model->mutex);
    if (model->options.racing)
        sched_yield();
}

static enum ob_result port_waits(void *self, ob_client_set clients, struct ob_waits *out,
                                 struct ob_error *err)
{
    struct ob_model *model = self;
    pthread_mutex_lock(&model->mutex);
    bool failed = fails(model, "waits", err);
    for (size_t i = 0; i < model->options.session_count && !failed; i++) {
        if (i == 0) {
            *out = (struct ob_waits){0};
            tick(model);
        } else if (model->options.jitter_seed != 0 && ob_rng_below(&model->jitter, 3) == 0) {
            tick(model);
        }
        ob_client_set bit = (ob_client_set)1 << i;
        if (!(clients & bit) || model->sessions[i].state != WAITING)
            continue;
        bool foreign;
        out->blocked |= bit;
        out->holders[i] = ob_model_holders(model, i, &foreign);
        out->foreign |= foreign ? bit : 0;
    }
    pthread_mutex_unlock(&model->mutex);
    return failed ? OB_SERVER : OB_OK;
}

static enum ob_result port_arm(void *self, size_t client, bool armed, struct ob_error *err)
{
    struct ob_model *model = self;
    pthread_mutex_lock(&model->mutex);
    bool failed = fails(model, "arm", err);
    if (!failed)
        model->sessions[client].armed = armed;
    pthread_mutex_unlock(&model->mutex);
    return failed ? OB_SERVER : OB_OK;
}

static bool port_checked(void *self, size_t client)
{
    struct ob_model *model = self;
    return model->sessions[client].checked;
}

static bool port_has_timeout(void *self, size_t client)
{
    struct ob_model *model = self;
    return model->sessions[client].timeout > 0;
}

static enum ob_result port_hold(void *self, size_t client, bool held, struct ob_error *err)
{
    struct ob_model *model = self;
    pthread_mutex_lock(&model->mutex);
    bool failed = fails(model, "hold", err);
    if (!failed) {
        assert(!held || model->sessions[client].state == WAITING);
        model->sessions[client].held = held;
    }
    pthread_mutex_unlock(&model->mutex);
    return failed ? OB_SERVER : OB_OK;
}

static const struct ob_footprint *port_footprint(void *self, size_t client)
{
    struct ob_model *model = self;
    return &model->sessions[client].footprint;
}

static enum ob_result port_set_clock(void *self, int64_t time_us, struct ob_error *err)
{
    struct ob_model *model = self;
    (void)time_us;
    pthread_mutex_lock(&model->mutex);
    bool failed = fails(model, "clock", err);
    pthread_mutex_unlock(&model->mutex);
    return failed ? OB_SERVER : OB_OK;
}

static void port_cancel(void *self, size_t client)
{
    struct ob_model *model = self;
    pthread_mutex_lock(&model->mutex);
    enum session_state state = model->sessions[client].state;
    if (!model->options.deaf && (state == RUNNING || state == WAITING))
        ob_model_fail(model, client, "57014");
    pthread_mutex_unlock(&model->mutex);
}

static void port_discard(void *self, void *native)
{
    (void)self;
    ob_model_result_free(native);
}

static int64_t port_monotonic_us(void *self)
{
    struct ob_model *model = self;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    pthread_mutex_lock(&model->mutex);
    int64_t skipped_us = model->skipped_us += model->options.racing ? 0 : CALL_US;
    pthread_mutex_unlock(&model->mutex);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + skipped_us;
}

struct ob_ports ob_model_ports(struct ob_model *model)
{
    return (struct ob_ports){
        .self = model,
        .send = port_send,
        .poll = port_poll,
        .wait = port_wait,
        .waits = port_waits,
        .arm_deadlock = port_arm,
        .deadlock_checked = port_checked,
        .has_timeout = port_has_timeout,
        .hold = model->options.holds ? port_hold : NULL,
        .footprint = model->options.tells ? port_footprint : NULL,
        .set_clock = port_set_clock,
        .cancel = port_cancel,
        .discard = port_discard,
        .monotonic_us = port_monotonic_us,
    };
}

struct ob_model *ob_model_new(const struct ob_model_options *options)
{
    assert(options->session_count <= OB_CLIENTS_MAX);
    struct ob_model *model = ob_alloc(sizeof *model);
    model->options = *options;
    ob_rng_seed(&model->jitter, options->jitter_seed);
    pthread_mutex_init(&model->mutex, NULL);
    return model;
}

void ob_model_free(struct ob_model *model)
{
    if (!model)
        return;
    pthread_mutex_destroy(&model->mutex);
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++)
        ob_footprint_clear(&model->sessions[i].footprint);
    free(model);
}

void ob_model_put(struct ob_model *model, const char *row, int64_t value)
{
    struct item *item = ob_model_item(model, row);
    item->clean_exists = item->exists = true;
    item->clean_value = item->value = value;
}

void ob_model_occupy(struct ob_model *model, const char *row)
{
    struct item *item = ob_model_item(model, row);
    item->occupied = true;
    item->owner = OB_MODEL_FOREIGN;
}

void ob_model_reset(struct ob_model *model)
{
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++) {
        ob_footprint_clear(&model->sessions[i].footprint);
        model->sessions[i] = (struct session){0};
    }
    for (size_t i = 0; i < model->item_count; i++) {
        struct item *item = &model->items[i];
        item->exists = item->clean_exists;
        item->value = item->clean_value;
        item->written = false;
        item->owner = item->occupied ? OB_MODEL_FOREIGN : OB_MODEL_NOBODY;
        item->queue_count = 0;
    }
}

/* In whatever order the rows were first named. */
uint64_t ob_model_digest(const struct ob_model *model)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < model->item_count; i++) {
        const struct item *item = &model->items[i];
        if (!item->exists)
            continue;
        uint64_t hash = ob_hash_text(OB_HASH_START, item->name);
        sum += ob_hash_end(ob_hash_u64(hash, (uint64_t)item->value));
    }
    return sum;
}

int64_t ob_model_value(const struct ob_model *model, const char *row, int64_t missing)
{
    for (size_t i = 0; i < model->item_count; i++)
        if (strcmp(model->items[i].name, row) == 0 && model->items[i].exists)
            return model->items[i].value;
    return missing;
}

size_t ob_model_calls(const struct ob_model *model)
{
    return model->calls;
}

size_t ob_model_results_alive(const struct ob_model *model)
{
    return __atomic_load_n(&model->results_alive, __ATOMIC_RELAXED);
}

int64_t ob_model_result_value(const void *native)
{
    const struct model_result *result = native;
    return result->value;
}

void ob_model_result_free(void *native)
{
    struct model_result *result = native;
    if (result)
        __atomic_sub_fetch(&result->model->results_alive, 1, __ATOMIC_RELAXED);
    free(result);
}
