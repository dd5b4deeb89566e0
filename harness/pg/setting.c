#include "pg/setting.h"

#include "base/alloc.h"
#include "pg/world_int.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What waits are settled by, and how victims, time and rows are kept in hand. */
static bool is_overbooks(const char *name)
{
    static const char *const names[] = {"client_min_messages",
                                        "deadlock_timeout",
                                        "idle_in_transaction_session_timeout",
                                        "idle_session_timeout",
                                        "lc_messages",
                                        "lock_timeout",
                                        "log_lock_waits",
                                        "options",
                                        "session_replication_role",
                                        "statement_timeout",
                                        "transaction_timeout"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return strncasecmp(name, "overbook.", sizeof "overbook." - 1) == 0;
}

static bool is_name(const char *name)
{
    bool good = isalpha((unsigned char)*name) || *name == '_';
    for (; *name != '\0'; name++)
        good = good && (isalnum((unsigned char)*name) || *name == '_' || *name == '.');
    return good;
}

/* The name; the caller's to free. */
static char *name_of(const char *setting)
{
    return ob_asprintf("%.*s", (int)strcspn(setting, "="), setting);
}

enum ob_result ob_pg_setting_check(const char *setting, struct ob_error *err)
{
    char *name = name_of(setting);
    enum ob_result result = OB_OK;
    if (!strchr(setting, '=') || !is_name(name)) {
        result = ob_error_set(err, OB_USAGE, "\"%s\" is no setting", setting);
        ob_error_hint(err, "Write NAME=VALUE, such as enable_seqscan=on.");
    } else if (is_overbooks(name)) {
        result = ob_error_set(err, OB_USAGE, "the setting %s is overbook's to decide on", name);
        ob_error_detail(err, "Runs are the same each time because of it.");
        ob_error_hint(err, "Leave it out.");
    }
    free(name);
    return result;
}

void ob_pg_setting_add(const char *setting, struct ob_buf *options)
{
    ob_buf_puts(options, " -c ");
    for (; *setting != '\0'; setting++) {
        if (isspace((unsigned char)*setting) || *setting == '\\')
            ob_buf_putc(options, '\\');
        ob_buf_putc(options, *setting);
    }
}

enum ob_result ob_pg_setting_try(PGconn *conn, const char *setting, struct ob_error *err)
{
    char *name = name_of(setting);
    const char *const values[] = {name, strchr(setting, '=') + 1};
    PGresult *set = PQexecParams(conn, "SELECT pg_catalog.set_config($1, $2, true)", 2, NULL,
                                 values, NULL, NULL, 0);
    enum ob_result result = OB_OK;
    if (PQresultStatus(set) != PGRES_TUPLES_OK)
        result = ob_pg_error(conn, set, "the server does not take the setting", err);
    PQclear(set);
    free(name);
    return result;
}
