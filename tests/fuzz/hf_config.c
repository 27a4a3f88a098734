/* hf_config.c - config.json as transformers writes it. */
#include "model/hf_config.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_config c;
    hf_config_parse(data, size, &c);
    return 0;
}
