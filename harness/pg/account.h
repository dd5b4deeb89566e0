/*
 * account.h - the user that the server's programs run as.
 *
 * PostgreSQL refuses to run as root.  When overbook is root, initdb and postgres run as "postgres",
 * or as "nobody" where there is no such user; otherwise they run as overbook itself.
 */
#ifndef OB_PG_ACCOUNT_H
#define OB_PG_ACCOUNT_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct ob_pg_account {
    uid_t uid;
    gid_t gid;
    bool other; /* not ourselves: we are root, and programs change to it */
    char name[64];
};

/* OB_SERVER when overbook is root and knows no user to run the server as. */
OB_MUSTCHECK enum ob_result ob_pg_account_find(struct ob_pg_account *out, struct ob_error *err);

/* Between these two the effective user is the account's, if it is another one: what root does to
 * the server's files and processes cannot then be turned against anything else, and a root
 * without CAP_SYS_PTRACE or CAP_SYS_ADMIN, as in containers, may look after processes and shared
 * memory of that user.  The change is of the whole process. */
void ob_pg_account_enter(const struct ob_pg_account *account);
void ob_pg_account_leave(const struct ob_pg_account *account);

/* In a forked child before its exec: becomes the account for good.  False, with errno, when it
 * may not. */
bool ob_pg_account_become(const struct ob_pg_account *account);

#endif
