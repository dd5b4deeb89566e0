#include "explore/share.h"

#include <assert.h>

struct ob_share ob_share_begin(void)
{
    return (struct ob_share){.done = 0, .rest = 1};
}

void ob_share_choice(struct ob_share *share, size_t searched, size_t options)
{
    assert(searched < options);
    share->rest /= (double)options;
    share->done += share->rest * (double)searched;
}

double ob_share_end(const struct ob_share *share)
{
    double end = share->done + share->rest;
    return end < 1 ? end : 1;
}
