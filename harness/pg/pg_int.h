/*
 * pg_int.h - what the two sides of the keeper's socket share: keeper.c, in the opener's process,
 * and keep.c, in the keeper's.
 *
 * The socket is of type SEQPACKET.  The keeper begins with an offer.  From then on the opener sends
 * the argv of a program, its strings one after the other, and the keeper messages of a kind and a
 * number.  When the opener shuts its side down, or is no more, the keeper ends.
 */
#ifndef OB_PG_INT_H
#define OB_PG_INT_H

#include "base/error.h"
#include "pg/account.h"

#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#define OB_PG_KEEP_ARGC_MAX 64

enum ob_pg_message_kind { OB_PG_STARTED = 1, OB_PG_ENDED, OB_PG_GONE };

struct ob_pg_message {
    int32_t kind;
    int32_t value; /* a pid or -errno; a status of waitpid(); 1 when all is gone */
};

/* The keeper's first message: the home that it has made, whose lock comes with it, or why it has
 * not. */
struct ob_pg_offer {
    enum ob_result result;
    struct ob_error err;
    struct ob_pg_account account;
    char path[sizeof(struct sockaddr_un)]; /* holds the socket's path as well, so it is shorter */
};

/* The keeper's process: makes a home, keeps it, and leaves.  fd is its end of the socket, opener
 * the process at the other. */
_Noreturn void ob_pg_keep(int fd, pid_t opener);

#endif
