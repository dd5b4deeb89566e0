#include "repro/anomaly.h"

#include "base/sql.h"

#include <string.h>
#include <strings.h>

#define WROTE (OB_TOUCH_WRITE | OB_TOUCH_ADD)
#define LOCKED (OB_TOUCH_WRITE | OB_TOUCH_SHARE | OB_TOUCH_NOW)

const char *ob_edge_word(enum ob_edge_kind kind)
{
    static const char *const words[] = {
        [OB_EDGE_RW] = "rw", [OB_EDGE_WR] = "wr", [OB_EDGE_WW] = "ww", [OB_EDGE_OTHER] = "order"};
    return words[kind];
}

/* --- by words */

static bool is_word(const char *text, const char *word)
{
    enum ob_lexeme kind;
    size_t size = ob_sql_lexeme(text, &kind);
    return kind == OB_LEX_WORD && size == strlen(word) && strncasecmp(text, word, size) == 0;
}

static bool begins_with(const char *text, const char *word)
{
    enum ob_lexeme kind;
    size_t size = ob_sql_lexeme(text, &kind);
    while (size > 0 && (kind == OB_LEX_SPACE || kind == OB_LEX_COMMENT || *text == '(')) {
        text += size;
        size = ob_sql_lexeme(text, &kind);
    }
    return size > 0 && is_word(text, word);
}

static bool begins_with_one(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (begins_with(text, words[i]))
            return true;
    return false;
}

/* Locks rows as SELECT does, and not as in substring(x FOR 3); or changes some, at its beginning
 * or in WITH. */
static bool locks_or_changes(const char *text)
{
    static const char *const locks[] = {"update", "share", "no", "key"};
    static const char *const changes[] = {"insert", "update", "delete", "merge"};
    enum ob_lexeme kind;
    if (begins_with_one(text, changes, sizeof changes / sizeof *changes))
        return true;
    for (size_t size; (size = ob_sql_lexeme(text, &kind)) > 0; text += size) {
        if ((*text == '(' || *text == ')') &&
            begins_with_one(text + size, changes, sizeof changes / sizeof *changes))
            return true;
        if (is_word(text, "for") &&
            begins_with_one(text + size, locks, sizeof locks / sizeof *locks))
            return true;
    }
    return false;
}

static bool is_sql(const struct ob_step *step)
{
    return step->kind == OB_OP_STATEMENT || step->kind == OB_OP_QUERY;
}

static bool only_reads(const struct ob_step *step)
{
    return is_sql(step) && (begins_with(step->text, "select") || begins_with(step->text, "with")) &&
           !locks_or_changes(step->text);
}

static bool writes(const struct ob_step *step)
{
    return step->kind == OB_OP_COMMIT || (is_sql(step) && locks_or_changes(step->text));
}

static enum ob_edge_kind kind_by_words(const struct ob_step *from, const struct ob_step *to)
{
    if (only_reads(from) && writes(to))
        return OB_EDGE_RW;
    if (writes(from) && only_reads(to))
        return OB_EDGE_WR;
    return writes(from) && writes(to) ? OB_EDGE_WW : OB_EDGE_OTHER;
}

static const char *name_by_words(const struct ob_trace *trace, const struct ob_edge *edge,
                                 const struct ob_edge *back)
{
    const char *text = trace->steps[edge->to].text, *other = trace->steps[back->to].text;
    if (edge->kind != OB_EDGE_RW || back->kind != OB_EDGE_RW)
        return "";
    if (begins_with(text, "insert") && begins_with(other, "insert"))
        return "phantom";
    if (begins_with(text, "update") && begins_with(other, "update"))
        return strcmp(text, other) == 0 ? "lost update" : "write skew";
    return "";
}

/* --- accesses */

/* One end of an edge: the operation, or all of its transaction. */
struct side {
    const struct ob_access *access;
    bool whole;
};

static const struct ob_access_transaction *within(const struct ob_facts *facts,
                                                  const struct ob_access *access)
{
    return &facts->accesses->transactions[access->transaction];
}

/* A commit stands for what its transaction did, and so does what took its snapshot for what it
 * reads by that. */
static struct side side_of(const struct ob_facts *facts, size_t step)
{
    const struct ob_accesses *accesses = facts->accesses;
    struct side side = {ob_access_at(accesses, facts->trace->steps[step].client, step), false};
    if (side.access) {
        const struct ob_access_transaction *transaction = within(facts, side.access);
        bool snapshot = transaction->level != OB_LEVEL_STATEMENT &&
                        transaction->snapshot == side.access->released;
        side.whole = side.access->ends || snapshot;
    }
    return side;
}

static bool belongs(const struct side *side, const struct ob_access *access)
{
    return access->touches && (access == side->access ||
                               (side->whole && access->transaction == side->access->transaction));
}

static unsigned plain(unsigned ways)
{
    return ways & ((1u << OB_TOUCH_WITHIN) - 1);
}

static unsigned all(unsigned ways)
{
    return plain(ways) | plain(ways >> OB_TOUCH_WITHIN);
}

/* The first resource that a touches in one of those ways and b in those, not both of them only
 * within. */
static bool share(const struct ob_access *a, unsigned a_ways, const struct ob_access *b,
                  unsigned b_ways, const struct ob_versions *named, uint64_t *out)
{
    bool found = false;
    for (size_t i = 0; i < a->touches->count; i++)
        for (size_t k = 0; k < b->touches->count; k++) {
            const struct ob_touch *x = &a->touches->touches[i], *y = &b->touches->touches[k];
            bool meet = x->resource == y->resource && (all(x->ways) & a_ways) &&
                        (all(y->ways) & b_ways) &&
                        ((plain(x->ways) & a_ways) || (plain(y->ways) & b_ways));
            if (meet && (!found || ob_versions_table(named, x->resource) != OB_NO_TABLE))
                *out = x->resource;
            found |= meet;
        }
    return found;
}

/* Whether the transaction of the access changed the resource, as far as that was looked at:
 * locking a table's rows changes none. */
static bool changed(const struct ob_facts *facts, const struct ob_access *access, uint64_t resource,
                    enum ob_basis *basis)
{
    size_t published = within(facts, access)->published;
    bool looked =
        facts->versions->known && ob_versions_table(facts->versions, resource) != OB_NO_TABLE;
    if (published == OB_NEVER)
        return false;
    if (looked && !ob_versions_find(facts->versions, published, resource))
        return false;
    *basis = looked ? OB_BASIS_ROWS : OB_BASIS_TABLES;
    return true;
}

/* Looks for a read on one side and a write on the other; later: the snapshot is later than the
 * write's commit. */
static bool find_read(const struct ob_facts *facts, const struct side *reader,
                      const struct side *writer, bool later, struct ob_edge *edge)
{
    const struct ob_accesses *accesses = facts->accesses;
    for (size_t i = 0; i < accesses->count; i++) {
        const struct ob_access *read = &accesses->items[i];
        for (size_t k = 0; belongs(reader, read) && k < accesses->count; k++) {
            const struct ob_access *write = &accesses->items[k];
            enum ob_basis basis;
            uint64_t resource;
            if (!belongs(writer, write) ||
                !share(read, OB_TOUCH_READ, write, WROTE, facts->versions, &resource) ||
                !changed(facts, write, resource, &basis))
                continue;
            size_t published = within(facts, write)->published;
            if ((ob_access_snapshot(accesses, read) > published) != later)
                continue;
            edge->basis = basis;
            edge->resource = resource;
            return true;
        }
    }
    return false;
}

static bool find_writes(const struct ob_facts *facts, const struct side *first,
                        const struct side *second, struct ob_edge *edge)
{
    const struct ob_accesses *accesses = facts->accesses;
    const unsigned ways = LOCKED | OB_TOUCH_ADD;
    for (size_t i = 0; i < accesses->count; i++)
        for (size_t k = 0; belongs(first, &accesses->items[i]) && k < accesses->count; k++) {
            const struct ob_access *a = &accesses->items[i], *b = &accesses->items[k];
            if (!belongs(second, b) || !share(a, ways, b, ways, facts->versions, &edge->resource))
                continue;
            edge->basis = OB_BASIS_TABLES;
            return true;
        }
    return false;
}

void ob_edge_explain(const struct ob_facts *facts, struct ob_edge *edge)
{
    const struct ob_trace *trace = facts->trace;
    const struct side from = side_of(facts, edge->from), to = side_of(facts, edge->to);
    edge->kind = OB_EDGE_OTHER;
    edge->basis = OB_BASIS_NONE;
    edge->resource = 0;
    if (!facts->accesses->known) {
        edge->kind = kind_by_words(&trace->steps[edge->from], &trace->steps[edge->to]);
        edge->basis = edge->kind == OB_EDGE_OTHER ? OB_BASIS_NONE : OB_BASIS_WORDS;
    } else if (from.access && to.access) {
        if (find_read(facts, &from, &to, false, edge))
            edge->kind = OB_EDGE_RW;
        else if (find_read(facts, &to, &from, true, edge))
            edge->kind = OB_EDGE_WR;
        else if (find_writes(facts, &from, &to, edge))
            edge->kind = OB_EDGE_WW;
    }
}

/* --- names */

/* What the client of the first step replaced of what the second step's client had made of the
 * resource after the first one's snapshot. */
static bool loses_update(const struct ob_facts *facts, const struct ob_edge *edge)
{
    const struct side reader = side_of(facts, edge->from), writer = side_of(facts, edge->to);
    if (edge->basis != OB_BASIS_ROWS)
        return false;
    size_t published = within(facts, writer.access)->published;
    const struct ob_change *theirs = ob_versions_find(facts->versions, published, edge->resource);
    for (size_t i = 0; theirs->removed > 0 && i < facts->accesses->transaction_count; i++) {
        const struct ob_access_transaction *mine = &facts->accesses->transactions[i];
        if (mine->client != reader.access->client || mine->published == OB_NEVER ||
            mine->published <= published)
            continue;
        const struct ob_change *change =
            ob_versions_find(facts->versions, mine->published, edge->resource);
        for (size_t k = 0; change && k < change->over_count; k++)
            if (change->over[k] == published)
                return true;
    }
    return false;
}

/* Of rows that were declared: both change the same one. */
static bool loses_declared(const struct ob_facts *facts, const struct ob_edge *edge,
                           const struct ob_edge *back)
{
    bool row = edge->basis == OB_BASIS_TABLES && edge->resource == back->resource;
    return row && ob_versions_table(facts->versions, edge->resource) == OB_NO_TABLE;
}

/* Nothing was replaced by what it missed: rows came. */
static bool missed_addition(const struct ob_facts *facts, const struct ob_edge *edge)
{
    const struct side writer = side_of(facts, edge->to);
    const struct ob_change *change =
        ob_versions_find(facts->versions, within(facts, writer.access)->published, edge->resource);
    return change && change->added > 0 && change->removed == 0;
}

/* A read, by an access of that transaction, of what the edge is about. */
static bool reads_behind(const struct ob_facts *facts, const struct ob_access *lock,
                         uint64_t resource)
{
    const struct ob_accesses *accesses = facts->accesses;
    for (size_t i = 0; i < accesses->count; i++) {
        const struct ob_access *read = &accesses->items[i];
        if (read->transaction != lock->transaction || !read->touches || read->done == OB_NEVER ||
            (read != lock && read->released < lock->done))
            continue;
        for (size_t k = 0; k < read->touches->count; k++)
            if (read->touches->touches[k].resource == resource &&
                (all(read->touches->touches[k].ways) & OB_TOUCH_READ))
                return true;
    }
    return false;
}

/* Whether two who lock the same keep each other out: two who only share it do not, as with the keys
 * of a parent. */
static bool keep_out(const struct ob_access *a, const struct ob_access *b,
                     const struct ob_versions *named, uint64_t *out)
{
    const unsigned alone = OB_TOUCH_WRITE | OB_TOUCH_NOW;
    return share(a, LOCKED, b, alone, named, out) || share(a, alone, b, LOCKED, named, out);
}

/* Whether the other transaction held that lock too: it had touched the same, and only then made
 * visible what it wrote. */
static bool guards(const struct ob_facts *facts, const struct ob_access *lock, size_t transaction,
                   uint64_t resource)
{
    const struct ob_accesses *accesses = facts->accesses;
    for (size_t i = 0; i < accesses->count; i++) {
        const struct ob_access *other = &accesses->items[i];
        uint64_t locked;
        enum ob_basis ignored;
        if (other->transaction != transaction || !other->touches ||
            !keep_out(lock, other, facts->versions, &locked))
            continue;
        /* Without a wait what it wrote could pass for a lock. */
        if (lock->waited || (locked != resource && !changed(facts, lock, locked, &ignored)))
            return true;
    }
    return false;
}

bool ob_edge_is_stale(const struct ob_facts *facts, const struct ob_edge *edge,
                      struct ob_stale *out)
{
    const struct ob_accesses *accesses = facts->accesses;
    const struct side reader = side_of(facts, edge->from), writer = side_of(facts, edge->to);
    if (edge->kind != OB_EDGE_RW || edge->basis < OB_BASIS_TABLES)
        return false;
    size_t published = within(facts, writer.access)->published;
    size_t snapshot = ob_access_snapshot(accesses, reader.access);
    for (size_t i = 0; i < accesses->count; i++) {
        const struct ob_access *lock = &accesses->items[i];
        if (lock->transaction != reader.access->transaction || !lock->touches ||
            lock->done < published || ob_access_snapshot(accesses, lock) != snapshot)
            continue;
        if (!guards(facts, lock, writer.access->transaction, edge->resource) ||
            !reads_behind(facts, lock, edge->resource))
            continue;
        *out = (struct ob_stale){snapshot, published, lock->done, lock->waited};
        return true;
    }
    return false;
}

static const char *name_of(const struct ob_facts *facts, const struct ob_edge *edge,
                           const struct ob_edge *back)
{
    bool reads = edge->kind == OB_EDGE_RW, read_back = back->kind == OB_EDGE_RW;
    if ((reads && loses_update(facts, edge)) || (read_back && loses_update(facts, back)))
        return "lost update";
    if (!reads || !read_back)
        return "";
    if (loses_declared(facts, edge, back))
        return "lost update";
    if (edge->basis != OB_BASIS_ROWS || back->basis != OB_BASIS_ROWS)
        return "";
    return missed_addition(facts, edge) || missed_addition(facts, back) ? "phantom" : "write skew";
}

const char *ob_anomaly_of(const struct ob_facts *facts, const struct ob_edge *edge,
                          const struct ob_edge *back, bool *words)
{
    struct ob_stale stale;
    *words = false;
    if (ob_edge_is_stale(facts, edge, &stale) || (back && ob_edge_is_stale(facts, back, &stale)))
        return "stale read behind a lock";
    const char *name = back ? name_of(facts, edge, back) : "";
    if (!*name && back && (!facts->accesses->known || !facts->versions->known)) {
        name = name_by_words(facts->trace, edge, back);
        *words = *name != '\0';
    }
    return name;
}
