/* planted.c - see planted.h.  For each invariant its bugs, then twins that look like them and are
 * right. */
#include "planted.h"

const char *const planted_clients[] = {"alice", "bob", "cleanup"};

const struct planted *planted_case(size_t index)
{
    if (index < planted_row_count)
        return &planted_rows[index];
    index -= planted_row_count;
    return index < planted_answer_count ? &planted_answers[index] : NULL;
}
