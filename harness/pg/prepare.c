/* prepare.c - what is done on the clients' sessions before and after a run, past the engine. */
#include "pg/world_int.h"

#include "pg/interrupt.h"

#include <stdio.h>
#include <string.h>

#define PREPARE_LIMIT_US 30000000
#define PREPARE_LOOK_US 100000

enum ob_result ob_pg_world_prepare(struct ob_pg_world *world, size_t client, const char *sql,
                                   struct ob_error *err)
{
    struct ob_ports ports = ob_pg_world_ports(world);
    struct ob_pg_session *session = &world->sessions[client];
    const struct ob_op op = {.kind = OB_OP_QUERY, .text = sql};
    int64_t limit_us = ports.monotonic_us(world) + PREPARE_LIMIT_US;
    bool given_up = false;
    struct ob_reply reply = {0};
    enum ob_io io = ob_pg_session_send(world, client, &op, err);
    while (io == OB_IO_PENDING && !given_up &&
           (io = ob_pg_session_poll(world, client, &reply, err)) == OB_IO_PENDING) {
        ob_pg_session_wait(world, (ob_client_set)1 << client, PREPARE_LOOK_US);
        if (ob_pg_interrupted() || ports.monotonic_us(world) > limit_us)
            ob_pg_session_cancel(world, client);
        given_up = ports.monotonic_us(world) > limit_us + PREPARE_LIMIT_US;
    }
    if (io == OB_IO_PENDING)
        return ob_error_set(err, OB_SERVER, "the setup of session \"%s\" does not end",
                            world->client_names[client]);
    if (io == OB_IO_FAILED)
        return err->code;
    session->deadlock = session->deadlock_outside = OB_PG_DEADLOCK_UNKNOWN;
    enum ob_result result = OB_OK;
    if (reply.status != OB_REPLY_DONE || strcmp(reply.sqlstate, "00000") != 0) {
        result = ob_error_set(err, OB_SQL, "the setup of session \"%s\" failed",
                              world->client_names[client]);
        ob_error_detail(err, "%s", reply.message ? reply.message : "the session was lost");
        ob_error_hint(err, "Try it with \"overbook spec\".");
        snprintf(err->sqlstate, sizeof err->sqlstate, "%s", reply.sqlstate);
        if (ob_pg_interrupted())
            result = ob_error_set(err, OB_INTERRUPTED, "interrupted");
    }
    PQclear(reply.native);
    return result;
}

void ob_pg_world_roll_back(struct ob_pg_world *world)
{
    struct ob_error ignored;
    for (size_t i = 0; i < world->session_count; i++)
        (void)ob_pg_session_roll_back(world, i, &ignored);
}
