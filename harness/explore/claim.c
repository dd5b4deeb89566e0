#include "explore/claim.h"

#include <assert.h>
#include <math.h>

uint64_t ob_claim_runs(size_t clients, uint64_t steps, unsigned depth)
{
    assert(clients > 0 && steps > 0 && depth > 0);
    double probability = 1 / ((double)clients * pow((double)steps, depth - 1));
    if (probability >= 1)
        return 1;
    double runs = ceil(log(1 - OB_CLAIM_PERCENT / 100.0) / log1p(-probability));
    return runs < 1e18 ? (uint64_t)runs : UINT64_MAX;
}

bool ob_claim_confident(const struct ob_strategy_promise *promise)
{
    return promise->runs >= ob_claim_runs(promise->clients, promise->steps, promise->depth);
}

double ob_claim_unseen(uint64_t once, uint64_t run_count)
{
    assert(run_count > 0);
    return once < run_count ? (double)once / (double)run_count : 1;
}
