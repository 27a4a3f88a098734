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

/* BERT's norms all stand after a sum; the names of the others are keel's own. */
static const struct bert_pattern { const char *keel, *files[MOST_PARTS]; } bert_patterns[] = {
    {"embed.token",      {"bert.embeddings.word_embeddings"}},
    {"embed.position",   {"bert.embeddings.position_embeddings"}},
    {"embed.segment",    {"bert.embeddings.token_type_embeddings"}},
    {"embed.norm",       {"bert.embeddings.LayerNorm"}},
    {"block.#.attn.in",  {"bert.encoder.layer.#.attention.norm_in"}},
    {"block.#.attn.qkv", {"bert.encoder.layer.#.attention.self.query",
                          "bert.encoder.layer.#.attention.self.key",
                          "bert.encoder.layer.#.attention.self.value"}},
    {"block.#.attn.proj", {"bert.encoder.layer.#.attention.output.dense"}},
    {"block.#.attn.out", {"bert.encoder.layer.#.attention.norm_out"}},
    {"block.#.attn.sum", {"bert.encoder.layer.#.attention.output.LayerNorm"}},
    {"block.#.attn.dt",  {"bert.encoder.layer.#.attention.dt"}},
    {"block.#.mlp.in",   {"bert.encoder.layer.#.norm_in"}},
    {"block.#.mlp.fc",   {"bert.encoder.layer.#.intermediate.dense"}},
    {"block.#.mlp.proj", {"bert.encoder.layer.#.output.dense"}},
    {"block.#.mlp.out",  {"bert.encoder.layer.#.norm_out"}},
    {"block.#.mlp.sum",  {"bert.encoder.layer.#.output.LayerNorm"}},
    {"block.#.mlp.dt",   {"bert.encoder.layer.#.dt"}},
    {"final.norm",       {"bert.encoder.norm"}},
    {"head.fc",          {"cls.predictions.transform.dense"}},
    {"head.norm",        {"cls.predictions.transform.LayerNorm"}},
    {"head",             {"cls.predictions.decoder"}},
};

/* The file's name with the block's number and the last part of keel's: a gain is a weight. */
static char *filled(const char *file, long number, const char *last)
{
    const char *end = strcmp(last, ".gain") ? last : ".weight", *mark = strchr(file, '#');
    if (!mark)
        return text_of("%s%s", file, end);
    return text_of("%.*s%ld%s%s", (int)(mark - file), file, number, mark + 1, end);
}

static void name_in_gpt2(const char *keel, const char *last, struct file_names *n)
{
    long number = 0;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (follows(patterns[i].keel, keel, last, &number)) {
            n->transposed = patterns[i].transposed && !strcmp(last, ".weight");
            n->name[n->parts++] = filled(patterns[i].file, number, last);
            return;
        }
}

static void name_in_bert(const char *keel, const char *last, struct file_names *n)
{
    long number = 0;
    if (!strcmp(keel, "head.bias")) {           /* not its decoder's, which is tied to it */
        n->name[n->parts++] = copy_text("cls.predictions.bias");
        return;
    }
    for (size_t i = 0; i < sizeof bert_patterns / sizeof *bert_patterns; i++)
        if (follows(bert_patterns[i].keel, keel, last, &number)) {
            for (; n->parts < MOST_PARTS && bert_patterns[i].files[n->parts]; n->parts++)
                n->name[n->parts] = filled(bert_patterns[i].files[n->parts], number, last);
            return;
        }
}

struct file_names names_in_file(const struct model_config *cfg, const char *keel)
{
    const char *last = strrchr(keel, '.');
    struct file_names n = {.parts = 0};

    if (last && cfg->architecture == ARCHITECTURE_ENCODER)
        name_in_bert(keel, last, &n);
    else if (last)
        name_in_gpt2(keel, last, &n);
    if (!n.parts)
        n.name[n.parts++] = copy_text(keel);
    return n;
}

void names_free(struct file_names *n)
{
    for (int i = 0; i < n->parts; i++)
        free(n->name[i]);
}
