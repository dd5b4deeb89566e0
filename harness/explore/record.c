#include "explore/record.h"

#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX ((size_t)1 << 20)

/* --- lists */

static void list_init(struct ob_record_list *list)
{
    *list = (struct ob_record_list){0};
    ob_buf_init(&list->bytes, SIZE_MAX);
}

static void list_clear(struct ob_record_list *list)
{
    ob_buf_clear(&list->bytes);
    free(list->ends);
}

static void list_reset(struct ob_record_list *list)
{
    ob_buf_reset(&list->bytes);
    list->count = 0;
}

/* What was added to the bytes becomes an item. */
static void list_end_item(struct ob_record_list *list)
{
    list->ends = ob_grow(list->ends, &list->capacity, list->count + 1, sizeof *list->ends);
    list->ends[list->count++] = list->bytes.size;
}

static struct ob_unpack list_item(const struct ob_record_list *list, size_t index)
{
    size_t begin = index > 0 ? list->ends[index - 1] : 0;
    return (struct ob_unpack){.data = (const uint8_t *)list->bytes.data + begin,
                              .size = list->ends[index] - begin};
}

static size_t count_common(const struct ob_record_list *a, const struct ob_record_list *b)
{
    size_t count = 0;
    for (; count < a->count && count < b->count; count++) {
        struct ob_unpack one = list_item(a, count), other = list_item(b, count);
        if (one.size != other.size || memcmp(one.data, other.data, one.size) != 0)
            break;
    }
    return count;
}

static void list_pack(const struct ob_record_list *list, const struct ob_record_list *before,
                      struct ob_buf *out)
{
    size_t common = count_common(list, before);
    ob_pack_u64(out, common);
    ob_pack_u64(out, list->count - common);
    for (size_t i = common; i < list->count; i++) {
        struct ob_unpack item = list_item(list, i);
        ob_pack_bytes(out, item.data, item.size);
    }
}

static void list_unpack(struct ob_record_list *list, const struct ob_record_list *before,
                        struct ob_unpack *in)
{
    size_t common = ob_unpack_below(in, before->count + 1), size;
    uint64_t count = ob_unpack_u64(in);
    list_reset(list);
    for (size_t i = 0; i < common; i++) {
        struct ob_unpack item = list_item(before, i);
        ob_buf_add(&list->bytes, item.data, item.size);
        list_end_item(list);
    }
    for (uint64_t i = 0; i < count && !in->failed; i++) {
        const uint8_t *bytes = ob_unpack_bytes(in, &size);
        ob_buf_add(&list->bytes, bytes, size);
        list_end_item(list);
    }
}

static void swap(struct ob_record_list *a, struct ob_record_list *b)
{
    struct ob_record_list kept = *a;
    *a = *b;
    *b = kept;
}

/* --- choices */

static void pack_choice(const struct ob_choice_point *point, size_t option, struct ob_buf *out)
{
    ob_pack_u64(out, point->kind);
    ob_pack_u64(out, point->option_count);
    ob_pack_u64(out, option == OB_CANNOT_FOLLOW ? 0 : option + 1);
    ob_pack_u64(out, (point->clients ? 1U : 0U) | (point->kinds ? 2U : 0U));
    for (size_t i = 0; point->clients && i < point->option_count; i++)
        ob_pack_u64(out, point->clients[i]);
    for (size_t i = 0; point->kinds && i < point->option_count; i++)
        ob_pack_u64(out, point->kinds[i]);
    ob_pack_u64(out, point->flying);
    ob_pack_u64(out, point->waiting);
    ob_pack_u64(out, point->previous == OB_NO_CLIENT ? 0 : point->previous + 1);
    ob_pack_u64(out, point->client);
    ob_pack_u64(out, point->point);
    ob_pack_u64(out, point->hit);
    ob_pack_u64(out, point->seen);
    ob_pack_u64(out, point->trace ? point->trace->step_count + 1 : 0);
}

struct choice {
    struct ob_choice_point point;
    size_t option, step_count; /* SIZE_MAX: no trace */
    size_t clients[OB_CLIENTS_MAX];
    enum ob_op_kind kinds[OB_CLIENTS_MAX];
};

static void unpack_choice(struct ob_unpack *in, struct choice *out)
{
    struct ob_choice_point *point = &out->point;
    *point = (struct ob_choice_point){0};
    point->kind = (enum ob_choice_kind)ob_unpack_below(in, OB_CHOICE_PROGRAM + 1);
    point->option_count = ob_unpack_below(in, OPTIONS_MAX);
    size_t option = ob_unpack_below(in, OPTIONS_MAX);
    out->option = option == 0 ? OB_CANNOT_FOLLOW : option - 1;
    uint64_t has = ob_unpack_u64(in);
    in->failed |= has > 0 && point->option_count > OB_CLIENTS_MAX;
    for (size_t i = 0; (has & 1) && i < point->option_count && !in->failed; i++)
        out->clients[i] = ob_unpack_below(in, OB_CLIENTS_MAX);
    for (size_t i = 0; (has & 2) && i < point->option_count && !in->failed; i++)
        out->kinds[i] = (enum ob_op_kind)ob_unpack_below(in, 64);
    point->clients = has & 1 ? out->clients : NULL;
    point->kinds = has & 2 ? out->kinds : NULL;
    point->flying = ob_unpack_u64(in);
    point->waiting = ob_unpack_u64(in);
    point->previous = ob_unpack_below(in, OB_CLIENTS_MAX + 1);
    point->previous = point->previous == 0 ? OB_NO_CLIENT : point->previous - 1;
    point->client = ob_unpack_below(in, OB_CLIENTS_MAX);
    point->point = (size_t)ob_unpack_u64(in);
    point->hit = (uint32_t)ob_unpack_u64(in);
    point->seen = ob_unpack_u64(in);
    out->step_count = (size_t)ob_unpack_u64(in) - 1;
}

static void restart(void *self)
{
    struct ob_record *record = self;
    list_reset(&record->choices);
    record->inner.restart(record->inner.self);
}

static size_t choose(void *self, const struct ob_choice_point *point)
{
    struct ob_record *record = self;
    size_t option = record->inner.choose(record->inner.self, point);
    pack_choice(point, option, &record->choices.bytes);
    list_end_item(&record->choices);
    return option;
}

/* --- steps: what event.c looks at */

static void pack_footprint(const struct ob_footprint *footprint, struct ob_buf *out)
{
    ob_pack_u64(out, footprint->known);
    ob_pack_u64(out, footprint->level);
    ob_pack_u64(out, footprint->count);
    for (size_t i = 0; i < footprint->count; i++) {
        ob_pack_u64(out, footprint->touches[i].resource);
        ob_pack_u64(out, footprint->touches[i].ways);
    }
}

static void unpack_footprint(struct ob_unpack *in, struct ob_arena *arena, struct ob_footprint *out)
{
    out->known = ob_unpack_u64(in) != 0;
    out->level = (enum ob_level)ob_unpack_below(in, OB_LEVEL_SERIALIZABLE + 1);
    out->count = ob_unpack_below(in, in->size);
    out->touches = ob_arena_alloc(arena, out->count * sizeof *out->touches);
    for (size_t i = 0; i < out->count; i++) {
        out->touches[i].resource = ob_unpack_u64(in);
        out->touches[i].ways = (unsigned)ob_unpack_u64(in);
    }
}

static void pack_step(const struct ob_step *step, struct ob_buf *out)
{
    ob_pack_u64(out, step->client);
    ob_pack_u64(out, step->kind);
    ob_pack_text(out, step->text);
    ob_pack_u64(out, step->enabled);
    ob_pack_u64(out, step->blocked);
    ob_pack_u64(out, step->holders);
    ob_pack_u64(out, step->woken);
    ob_pack_u64(out, step->completion_count);
    for (size_t i = 0; i < step->completion_count; i++) {
        const struct ob_completion *completion = &step->completions[i];
        ob_pack_u64(out, completion->client);
        ob_pack_u64(out, completion->status);
        ob_pack_text(out, completion->sqlstate);
        ob_pack_u64(out, (completion->open ? 1U : 0U) | (completion->committed ? 2U : 0U));
        pack_footprint(&completion->footprint, out);
    }
}

static void unpack_step(struct ob_unpack *in, struct ob_trace *trace)
{
    struct ob_step *step = ob_trace_add_step(trace);
    step->client = ob_unpack_below(in, OB_CLIENTS_MAX);
    step->kind = (enum ob_op_kind)ob_unpack_below(in, 64);
    step->text = ob_unpack_text(in, &trace->arena);
    step->enabled = ob_unpack_u64(in);
    step->blocked = ob_unpack_u64(in);
    step->holders = ob_unpack_u64(in);
    step->woken = ob_unpack_u64(in);
    step->completion_count = ob_unpack_below(in, in->size);
    step->completions =
        ob_arena_alloc(&trace->arena, step->completion_count * sizeof *step->completions);
    for (size_t i = 0; i < step->completion_count; i++) {
        struct ob_completion *completion = &step->completions[i];
        completion->client = ob_unpack_below(in, OB_CLIENTS_MAX);
        completion->status = (enum ob_reply_status)ob_unpack_below(in, 64);
        const char *sqlstate = ob_unpack_text(in, &trace->arena);
        memcpy(completion->sqlstate, sqlstate, strnlen(sqlstate, 5));
        uint64_t ends = ob_unpack_u64(in);
        completion->open = ends & 1;
        completion->committed = ends & 2;
        completion->message = "";
        unpack_footprint(in, &trace->arena, &completion->footprint);
    }
}

/* --- the whole */

void ob_record_init(struct ob_record *record, struct ob_chooser strategy)
{
    record->inner = strategy;
    list_init(&record->choices);
    list_init(&record->choices_before);
    list_init(&record->steps);
    list_init(&record->steps_before);
}

void ob_record_clear(struct ob_record *record)
{
    list_clear(&record->choices);
    list_clear(&record->choices_before);
    list_clear(&record->steps);
    list_clear(&record->steps_before);
}

struct ob_chooser ob_record_chooser(struct ob_record *record)
{
    return (struct ob_chooser){.self = record, .restart = restart, .choose = choose};
}

static void end_run(struct ob_record *record)
{
    swap(&record->choices, &record->choices_before);
    swap(&record->steps, &record->steps_before);
}

void ob_record_pack(struct ob_record *record, const struct ob_trace *trace, bool steps,
                    struct ob_buf *out)
{
    list_reset(&record->steps);
    for (size_t i = 0; steps && i < trace->step_count; i++) {
        pack_step(&trace->steps[i], &record->steps.bytes);
        list_end_item(&record->steps);
    }
    list_pack(&record->choices, &record->choices_before, out);
    list_pack(&record->steps, &record->steps_before, out);
    end_run(record);
}

static bool ask_again(struct ob_record *record, const struct ob_trace *trace, size_t index)
{
    struct ob_unpack in = list_item(&record->choices, index);
    struct ob_trace until = *trace;
    struct choice choice;
    unpack_choice(&in, &choice);
    if (in.failed || (choice.step_count != SIZE_MAX && choice.step_count > OB_STEPS_MAX))
        return false;
    if (choice.step_count < until.step_count)
        until.step_count = choice.step_count;
    choice.point.trace = choice.step_count == SIZE_MAX ? NULL : &until;
    return record->inner.choose(record->inner.self, &choice.point) == choice.option;
}

bool ob_record_replay(struct ob_record *record, struct ob_unpack *in, struct ob_trace *trace)
{
    list_unpack(&record->choices, &record->choices_before, in);
    list_unpack(&record->steps, &record->steps_before, in);
    bool same = !in->failed;
    for (size_t i = 0; i < record->steps.count && same; i++) {
        struct ob_unpack item = list_item(&record->steps, i);
        unpack_step(&item, trace);
        same = !item.failed;
    }
    record->inner.restart(record->inner.self);
    for (size_t i = 0; i < record->choices.count && same; i++)
        same = ask_again(record, trace, i);
    end_run(record);
    return same;
}
