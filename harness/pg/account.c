#include "pg/account.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum ob_result ob_pg_account_find(struct ob_pg_account *out, struct ob_error *err)
{
    static const char *const names[] = {"postgres", "nobody"};

    if (geteuid() != 0) {
        *out = (struct ob_pg_account){.uid = geteuid(), .gid = getegid()};
        return OB_OK;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct passwd *entry = getpwnam(names[i]);
        if (entry != NULL && entry->pw_uid != 0) {
            *out =
                (struct ob_pg_account){.uid = entry->pw_uid, .gid = entry->pw_gid, .other = true};
            snprintf(out->name, sizeof out->name, "%s", names[i]);
            return OB_OK;
        }
    }
    ob_error_set(err, OB_SERVER, "found no user to run the PostgreSQL server as");
    ob_error_detail(err, "PostgreSQL does not run as root, and neither \"postgres\" nor \"nobody\" "
                         "is a user of this system.");
    ob_error_hint(err, "Run overbook as an ordinary user, or create the user postgres.");
    return OB_SERVER;
}

void ob_pg_account_enter(const struct ob_pg_account *account)
{
    if (!account->other)
        return;
    int failed = setegid(account->gid) || seteuid(account->uid);
    assert(!failed);
}

void ob_pg_account_leave(const struct ob_pg_account *account)
{
    if (!account->other)
        return;
    int failed = seteuid(0) || setegid(0);
    assert(!failed);
    /* The kernel withdraws this flag whenever the effective user changes; debuggers and the leak
     * sanitizer need it. */
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

bool ob_pg_account_become(const struct ob_pg_account *account)
{
    if (!account->other)
        return true;
    return setgroups(1, &account->gid) == 0 &&
           setresgid(account->gid, account->gid, account->gid) == 0 &&
           setresuid(account->uid, account->uid, account->uid) == 0;
}
