/* tell.c - what a client's statement has touched, and telling the client of it. */
#include "probe_int.h"

#include <access/xact.h>
#include <lib/stringinfo.h>
#undef ENABLE_GSS /* of struct Port, which is not used here: it wants a header of its own */
#include <libpq/libpq.h>
#include <libpq/pqformat.h>
#include <utils/memutils.h>

#define FOOTPRINT_SQLSTATE "OBF01"
#define ADVISORY_LOCKS "advisory locks"

/* What a client's statement has touched. */
static struct {
    MemoryContext memory; /* of the rest */
    List *touches;        /* lines, each once */
    StringInfo news;      /* those not yet sent; NULL: none */
    bool sent;            /* anything at all: the level is known */
} told;

/* Expressions of PL/pgSQL are kept ready until the transaction ends, and used again without a word:
 * what one of them was found to touch, all of the transaction's later statements may. */
static struct {
    bool anything, advisory;
} lasting;

void ob_tell_init(void)
{
    told.memory =
        AllocSetContextCreate(TopMemoryContext, "overbook footprint", ALLOCSET_SMALL_SIZES);
}

static char level(void)
{
    if (XactIsoLevel == XACT_SERIALIZABLE)
        return 's';
    return XactIsoLevel == XACT_REPEATABLE_READ ? 'r' : 'c';
}

void ob_tell_add(char way, const char *name)
{
    ListCell *cell;
    char *line;
    MemoryContext before = MemoryContextSwitchTo(told.memory);

    /* A name of several lines cannot be told. */
    if (name == NULL || strchr(name, '\n') != NULL)
        line = pstrdup("?");
    else
        line = psprintf("%c %s", way, name);
    foreach (cell, told.touches)
        if (strcmp(lfirst(cell), line) == 0)
            break;
    if (cell == NULL) {
        told.touches = lappend(told.touches, line);
        if (told.news == NULL)
            told.news = makeStringInfo();
        appendStringInfo(told.news, "\n%s", line);
    }
    MemoryContextSwitchTo(before);
}

void ob_tell_add_anything(void)
{
    ob_tell_add('?', NULL);
}

static void send_field(StringInfo message, char field, const char *text)
{
    pq_sendbyte(message, (uint8)field);
    pq_sendstring(message, text);
}

void ob_tell(const char *sqlstate, const char *text)
{
    StringInfoData message;

    pq_beginmessage(&message, 'N');
    send_field(&message, PG_DIAG_SEVERITY, "LOG");
    send_field(&message, PG_DIAG_SEVERITY_NONLOCALIZED, "LOG");
    send_field(&message, PG_DIAG_SQLSTATE, sqlstate);
    send_field(&message, PG_DIAG_MESSAGE_PRIMARY, text);
    pq_sendbyte(&message, '\0');
    pq_endmessage(&message);
    pq_flush();
}

/* From REPEATABLE READ on also a statement that touches nothing tells its level: it may be the one
 * that takes the snapshot. */
void ob_tell_send(bool lonely)
{
    char *text;

    if (told.news == NULL && (!lonely || told.sent || level() == 'c'))
        return;
    text = psprintf("%c%s", level(), told.news != NULL ? told.news->data : "");
    told.news = NULL;
    told.sent = true;
    ob_tell(FOOTPRINT_SQLSTATE, text);
    pfree(text);
}

void ob_tell_begin(void)
{
    MemoryContextReset(told.memory);
    told.touches = NIL;
    told.news = NULL;
    told.sent = false;
    if (lasting.anything)
        ob_tell_add_anything();
    if (lasting.advisory)
        ob_tell_add_advisory_locks();
}

void ob_tell_add_advisory_locks(void)
{
    ob_tell_add('N', ADVISORY_LOCKS);
}

void ob_tell_add_lasting(char way)
{
    lasting.anything |= way == '?';
    lasting.advisory |= way == 'N';
}

void ob_tell_end_transaction(void)
{
    lasting.anything = lasting.advisory = false;
}
