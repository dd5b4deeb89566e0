#include "repro/left_out.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <stdlib.h>

#define TEXT_MAX ((size_t)1 << 20)
#define SHOWN 40 /* bytes of a statement */

/* The client's omission of that part, or, where part is NULL, of the rest; NULL: there is none. */
static const struct ob_omission *find(const struct ob_schedule *schedule, size_t client,
                                      const struct ob_part *part)
{
    for (size_t i = 0; i < schedule->omission_count; i++) {
        const struct ob_omission *omission = &schedule->omissions[i];
        if (omission->client == client && omission->rest == !part &&
            (!part || omission->at == part->number))
            return omission;
    }
    return NULL;
}

static void put_parts(const struct ob_part *const *parts, size_t count, const char *name,
                      struct ob_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        if (i == 0)
            ob_buf_printf(out, "%s%s's ", out->size > 0 ? "; " : "", name);
        else
            ob_buf_puts(out, i + 1 < count ? ", " : " and ");
        ob_buf_put_line(out, parts[i]->text, SHOWN);
    }
}

static void put_client(const struct ob_rig *rig, const struct ob_schedule *schedule, size_t client,
                       struct ob_buf *out)
{
    const char *name = rig->client_names[client];
    const struct ob_omission *rest = find(schedule, client, NULL);
    struct ob_part *parts = NULL;
    if (rest && rest->at == 0) {
        ob_buf_printf(out, "%sall of %s", out->size > 0 ? "; " : "", name);
        return;
    }
    size_t count = rig->parts ? rig->parts(rig->self, client, &parts) : 0, left_out = 0;
    const struct ob_part **those = ob_alloc(count * sizeof(void *));
    for (size_t i = 0; i < count; i++)
        if (find(schedule, client, &parts[i]))
            those[left_out++] = &parts[i];
    put_parts(those, left_out, name, out);
    if (rest)
        ob_buf_printf(out, "%swhat %s does after its last step here", out->size > 0 ? "; " : "",
                      name);
    free(those);
    free(parts);
}

char *ob_left_out(const struct ob_rig *rig, const struct ob_schedule *schedule)
{
    struct ob_buf out;
    ob_buf_init(&out, TEXT_MAX);
    for (size_t client = 0; client < rig->spec.client_count; client++)
        put_client(rig, schedule, client, &out);
    return ob_buf_take(&out);
}
