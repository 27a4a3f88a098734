#include "model/names.h"
#include "base/base.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A # stands for the block's number; the last part (weight, gain, bias) follows. */
static const struct pattern { const char *keel, *file; int transposed; } patterns[] = {
    {"embed.token",         "transformer.wte", 0},
    {"embed.position",      "transformer.wpe", 0},
    {"embed.norm",          "transformer.ln_embed", 0},
    {"block.#.attn.in",     "transformer.h.#.ln_1", 0},
    {"block.#.attn.qkv",    "transformer.h.#.attn.c_attn", 1},
    {"block.#.attn.proj",   "transformer.h.#.attn.c_proj", 1},
    {"block.#.attn.out",    "transformer.h.#.ln_1_out", 0},
    {"block.#.attn.sum",    "transformer.h.#.ln_1_sum", 0},
    {"block.#.attn.dt",     "transformer.h.#.dt_1", 0},
    {"block.#.mlp.in",      "transformer.h.#.ln_2", 0},
    {"block.#.mlp.fc",      "transformer.h.#.mlp.c_fc", 1},
    {"block.#.mlp.proj",    "transformer.h.#.mlp.c_proj", 1},
    {"block.#.mlp.out",     "transformer.h.#.ln_2_out", 0},
    {"block.#.mlp.sum",     "transformer.h.#.ln_2_sum", 0},
    {"block.#.mlp.dt",      "transformer.h.#.dt_2", 0},
    {"final.norm",          "transformer.ln_f", 0},
    {"head",                "lm_head", 0},
};

/* Does the stem [name, end) follow the pattern?  Sets the number that # stood for. */
static int follows(const char *pattern, const char *name, const char *end, long *number)
{
    while (*pattern && name < end) {
        if (*pattern == '#' && isdigit((unsigned char)*name)) {
            char *after;
            *number = strtol(name, &after, 10);
            name = after;
        } else if (*pattern != *name++) {
            return 0;
        }
        pattern++;
    }
    return !*pattern && name == end;
}

/* BERT's norms all stand after a sum, so no other place has a name. */
static const struct bert_pattern { const char *keel, *files[BERT_PARTS]; } bert_patterns[] = {
    {"embed.token",      {"embeddings.word_embeddings"}},
    {"embed.position",   {"embeddings.position_embeddings"}},
    {"embed.segment",    {"embeddings.token_type_embeddings"}},
    {"embed.norm",       {"embeddings.LayerNorm"}},
    {"block.#.attn.qkv", {"encoder.layer.#.attention.self.query",
                          "encoder.layer.#.attention.self.key",
                          "encoder.layer.#.attention.self.value"}},
    {"block.#.attn.proj", {"encoder.layer.#.attention.output.dense"}},
    {"block.#.attn.sum", {"encoder.layer.#.attention.output.LayerNorm"}},
    {"block.#.mlp.fc",   {"encoder.layer.#.intermediate.dense"}},
    {"block.#.mlp.proj", {"encoder.layer.#.output.dense"}},
    {"block.#.mlp.sum",  {"encoder.layer.#.output.LayerNorm"}},
};

/* The file's name with the block's number and the last part of keel's: a gain is a weight. */
static char *filled(const char *file, long number, const char *last)
{
    const char *end = strcmp(last, ".gain") ? last : ".weight", *mark = strchr(file, '#');
    if (!mark)
        return text_of("%s%s", file, end);
    return text_of("%.*s%ld%s%s", (int)(mark - file), file, number, mark + 1, end);
}

char *hf_name(const char *keel, int *transposed)
{
    const char *last = strrchr(keel, '.');
    long number = 0;

    *transposed = 0;
    for (size_t i = 0; last && i < sizeof patterns / sizeof *patterns; i++) {
        const struct pattern *p = &patterns[i];
        if (!follows(p->keel, keel, last, &number))
            continue;
        *transposed = p->transposed && !strcmp(last, ".weight");
        return filled(p->file, number, last);
    }
    return copy_text(keel);
}

int bert_names(const char *keel, char *names[BERT_PARTS])
{
    const char *last = strrchr(keel, '.');
    long number = 0;
    int n = 0;

    for (size_t i = 0; last && i < sizeof bert_patterns / sizeof *bert_patterns; i++)
        if (follows(bert_patterns[i].keel, keel, last, &number))
            while (n < BERT_PARTS && bert_patterns[i].files[n]) {
                names[n] = filled(bert_patterns[i].files[n], number, last);
                n++;
            }
    if (!n)
        names[n++] = copy_text(keel);
    return n;
}
