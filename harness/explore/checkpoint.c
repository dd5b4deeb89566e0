#include "explore/checkpoint.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

void ob_checkpoint_init(struct ob_checkpoint *checkpoint, struct ob_journal *journal,
                        struct ob_strategy *strategy)
{
    *checkpoint = (struct ob_checkpoint){.journal = journal, .strategy = strategy};
    ob_record_init(&checkpoint->record, ob_strategy_chooser(strategy));
    ob_buf_init(&checkpoint->bytes, OB_JOURNAL_RECORD_MAX);
    ob_trace_init(&checkpoint->trace);
}

void ob_checkpoint_clear(struct ob_checkpoint *checkpoint)
{
    ob_record_clear(&checkpoint->record);
    ob_buf_clear(&checkpoint->bytes);
    ob_trace_clear(&checkpoint->trace);
    free(checkpoint->written);
}

struct ob_chooser ob_checkpoint_chooser(struct ob_checkpoint *checkpoint)
{
    return ob_record_chooser(&checkpoint->record);
}

/* --- what a run came to */

static void pack_note(const struct ob_note *note, struct ob_buf *out)
{
    ob_pack_u64(out, note->next);
    ob_pack_u64(out, (uint64_t)note->spent_us);
    ob_pack_u64(out, note->counts);
    ob_pack_u64(out, note->end);
    ob_pack_u64(out, note->steps);
    ob_pack_u64(out, note->uncontrolled);
    ob_pack_u64(out, note->outcome);
    ob_pack_u64(out, note->reached);
    ob_pack_u64(out, note->trace);
    ob_pack_text(out, note->why);
}

static void unpack_note(struct ob_unpack *in, struct ob_arena *arena, struct ob_note *out)
{
    *out = (struct ob_note){0};
    out->next = ob_unpack_u64(in);
    out->spent_us = (int64_t)(ob_unpack_u64(in) & INT64_MAX);
    out->counts = (enum ob_counts)ob_unpack_below(in, OB_COUNTS_SEEN + 1);
    out->end = (enum ob_run_end)ob_unpack_below(in, OB_RUN_UNCHECKED + 1);
    out->steps = ob_unpack_u64(in);
    out->uncontrolled = ob_unpack_u64(in) != 0;
    out->outcome = ob_unpack_u64(in);
    out->reached = ob_unpack_u64(in);
    out->trace = ob_unpack_u64(in);
    out->why = ob_unpack_text(in, arena);
}

/* --- findings */

static void pack_schedule(const struct ob_schedule *schedule, struct ob_buf *out)
{
    ob_pack_u64(out, schedule->program);
    ob_pack_bytes(out, schedule->clients, schedule->step_count);
    ob_pack_bytes(out, schedule->wakes, schedule->wake_count);
    ob_pack_u64(out, schedule->fault_count);
    for (size_t i = 0; i < schedule->fault_count; i++) {
        ob_pack_u64(out, schedule->faults[i].point);
        ob_pack_u64(out, schedule->faults[i].client);
        ob_pack_u64(out, schedule->faults[i].hit);
        ob_pack_u64(out, schedule->faults[i].way);
    }
}

static void unpack_schedule(struct ob_unpack *in, struct ob_schedule *out)
{
    size_t size;
    out->program = (size_t)ob_unpack_u64(in);
    const uint8_t *bytes = ob_unpack_bytes(in, &size);
    for (size_t i = 0; i < size; i++)
        ob_schedule_add_step(out, bytes[i]);
    bytes = ob_unpack_bytes(in, &size);
    for (size_t i = 0; i < size; i++)
        ob_schedule_add_wake(out, bytes[i]);
    size_t faults = ob_unpack_below(in, in->size);
    for (size_t i = 0; i < faults; i++) {
        struct ob_fault fault = {0};
        fault.point = (size_t)ob_unpack_u64(in);
        fault.client = ob_unpack_below(in, OB_CLIENTS_MAX);
        fault.hit = (uint32_t)ob_unpack_u64(in);
        fault.way = (unsigned)ob_unpack_u64(in);
        ob_schedule_add_fault(out, fault);
    }
}

static void pack_finding(const struct ob_finding *finding, struct ob_buf *out)
{
    ob_pack_u64(out, finding->item);
    ob_pack_u64(out, finding->run);
    pack_schedule(&finding->schedule, out);
    for (size_t i = 0; i < finding->schedule.step_count; i++)
        ob_pack_u64(out, finding->step_digests[i]);
    ob_pack_u64(out, finding->clients);
    ob_pack_u64(out, finding->preemptions);
    ob_pack_text(out, finding->rows);
    ob_pack_text(out, finding->trace);
    ob_pack_bytes(out, finding->packed.data, finding->packed.size);
    ob_pack_u64(out, finding->replays_same);
    ob_pack_u64(out, finding->replays);
    ob_pack_u64(out, finding->divergence != NULL);
    ob_pack_text(out, finding->divergence ? finding->divergence : "");
    ob_pack_u64(out, finding->uncontrolled);
}

static char *unpack_kept_text(struct ob_unpack *in, struct ob_arena *arena)
{
    return ob_strdup(ob_unpack_text(in, arena));
}

static void unpack_kept_bytes(struct ob_unpack *in, struct ob_buf *out)
{
    size_t size;
    const uint8_t *bytes = ob_unpack_bytes(in, &size);
    ob_buf_init(out, size);
    ob_buf_add(out, bytes, size);
}

static void unpack_finding(struct ob_unpack *in, struct ob_arena *arena, struct ob_finding *out)
{
    *out = (struct ob_finding){0};
    out->item = (size_t)ob_unpack_u64(in);
    out->run = ob_unpack_u64(in);
    unpack_schedule(in, &out->schedule);
    out->step_digests = ob_alloc(out->schedule.step_count * sizeof *out->step_digests);
    for (size_t i = 0; i < out->schedule.step_count; i++)
        out->step_digests[i] = ob_unpack_u64(in);
    out->clients = (size_t)ob_unpack_u64(in);
    out->preemptions = (size_t)ob_unpack_u64(in);
    out->rows = unpack_kept_text(in, arena);
    out->trace = unpack_kept_text(in, arena);
    unpack_kept_bytes(in, &out->packed);
    out->replays_same = (unsigned)ob_unpack_u64(in);
    out->replays = (unsigned)ob_unpack_u64(in);
    bool diverged = ob_unpack_u64(in) != 0;
    out->divergence = unpack_kept_text(in, arena);
    if (!diverged) {
        free(out->divergence);
        out->divergence = NULL;
    }
    out->uncontrolled = ob_unpack_u64(in) != 0;
}

/* --- statements: by how much each has been counted on */

static struct ob_statement_count *written_of(struct ob_checkpoint *checkpoint, size_t index)
{
    checkpoint->written = ob_grow(checkpoint->written, &checkpoint->written_capacity, index + 1,
                                  sizeof *checkpoint->written);
    return &checkpoint->written[index];
}

static void pack_statement(const struct ob_statement *statement,
                           const struct ob_statement_count *written, bool is_new,
                           struct ob_buf *out)
{
    if (is_new) {
        ob_pack_u64(out, statement->client);
        ob_pack_u64(out, statement->hash);
        ob_pack_text(out, statement->text);
    }
    ob_pack_u64(out, statement->done - written->done);
    ob_pack_u64(out, statement->wrong - written->wrong);
    if (written->wrong == 0 && statement->wrong > 0) {
        ob_pack_text(out, statement->sqlstate);
        ob_pack_text(out, statement->message);
    }
}

static void pack_statements(struct ob_checkpoint *checkpoint, const struct ob_statements *all)
{
    struct ob_buf *out = &checkpoint->bytes;
    for (size_t i = 0; i < all->count; i++) {
        const struct ob_statement *statement = &all->items[i];
        struct ob_statement_count *written = written_of(checkpoint, i);
        bool is_new = i >= checkpoint->written_count;
        if (!is_new && written->done == statement->done && written->wrong == statement->wrong)
            continue;
        ob_pack_u64(out, i + 1);
        pack_statement(statement, written, is_new, out);
        *written = (struct ob_statement_count){statement->done, statement->wrong};
    }
    checkpoint->written_count = all->count;
    ob_pack_u64(out, 0);
}

static void unpack_statement(struct ob_unpack *in, struct ob_statements *all, size_t index)
{
    if (index == all->count) {
        all->items = ob_grow(all->items, &all->capacity, all->count + 1, sizeof *all->items);
        struct ob_statement *added = &all->items[all->count++];
        added->client = ob_unpack_below(in, OB_CLIENTS_MAX);
        added->hash = ob_unpack_u64(in);
        added->text = ob_unpack_text(in, &all->arena);
    }
    struct ob_statement *statement = &all->items[index];
    uint64_t wrong_before = statement->wrong;
    statement->done += ob_unpack_u64(in);
    statement->wrong += ob_unpack_u64(in);
    if (wrong_before > 0 || statement->wrong == 0)
        return;
    const char *sqlstate = ob_unpack_text(in, &all->arena);
    memcpy(statement->sqlstate, sqlstate, strnlen(sqlstate, 5));
    statement->message = ob_unpack_text(in, &all->arena);
}

static void unpack_statements(struct ob_checkpoint *checkpoint, struct ob_unpack *in,
                              struct ob_statements *all)
{
    size_t index;
    while ((index = ob_unpack_below(in, all->count + 2)) > 0) {
        unpack_statement(in, all, index - 1);
        const struct ob_statement *statement = &all->items[index - 1];
        *written_of(checkpoint, index - 1) =
            (struct ob_statement_count){statement->done, statement->wrong};
    }
    checkpoint->written_count = all->count;
}

/* --- a run */

enum ob_result ob_checkpoint_add(struct ob_checkpoint *checkpoint, const struct ob_note *note,
                                 const struct ob_trace *trace,
                                 const struct ob_exploration *exploration, size_t first,
                                 struct ob_error *err)
{
    struct ob_buf *out = &checkpoint->bytes;
    bool asks = ob_strategy_remembers(checkpoint->strategy);
    ob_buf_reset(out);
    pack_note(note, out);
    ob_pack_u64(out, asks);
    if (asks)
        ob_record_pack(&checkpoint->record, trace, ob_strategy_learns_steps(checkpoint->strategy),
                       out);
    pack_statements(checkpoint, &exploration->statements);
    ob_pack_u64(out, exploration->finding_count - first);
    for (size_t i = first; i < exploration->finding_count; i++)
        pack_finding(&exploration->findings[i], out);
    return ob_journal_add(checkpoint->journal, out, err);
}

static bool bring_on(struct ob_checkpoint *checkpoint, uint64_t next, const struct ob_note *note,
                     struct ob_unpack *in)
{
    struct ob_strategy *strategy = checkpoint->strategy;
    if (note->next <= next || in->failed)
        return false;
    while (next < note->next)
        if (!ob_strategy_next(strategy, next++))
            return false;
    bool asks = ob_unpack_u64(in) != 0;
    if (asks != ob_strategy_remembers(strategy) ||
        (asks && !ob_record_replay(&checkpoint->record, in, &checkpoint->trace)))
        return false;
    ob_strategy_learn_as(strategy, &checkpoint->trace, note->trace);
    return ob_strategy_foreign(strategy) == (note->counts == OB_COUNTS_NOT);
}

static void unpack_findings(struct ob_unpack *in, struct ob_arena *arena,
                            struct ob_exploration *exploration)
{
    size_t count = ob_unpack_below(in, in->size);
    for (size_t i = 0; i < count && !in->failed; i++) {
        exploration->findings =
            ob_grow(exploration->findings, &exploration->finding_capacity,
                    exploration->finding_count + 1, sizeof *exploration->findings);
        unpack_finding(in, arena, &exploration->findings[exploration->finding_count++]);
    }
}

enum ob_result ob_checkpoint_read(struct ob_checkpoint *checkpoint, uint64_t next,
                                  struct ob_exploration *exploration, struct ob_note *out,
                                  bool *end, struct ob_error *err)
{
    struct ob_trace *trace = &checkpoint->trace;
    enum ob_result result = ob_journal_read(checkpoint->journal, &checkpoint->bytes, end, err);
    if (result != OB_OK || *end)
        return result;
    struct ob_unpack in = {.data = (const uint8_t *)checkpoint->bytes.data,
                           .size = checkpoint->bytes.size};
    ob_trace_reset(trace);
    unpack_note(&in, &trace->arena, out);
    if (!bring_on(checkpoint, next, out, &in))
        return ob_journal_misfit(checkpoint->journal, err);
    unpack_statements(checkpoint, &in, &exploration->statements);
    unpack_findings(&in, &trace->arena, exploration);
    return in.failed ? ob_journal_misfit(checkpoint->journal, err) : OB_OK;
}
