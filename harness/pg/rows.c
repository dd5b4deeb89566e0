#include "pg/rows.h"

#include "base/digest.h"

#include <stdbool.h>
#include <stdlib.h>

static bool is_transaction_id(Oid type)
{
    enum { TID = 27, XID = 28, CID = 29, XID8 = 5069 }; /* pg_type.dat */
    return type == TID || type == XID || type == CID || type == XID8;
}

uint64_t ob_pg_rows_digest(const PGresult *result)
{
    int column_count = PQnfields(result);
    uint64_t sum = 0;
    for (int row = 0; row < PQntuples(result); row++) {
        uint64_t hash = OB_HASH_START;
        for (int column = 0; column < column_count; column++) {
            if (is_transaction_id(PQftype(result, column)))
                continue;
            bool null = PQgetisnull(result, row, column);
            hash = ob_hash_u64(hash, null);
            hash = ob_hash_bytes(hash, PQgetvalue(result, row, column),
                                 (size_t)PQgetlength(result, row, column));
        }
        sum += ob_hash_end(hash);
    }
    return sum;
}

uint32_t ob_pg_rows_count(const PGresult *result)
{
    PGresult *affected = (PGresult *)result; /* libpq does not say that it only reads */
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        return (uint32_t)PQntuples(result);
    return (uint32_t)strtoul(PQcmdTuples(affected), NULL, 10);
}
