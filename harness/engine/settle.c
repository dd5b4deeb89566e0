/*
 * settle.c - the settle rule: after a release, wait until nothing moves any more.
 *
 * What: the released operation is answered, or the server confirms that it waits for a lock and
 * that this wait is stable; and everything that was woken on the way is answered or waits again.
 *
 * How: the sockets of what moves are probed tightly; only when an answer is late is the server
 * asked who is blocked, about all in one query, and then less and less often.  A client that waited
 * before is asked about only when something that it waits for (or that stands between) has been
 * answered since: nothing else can have freed its lock.
 *
 * Deadlocks: PostgreSQL checks for one when a wait has lasted deadlock_timeout.  Sessions have it
 * out of the way, except that a client on whom somebody waits is armed before its step: only such a
 * step can close a cycle at once, so the closing one is the one to die.  The wait of an armed
 * client is stable only after its check has passed, otherwise the check could run after a later
 * step and find that one's cycle. A client that is woken may run into a second lock and close a
 * cycle although it was not armed.  That is seen here (OB_SETTLE_UNARMED), and the run is made
 * again with everybody armed, which is slower and otherwise the same.
 *
 * A wait may end by itself, by a timeout that the session has set, or by any timer where all are
 * the server's own (and nobody is armed): the socket of such a client is looked at along with the
 * others.  An answer sets free those who wait for it, as ever.
 *
 * Whom a step lets go on is the server's choice where there are several, and so is who moves first
 * where the step itself goes on, as the end of a serializable transaction does.  Where its
 * processes can be held, that is taken from it: all who wait for the step are held while it
 * settles, and then let go on one at a time, each settled before the next; which one, where the
 * server would let several, the chooser says.  A held one counts as waiting throughout: others may
 * wait for it, and cycles through it are seen.
 *
 * Who was woken is told by what is left when all is quiet, never by what was seen on the way: a
 * client that goes on and soon waits again may or may not be caught in between.
 */
#include "engine/engine_int.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define OB_ASK_FIRST_US 100 /* an answer that is later than this may be waiting for a lock */
#define OB_ASK_MAX_US 5000  /* between two questions about the same wait */
#define OB_SPIN_US 100      /* probing without giving the processor away */
#define OB_SPIN_PAUSE_MAX 256
#define OB_CANCEL_US 5000000
#define OB_LOOSE_US 10000 /* that a loose operation has to be answered or blocked */

struct settling {
    struct ob_engine *engine;
    ob_client_set moving; /* released or woken, not answered, not known to wait stably */
    ob_client_set *done;
    bool must_ask; /* an answer may have freed somebody who waits */
    int64_t began_us, since_us, ask_after_us;
    ob_client_set loose; /* those of moving that may be left as they are */
    bool cancelled;
    struct ob_waits seen; /* the last answer of the server, to be confirmed by the next one */
    bool seen_valid;
    ob_client_set before; /* who waited before the step, and for whom */
    ob_client_set holders_before[OB_CLIENTS_MAX];
};

ob_client_set ob_settle_timed(const struct ob_engine *engine, ob_client_set set)
{
    ob_client_set timed = engine->spec->server_timers ? set : 0;
    for (size_t i = 0; i < engine->spec->client_count; i++)
        if ((set & ~timed & ob_client_bit(i)) && engine->ports.has_timeout(engine->ports.self, i))
            timed |= ob_client_bit(i);
    return timed;
}

/* Whose sockets may have something. */
static ob_client_set listened_to(const struct settling *s)
{
    return s->moving | ob_settle_timed(s->engine, s->engine->waiting);
}

static int64_t machine_us(const struct ob_engine *engine)
{
    return engine->ports.monotonic_us(engine->ports.self);
}

/* Those of the waiting who can go on when somebody lets them. */
static ob_client_set free_waiting(const struct ob_engine *engine)
{
    return engine->waiting & ~engine->held;
}

/* Those of the waiting who wait for one of set, directly or through others who wait. */
static ob_client_set waiting_behind(const struct ob_engine *engine, ob_client_set set)
{
    ob_client_set behind = 0, grown = set;
    while (grown != 0) {
        ob_client_set next = 0;
        for (size_t i = 0; i < OB_CLIENTS_MAX; i++)
            if ((engine->waiting & ~behind & ob_client_bit(i)) && (engine->holders[i] & grown))
                next |= ob_client_bit(i);
        behind |= next;
        grown = next;
    }
    return behind;
}

ob_client_set ob_settle_behind(const struct ob_engine *engine, size_t client)
{
    return waiting_behind(engine, ob_client_bit(client));
}

/* Collects the answers that have come. */
static enum ob_io collect(struct settling *s, struct ob_error *err)
{
    struct ob_engine *engine = s->engine;
    enum ob_io result = OB_IO_PENDING;
    ob_client_set listened = listened_to(s);
    for (size_t i = 0; i < engine->spec->client_count; i++) {
        if (!(listened & ob_client_bit(i)))
            continue;
        struct ob_client *client = &engine->clients[i];
        enum ob_io io = engine->ports.poll(engine->ports.self, i, &client->reply, err);
        if (io == OB_IO_FAILED)
            return io;
        if (io == OB_IO_PENDING)
            continue;
        client->state = io == OB_IO_GATE ? OB_CLIENT_GATED : OB_CLIENT_ANSWERED;
        s->moving &= ~ob_client_bit(i);
        engine->waiting &= ~ob_client_bit(i);
        *(io == OB_IO_GATE ? &engine->gated : s->done) |= ob_client_bit(i);
        s->must_ask |= (waiting_behind(engine, ob_client_bit(i)) & ~engine->held) != 0;
        s->seen_valid = false;
        result = OB_IO_DONE;
    }
    return result;
}

/* Those of set that reach themselves along holders. */
static ob_client_set on_cycles(const struct ob_waits *waits, ob_client_set set)
{
    ob_client_set cyclic = 0;
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++) {
        if (!(set & ob_client_bit(i)))
            continue;
        ob_client_set reached = 0, next = waits->holders[i];
        while (next & ~reached) {
            reached |= next;
            next = 0;
            for (size_t k = 0; k < OB_CLIENTS_MAX; k++)
                if (reached & set & ob_client_bit(k))
                    next |= waits->holders[k];
        }
        if (reached & ob_client_bit(i))
            cyclic |= ob_client_bit(i);
    }
    return cyclic;
}

/* Those blocked whose wait is stable: every holder is idle or itself stably blocked, and no check
 * is due. */
static ob_client_set stable_waits(const struct settling *s, const struct ob_waits *waits,
                                  ob_client_set cyclic)
{
    const struct ob_engine *engine = s->engine;
    ob_client_set in_flight = s->moving | free_waiting(engine);
    ob_client_set stable = waits->blocked & ~waits->foreign & ~cyclic;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < engine->spec->client_count; i++) {
            if (!(stable & ob_client_bit(i)))
                continue;
            bool checked = !(engine->armed & ob_client_bit(i)) ||
                           engine->ports.deadlock_checked(engine->ports.self, i);
            if (checked && !(waits->holders[i] & in_flight & ~stable))
                continue;
            stable &= ~ob_client_bit(i);
            changed = true;
        }
    }
    return stable;
}

static bool same_waits(const struct ob_waits *a, const struct ob_waits *b)
{
    if (a->blocked != b->blocked)
        return false;
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++)
        if ((a->blocked & ob_client_bit(i)) && a->holders[i] != b->holders[i])
            return false;
    return true;
}

/* Whether the server says the same for the second time, with nothing in between. */
static bool seen_twice(struct settling *s, const struct ob_waits *waits)
{
    bool same = s->seen_valid && same_waits(&s->seen, waits);
    s->seen = *waits;
    s->seen_valid = true;
    return same;
}

/* The server answers about several backends one after the other.  Where more than one may move, and
 * one that moves may have set free another who was asked about before it, one answer is no proof.
 */
static bool one_answer_is_enough(const struct settling *s)
{
    ob_client_set may_move = s->moving | (waiting_behind(s->engine, s->moving) & ~s->engine->held);
    return (may_move & (may_move - 1)) == 0;
}

/* Whether a deadlock check that is still to come will break the cycle. */
static bool check_is_due(const struct ob_engine *engine, ob_client_set cyclic)
{
    for (size_t i = 0; i < engine->spec->client_count; i++)
        if ((cyclic & engine->armed & ob_client_bit(i)) &&
            !engine->ports.deadlock_checked(engine->ports.self, i))
            return true;
    return false;
}

/* Those of the waiting who went on, although they may wait again by now: for others, or in a wait
 * whose deadlock check is still to come. */
static ob_client_set gone_on(const struct ob_engine *engine, const struct ob_waits *waits)
{
    ob_client_set gone = free_waiting(engine) & ~waits->blocked;
    for (size_t i = 0; i < engine->spec->client_count; i++) {
        ob_client_set bit = ob_client_bit(i);
        if (!(free_waiting(engine) & waits->blocked & bit))
            continue;
        bool unchecked =
            (engine->armed & bit) && !engine->ports.deadlock_checked(engine->ports.self, i);
        if (unchecked || waits->holders[i] != engine->holders[i])
            gone |= bit;
    }
    return gone;
}

static void wake(struct settling *s, ob_client_set woken)
{
    s->engine->waiting &= ~woken;
    s->moving |= woken;
    s->seen_valid = s->seen_valid && woken == 0;
}

/* Those who move wait; loose ones whose wait is not stable are left to the next step. */
static void become_waiting(struct settling *s, const struct ob_waits *waits, ob_client_set stable)
{
    struct ob_engine *engine = s->engine;
    for (size_t i = 0; i < engine->spec->client_count; i++)
        if (s->moving & stable & ob_client_bit(i))
            engine->since[i] = engine->wait_count++;
    engine->waiting |= s->moving & stable;
    engine->loose |= s->moving & ~stable;
    s->moving = 0;
    for (size_t i = 0; i < engine->spec->client_count; i++)
        if (free_waiting(engine) & ob_client_bit(i))
            engine->holders[i] = waits->holders[i];
}

/* Asks the server, and draws the consequences. OB_SETTLED here means only that the question was
 * answered. */
static enum ob_settled ask(struct settling *s, struct ob_error *err)
{
    struct ob_engine *engine = s->engine;
    struct ob_waits waits;
    ob_client_set asked = s->moving | engine->waiting;
    if (engine->ports.waits(engine->ports.self, asked, &waits, err) != OB_OK)
        return OB_SETTLE_FAILED;
    s->must_ask = false;
    wake(s, gone_on(engine, &waits));
    bool proven = seen_twice(s, &waits) || one_answer_is_enough(s);
    ob_client_set cyclic = on_cycles(&waits, waits.blocked);
    bool hopeless = cyclic != 0 && !engine->careful && !engine->spec->server_timers &&
                    !check_is_due(engine, cyclic);
    if (hopeless && proven)
        return OB_SETTLE_UNARMED;
    engine->foreign = waits.foreign;
    ob_client_set stable = stable_waits(s, &waits, cyclic);
    bool quiet = (s->moving & ~stable & ~(s->loose & waits.blocked)) == 0;
    if (quiet && proven)
        become_waiting(s, &waits, stable);
    else if (quiet || hopeless)
        s->ask_after_us = 0;
    return OB_SETTLED;
}

static enum ob_settled give_up(struct settling *s)
{
    struct ob_engine *engine = s->engine;
    ob_client_set late = s->moving;
    size_t client = ob_first_client(late);
    const char *name = engine->spec->clients[client].name;
    bool foreign = (engine->foreign & late) != 0;
    engine->trace->end = foreign ? OB_RUN_FOREIGN : OB_RUN_TIME_LIMIT;
    snprintf(engine->trace->reason, sizeof engine->trace->reason,
             foreign ? "\"%s\" waits for a lock of a session that is none of the clients"
                     : "\"%s\" was neither answered nor blocked when the run's time was over",
             name);
    return OB_SETTLE_OVER;
}

/* Under the server's own timers what takes too long is first cancelled, and given up when that does
 * not help. */
static enum ob_settled mind_the_time(struct settling *s, int64_t now_us)
{
    struct ob_engine *engine = s->engine;
    if (s->moving == 0)
        return OB_SETTLED;
    if (!engine->spec->server_timers)
        return now_us > engine->deadline_us ? give_up(s) : OB_SETTLED;
    int64_t waited_us = now_us - s->began_us;
    if (waited_us / 2 > engine->limits.step_us_max)
        return give_up(s);
    for (size_t i = 0; i < engine->spec->client_count && !s->cancelled; i++)
        if (waited_us > engine->limits.step_us_max && (s->moving & ob_client_bit(i)))
            engine->ports.cancel(engine->ports.self, i);
    s->cancelled = waited_us > engine->limits.step_us_max;
    return OB_SETTLED;
}

/* Whether all is quiet, or what is not may be left so. */
static bool is_settled(struct settling *s, int64_t now_us)
{
    if (s->must_ask || (s->moving & ~s->loose))
        return false;
    if (s->moving != 0 && now_us - s->began_us < OB_LOOSE_US)
        return false;
    s->engine->loose |= s->moving;
    s->moving = 0;
    return true;
}

/* To probe without sleeping is the fastest as long as answers come soon.  On a machine that is busy
 * it takes from the server the time to answer in: after an answer that came too late, the next ones
 * are waited for asleep, and after each new disappointment twice as many. */
static void learn(struct ob_engine *engine, bool in_time)
{
    if (engine->spin_pause > 0) {
        engine->spin_pause--;
    } else if (in_time) {
        engine->spin_penalty = 0;
    } else {
        engine->spin_penalty = engine->spin_penalty == 0 ? 8 : engine->spin_penalty * 2;
        if (engine->spin_penalty > OB_SPIN_PAUSE_MAX)
            engine->spin_penalty = OB_SPIN_PAUSE_MAX;
        engine->spin_pause = engine->spin_penalty;
    }
}

static enum ob_settled settle(struct settling *s, struct ob_error *err)
{
    struct ob_engine *engine = s->engine;
    int64_t spin_us = engine->spin_pause == 0 ? OB_SPIN_US : 0;
    s->began_us = s->since_us = machine_us(engine);
    s->ask_after_us = OB_ASK_FIRST_US;
    for (;;) {
        enum ob_io io = collect(s, err);
        if (io == OB_IO_FAILED)
            return OB_SETTLE_FAILED;
        int64_t now_us = machine_us(engine), waited_us = now_us - s->since_us;
        if (io == OB_IO_DONE) {
            s->ask_after_us = OB_ASK_FIRST_US;
            learn(engine, waited_us <= OB_SPIN_US);
        }
        if (is_settled(s, now_us))
            return OB_SETTLED;
        if ((s->moving == 0 && s->must_ask) || waited_us >= s->ask_after_us) {
            if (s->ask_after_us == 0)
                s->ask_after_us = OB_ASK_FIRST_US;
            else if (s->ask_after_us < OB_ASK_MAX_US)
                s->ask_after_us *= 2;
            enum ob_settled asked = ask(s, err);
            if (asked != OB_SETTLED)
                return asked;
            s->since_us = machine_us(engine);
        } else if (waited_us >= spin_us) {
            engine->ports.wait(engine->ports.self, listened_to(s), s->ask_after_us - waited_us);
        }
        enum ob_settled in_time = mind_the_time(s, now_us);
        if (in_time != OB_SETTLED)
            return in_time;
    }
}

static enum ob_result arm(struct ob_engine *engine, const struct ob_client *client,
                          struct ob_error *err)
{
    ob_client_set bit = ob_client_bit(client->index);
    enum ob_op_kind kind = client->op->kind;
    if (kind == OB_OP_BEGIN || kind == OB_OP_ROLLBACK || kind == OB_OP_KILL)
        return OB_OK; /* these wait for no lock */
    if (engine->spec->server_timers)
        return OB_OK;
    bool armed = engine->careful || waiting_behind(engine, bit) != 0;
    engine->armed = armed ? engine->armed | bit : engine->armed & ~bit;
    return engine->ports.arm_deadlock(engine->ports.self, client->index, armed, err);
}

/* Who waited before and was answered since, or waits for others now. */
static ob_client_set woken_since(const struct settling *s)
{
    ob_client_set woken = s->before & (*s->done | s->engine->gated);
    for (size_t i = 0; i < s->engine->spec->client_count; i++)
        if ((s->before & s->engine->waiting & ob_client_bit(i)) &&
            s->holders_before[i] != s->engine->holders[i])
            woken |= ob_client_bit(i);
    return woken;
}

static enum ob_result hold(struct ob_engine *engine, ob_client_set set, bool held,
                           struct ob_error *err)
{
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < engine->spec->client_count && result == OB_OK; i++) {
        if (!(set & ob_client_bit(i)))
            continue;
        result = engine->ports.hold(engine->ports.self, i, held, err);
        engine->held = held ? engine->held | ob_client_bit(i) : engine->held & ~ob_client_bit(i);
    }
    return result;
}

static void let_all_go_on(struct ob_engine *engine)
{
    struct ob_error ignored; /* who is gone cannot be let go on */
    ob_client_set held = engine->held;
    engine->held = 0;
    for (size_t i = 0; i < engine->spec->client_count; i++)
        if (held & ob_client_bit(i))
            (void)engine->ports.hold(engine->ports.self, i, false, &ignored);
}

/* Those of the held whom the server would let go on.  The others wait as before, if perhaps for
 * others. */
static enum ob_result ask_held(struct ob_engine *engine, ob_client_set *ready, struct ob_error *err)
{
    struct ob_waits waits;
    enum ob_result result = engine->ports.waits(engine->ports.self, engine->held, &waits, err);
    if (result != OB_OK)
        return result;
    *ready = engine->held & ~waits.blocked;
    for (size_t i = 0; i < engine->spec->client_count; i++)
        if (engine->held & waits.blocked & ob_client_bit(i))
            engine->holders[i] = waits.holders[i];
    return OB_OK;
}

static enum ob_settled let_go_on(struct settling *s, size_t client, struct ob_error *err)
{
    struct ob_engine *engine = s->engine;
    ob_client_set bit = ob_client_bit(client);
    if (hold(engine, bit, false, err) != OB_OK)
        return OB_SETTLE_FAILED;
    engine->waiting &= ~bit;
    s->moving = bit;
    s->seen_valid = s->must_ask = false;
    enum ob_settled settled = settle(s, err);
    if (settled == OB_SETTLED && (engine->waiting & bit) && hold(engine, bit, true, err) != OB_OK)
        return OB_SETTLE_FAILED;
    return settled;
}

/* One after the other: whoever goes on may set free others, and only the schedule says who of those
 * is next. */
static enum ob_settled let_go_on_in_turn(struct settling *s, struct ob_error *err)
{
    struct ob_engine *engine = s->engine;
    enum ob_settled settled = OB_SETTLED;
    while (settled == OB_SETTLED && engine->held != 0) {
        ob_client_set ready;
        if (ask_held(engine, &ready, err) != OB_OK)
            return OB_SETTLE_FAILED;
        if (ready == 0)
            break;
        size_t client = ob_engine_choose_wake(engine, ready);
        if (client == OB_NO_CLIENT)
            return OB_SETTLE_OVER;
        settled = let_go_on(s, client, err);
    }
    return settled;
}

static bool may_be_serializable(const struct ob_engine *engine, const struct ob_client *client)
{
    const struct ob_ports *ports = &engine->ports;
    return ports->serializable && ports->serializable(ports->self, client->index);
}

/* Whether the client's step may let several of those go on who are behind it, or one while it is
 * not yet done itself. */
static bool is_lot(const struct ob_engine *engine, const struct ob_client *client,
                   ob_client_set behind)
{
    bool several = (behind & (behind - 1)) != 0;
    return several || (behind != 0 && (client->op->goes_on || may_be_serializable(engine, client)));
}

/* Holds those whose order would be the server's choice. */
static enum ob_result hold_back(struct ob_engine *engine, const struct ob_client *client,
                                struct ob_error *err)
{
    ob_client_set behind = ob_settle_behind(engine, client->index);
    bool lot = is_lot(engine, client, behind);
    bool held = lot && engine->ports.hold && !engine->spec->server_timers;
    engine->by_lot = lot && !held;
    enum ob_result result = held ? hold(engine, behind, true, err) : OB_OK;
    if (result != OB_OK)
        let_all_go_on(engine);
    return result;
}

/* Settles what has been sent, with those held who would otherwise race each other. */
static enum ob_settled settle_in_turn(struct settling *s, struct ob_error *err)
{
    enum ob_settled settled = settle(s, err);
    if (settled == OB_SETTLED)
        settled = let_go_on_in_turn(s, err);
    let_all_go_on(s->engine);
    return settled;
}

/* A statement at its gate was armed when it was sent. */
static enum ob_result release(struct ob_engine *engine, struct ob_client *client,
                              struct ob_error *err)
{
    const struct ob_ports *ports = &engine->ports;
    bool gated = client->state == OB_CLIENT_GATED;
    enum ob_result result = gated ? OB_OK : arm(engine, client, err);
    if (result == OB_OK)
        result = hold_back(engine, client, err);
    if (result == OB_OK && gated)
        result = ports->pass_gate(ports->self, client->index, err);
    else if (result == OB_OK &&
             ports->send(ports->self, client->index, client->op, err) == OB_IO_FAILED)
        result = err->code;
    if (result == OB_OK)
        client->state = OB_CLIENT_FLYING;
    return result;
}

enum ob_settled ob_settle(struct ob_engine *engine, struct ob_client *client, ob_client_set *done,
                          struct ob_error *err)
{
    ob_client_set bit = ob_client_bit(client->index);
    struct settling s = {.engine = engine, .moving = bit | engine->loose, .done = done};
    s.loose = client->op->loose ? bit : 0;
    engine->loose = engine->gated = 0;
    *done = 0;
    s.before = engine->waiting | (s.moving & ~bit);
    memcpy(s.holders_before, engine->holders, sizeof s.holders_before);
    if (release(engine, client, err) != OB_OK) {
        let_all_go_on(engine);
        return OB_SETTLE_FAILED;
    }
    int64_t started_us = machine_us(engine);
    enum ob_settled settled = settle_in_turn(&s, err);
    engine->woken = woken_since(&s);
    engine->trace->settle_us += machine_us(engine) - started_us;
    return settled;
}

enum ob_settled ob_settle_await(struct ob_engine *engine, struct ob_client *client,
                                ob_client_set *done, struct ob_error *err)
{
    struct settling s = {.engine = engine, .moving = engine->loose, .done = done};
    s.moving |= ob_client_bit(client->index);
    s.began_us = machine_us(engine);
    engine->waiting &= ~ob_client_bit(client->index);
    engine->loose = 0;
    *done = 0;
    while (collect(&s, err) != OB_IO_FAILED) {
        if (*done != 0)
            return settle(&s, err);
        enum ob_settled in_time = mind_the_time(&s, machine_us(engine));
        if (in_time != OB_SETTLED)
            return in_time;
        engine->ports.wait(engine->ports.self, listened_to(&s), OB_ASK_MAX_US);
    }
    return OB_SETTLE_FAILED;
}

/* Waits until all of it has been answered, which a cancel request makes soon. */
static enum ob_result drain(struct settling *s, struct ob_error *err)
{
    struct ob_engine *engine = s->engine;
    int64_t limit_us = machine_us(engine) + OB_CANCEL_US;
    while (s->moving != 0) {
        if (collect(s, err) == OB_IO_FAILED)
            return err->code;
        if (s->moving != 0)
            engine->ports.wait(engine->ports.self, s->moving, OB_ASK_MAX_US);
        if (s->moving != 0 && machine_us(engine) > limit_us)
            return ob_error_set(err, OB_SERVER, "the server did not answer to a cancel request");
    }
    return OB_OK;
}

enum ob_result ob_settle_cancel(struct ob_engine *engine, struct ob_error *err)
{
    ob_client_set done = 0;
    struct settling s = {.engine = engine, .done = &done};
    for (size_t i = 0; i < engine->spec->client_count; i++) {
        struct ob_client *client = &engine->clients[i];
        if (client->state != OB_CLIENT_FLYING && client->state != OB_CLIENT_GATED)
            continue;
        s.moving |= ob_client_bit(i);
        engine->ports.cancel(engine->ports.self, i);
    }
    enum ob_result result = drain(&s, err);
    for (size_t i = 0; i < engine->spec->client_count; i++) {
        struct ob_client *client = &engine->clients[i];
        if (client->state == OB_CLIENT_ANSWERED && client->reply.native)
            engine->ports.discard(engine->ports.self, client->reply.native);
        client->reply = (struct ob_reply){0};
    }
    engine->waiting = 0;
    return result;
}
