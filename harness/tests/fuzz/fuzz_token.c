/*
 * libFuzzer: any text is a token that says the same when it is written again, or is refused in full
 * form.  The checksum keeps damage out, so bytes are also given one, to get behind it.
 */
#include "repro/token.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
    struct ob_error err;
    struct ob_token token, again;
    if (ob_token_decode(text, &token, &err) != OB_OK) {
        assert(err.code == OB_INPUT && err.message[0] != '\0' && err.hint[0] != '\0');
        return;
    }
    char *word = ob_token_encode(&token);
    enum ob_result result = ob_token_decode(word, &again, &err);
    assert(result == OB_OK && again.schedule.step_count == token.schedule.step_count);
    assert(again.schedule.fault_count == token.schedule.fault_count);
    for (size_t i = 0; i < token.schedule.step_count; i++) {
        assert(token.schedule.clients[i] < OB_CLIENTS_MAX);
        assert(again.schedule.clients[i] == token.schedule.clients[i]);
        assert(again.checks[i] == token.checks[i]);
    }
    ob_token_clear(&token);
    ob_token_clear(&again);
    free(word);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = ob_alloc(size + 1);
    memcpy(text, data, size);
    check_text(text);
    free(text);
    char *word = ob_token_seal(data, size);
    check_text(word);
    free(word);
    return 0;
}
