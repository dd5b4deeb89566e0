/*
 * footprint.c - what a client's operation touches, as the probe tells in notices
 * (probe/overbook_probe.c has their text).
 */
#include "pg/world_int.h"

#include <string.h>

#define FOOTPRINT_SQLSTATE "OBF01"
#define TOUCH_SIZE_MAX 300 /* of a line; longer ones, which no name makes, are not understood */

void ob_pg_footprint_begin(const struct ob_pg_world *world, struct ob_pg_session *session)
{
    ob_footprint_reset(&session->footprint);
    session->footprint.known = world->tells;
    session->told = session->several = false;
}

static unsigned ways_of(char letter)
{
    switch (letter) {
    case 'R':
        return OB_TOUCH_READ;
    case 'S':
        return OB_TOUCH_SHARE;
    case 'W':
        return OB_TOUCH_WRITE;
    case 'N':
        return OB_TOUCH_NOW;
    default:
        return 0;
    }
}

/* "W public.bookings"; what is not understood may be anything. */
static void add_touch(struct ob_footprint *footprint, const char *line, size_t size)
{
    char name[TOUCH_SIZE_MAX];
    unsigned ways = ways_of(line[0]);
    if (ways == 0 || size < 3 || line[1] != ' ' || size - 2 >= sizeof name) {
        footprint->known = false;
        return;
    }
    memcpy(name, line + 2, size - 2);
    name[size - 2] = '\0';
    ob_footprint_add(footprint, ob_resource(name), ways);
}

static enum ob_level level_of(char letter)
{
    if (letter == 'c')
        return OB_LEVEL_STATEMENT;
    return letter == 'r' ? OB_LEVEL_TRANSACTION : OB_LEVEL_SERIALIZABLE;
}

bool ob_pg_footprint_receive(struct ob_pg_session *session, const PGresult *notice)
{
    struct ob_footprint *footprint = &session->footprint;
    const char *state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    if (!state || !text || strcmp(state, FOOTPRINT_SQLSTATE) != 0)
        return false;
    session->told = true;
    if (level_of(text[0]) > footprint->level)
        footprint->level = level_of(text[0]);
    for (const char *end = strchr(text, '\n'); end;) {
        const char *line = end + 1;
        end = strchr(line, '\n');
        add_touch(footprint, line, end ? (size_t)(end - line) : strlen(line));
    }
    return true;
}

/* What fails before it is executed has told nothing, and may have waited for the lock of a table.
 * In a transaction that has failed nothing is touched. */
void ob_pg_footprint_end(struct ob_pg_session *session, const char *sqlstate)
{
    bool failed = strcmp(sqlstate, "00000") != 0 && strcmp(sqlstate, "25P02") != 0;
    if (failed && (!session->told || session->several))
        session->footprint.known = false;
}

const struct ob_footprint *ob_pg_session_footprint(void *self, size_t client)
{
    struct ob_pg_world *world = self;
    return &world->sessions[client].footprint;
}
