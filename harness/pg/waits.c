#include "pg/waits.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

const char *ob_pg_waits_pids(const int *pids, size_t count, ob_client_set clients,
                             char text[OB_PG_PIDS_SIZE])
{
    size_t size = 0;
    text[size++] = '{';
    for (size_t i = 0; i < count; i++)
        if (clients & ((ob_client_set)1 << i))
            size += (size_t)snprintf(text + size, OB_PG_PIDS_SIZE - size, "%s%d",
                                     size > 1 ? "," : "", pids[i]);
    snprintf(text + size, OB_PG_PIDS_SIZE - size, "}");
    return text;
}

static size_t client_of(const int *pids, size_t count, long pid)
{
    for (size_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return i;
    return OB_NO_CLIENT;
}

void ob_pg_waits_read(const PGresult *result, const int *pids, size_t count,
                      enum ob_pg_holders holders, struct ob_waits *out)
{
    *out = (struct ob_waits){0};
    for (int row = 0; row < PQntuples(result); row++) {
        size_t client = client_of(pids, count, strtol(PQgetvalue(result, row, 0), NULL, 10));
        assert(client != OB_NO_CLIENT);
        out->blocked |= (ob_client_set)1 << client;
        const char *at = PQgetvalue(result, row, 1); /* "{12,34}"; 0 is a prepared transaction */
        while (*at != '\0') {
            char *end;
            long pid = strtol(at, &end, 10);
            if (end == at) {
                at++;
                continue;
            }
            at = end;
            size_t holder = client_of(pids, count, pid);
            if (holder != OB_NO_CLIENT)
                out->holders[client] |= (ob_client_set)1 << holder;
            else if (pid != 0 || holders == OB_PG_CLIENT_HOLDERS)
                out->foreign |= (ob_client_set)1 << client;
        }
        if (holders == OB_PG_CLIENT_HOLDERS && out->holders[client] != 0)
            out->foreign &= ~((ob_client_set)1 << client);
    }
}
