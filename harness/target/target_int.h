/*
 * target_int.h - what the files behind target.h share.
 *
 *   target.c     putting the pieces together
 *   sql.c        target "sql": statements written in the scenario
 *   spec.c       target "spec": the sessions of an isolation spec (spec_program.h)
 *   reference.c  target "reference": the booking flow in process (reference_int.h)
 *   gated.c      the booking flow's database session and payment provider, step by step
 */
#ifndef OB_TARGET_TARGET_INT_H
#define OB_TARGET_TARGET_INT_H

#include "fault/fault.h"
#include "pg/world.h"
#include "target/target.h"

/* The clock's sequence of the sql target, read by overbook.now(). */
#define OB_TARGET_CLOCK "overbook.clock"

/* One way of being a target.  self is made by new and owned by the target. */
struct ob_target_ops {
    const char *clock; /* qualified name of the clock's sequence */
    bool keeps_session_state;
    bool (*exact)(const struct ob_target *target); /* clients may do anything: pg/world.h */
    /* Names of clients that this target races beside the scenario's own. May be NULL. */
    size_t (*extra_clients)(const struct ob_scenario *scenario, const char **names);
    /* As ob_target_schema and ob_target_fill; NULL: there is none. */
    const char *(*schema)(const struct ob_scenario *scenario, size_t variant);
    enum ob_result (*fill)(const struct ob_scenario *scenario, size_t variant, PGconn *conn,
                           struct ob_error *err);
    /* Fills the database, and the bodies and arguments of the clients. */
    enum ob_result (*install)(struct ob_target *target, PGconn *conn, void **self,
                              struct ob_error *err);
    void (*begin)(void *self); /* before each run; may be NULL */
    /* As the rig's (explore/rig.h).  May be NULL. */
    size_t (*parts)(void *self, size_t client, struct ob_part **out);
    /* After each reset; may be NULL. */
    enum ob_result (*prepare)(void *self, struct ob_pg_world *world, struct ob_error *err);
    void (*finish)(void *self, struct ob_trace *trace); /* adds to the history; may be NULL */
    void (*free)(void *self);
};

extern const struct ob_target_ops ob_target_sql, ob_target_reference, ob_target_spec;

/* Of a target whose clients always may. */
bool ob_target_is_exact(const struct ob_target *target);

/* Makes overbook.now() and its clock (OB_TARGET_CLOCK), which then says start_us.  sql.c */
OB_MUSTCHECK enum ob_result ob_target_set_clock_up(struct ob_target *target, PGconn *conn,
                                                   struct ob_error *err);
/* Runs a setup, and writes it down where that is wanted; whose is whose it is, for messages.
 * sql.c */
OB_MUSTCHECK enum ob_result ob_target_set_up(struct ob_target *target, PGconn *conn,
                                             const char *sql, const char *whose,
                                             struct ob_error *err);

struct ob_target {
    const struct ob_target_ops *ops;
    const struct ob_scenario *scenario;
    size_t variant;
    const struct ob_target_options *options; /* borrowed while it is opened */
    void *self;                              /* the kind's own */
    int64_t start_us; /* virtual time at which runs start: the scenario's, or when what is given has
                         been done */
    struct ob_pg_world *world;
    struct ob_query_port query; /* of the world; the check keeps a pointer to it */
    struct ob_faults *faults;
    struct ob_check_item *items; /* the scenario's invariants, then what runs are to reach */
    size_t item_count;
    struct ob_rig rig;

    /* The racing clients: those of the scenario that take part in the variant, then the extra ones.
     */
    struct ob_run_client clients[OB_CLIENTS_MAX];
    const char *names[OB_CLIENTS_MAX];
    size_t scenario_index[OB_CLIENTS_MAX]; /* of each one's struct ob_scenario_client */
    size_t client_count, own_count;        /* all; the scenario's own */
};

#endif
