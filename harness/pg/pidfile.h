/*
 * pidfile.h - what postmaster.pid says, and the System V segment it names.
 *
 * Its lines (miscadmin.h): pid, data directory, start time, port, socket directory, listen address,
 * "key id" of the shared memory, and the status, "ready" once connections are taken.
 */
#ifndef OB_PG_PIDFILE_H
#define OB_PG_PIDFILE_H

#include <stdbool.h>
#include <sys/types.h>

struct ob_pg_pidfile {
    pid_t pid;
    int shm_id; /* -1: not written yet */
    bool ready;
};

/* False when data holds no postmaster.pid or one without a pid; it may be half written. */
bool ob_pg_pidfile_read(const char *data, struct ob_pg_pidfile *out);
bool ob_pg_pidfile_parse(const char *text, struct ob_pg_pidfile *out);

/* Removes the segment if it still is there, nobody is attached to it and it is the effective
 * user's. False when it is left. */
bool ob_pg_pidfile_remove_segment(const struct ob_pg_pidfile *pidfile);

#endif
