#include "model/hf_config.h"
#include "base/base.h"
#include "kernels/ops.h"
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *file; int kind; const char *keel; } activations[] = {
    {"gelu_new", ACTIVATION_GELU_TANH, "gelu-tanh"},
    {"gelu_pytorch_tanh", ACTIVATION_GELU_TANH, "gelu-tanh"},
    {"gelu", ACTIVATION_GELU, "gelu"}, {"relu", ACTIVATION_RELU, "relu"}, {NULL, 0, NULL},
};

__attribute__((format(printf, 1, 2))) static const char *wrong(const char *fmt, ...)
{
    static char why[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    return why;
}

__attribute__((format(printf, 3, 4)))
static void say(struct hf_config *c, const char *name, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    c->settings[c->n].name = name;
    vsnprintf(c->settings[c->n++].value, sizeof c->settings->value, fmt, ap);
    va_end(ap);
}

/* A switch of the file, with what it is when not there. */
static int is_on(const json_t *j, const char *key, int without)
{
    const json_t *v = json_object_get(j, key);
    return json_is_boolean(v) ? json_is_true(v) : without;
}

static const char *parse_sizes(const json_t *j, struct hf_config *c)
{
    static const struct { const char *file, *older, *keel; } sizes[] = {
        {"n_layer", "num_hidden_layers", "layers"}, {"n_embd", "hidden_size", "width"},
        {"n_head", "num_attention_heads", "heads"}, {"n_positions", "n_ctx", "context"},
        {"vocab_size", NULL, "vocab"},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const json_t *v = json_object_get(j, sizes[i].file);
        if (!v && sizes[i].older)
            v = json_object_get(j, sizes[i].older);
        if (!json_is_integer(v))
            return wrong("%s is missing or no integer", sizes[i].file);
        say(c, sizes[i].keel, "%lld", (long long)json_integer_value(v));
    }
    c->vocab = (int)json_integer_value(json_object_get(j, "vocab_size"));
    const json_t *eos = json_object_get(j, "eos_token_id"), *inner = json_object_get(j, "n_inner");
    c->eot = json_is_integer(eos) ? (int)json_integer_value(eos) : c->vocab - 1;
    say(c, "hidden", "%lld", (long long)json_integer_value(inner));
    return NULL;
}

static const char *parse_gpt2(const json_t *j, struct hf_config *c)
{
    const char *type = json_string_value(json_object_get(j, "model_type"));
    const char *activation = json_string_value(json_object_get(j, "activation_function"));
    const json_t *eps = json_object_get(j, "layer_norm_epsilon");
    int k = 0;

    if (!type || strcmp(type, "gpt2"))
        return wrong("model_type is %.40s; only gpt2 can be read", type ? type : "missing");
    if (!is_on(j, "scale_attn_weights", 1) || is_on(j, "scale_attn_by_inverse_layer_idx", 0)
        || is_on(j, "add_cross_attention", 0))
        return wrong("attention unlike GPT-2's (scale_attn_weights, "
                     "scale_attn_by_inverse_layer_idx, add_cross_attention)");
    while (activations[k].file && strcmp(activations[k].file, activation ? activation : "gelu_new"))
        k++;
    if (!activations[k].file)
        return wrong("activation_function %.40s; gelu, gelu_new and relu can be read", activation);
    const char *why = parse_sizes(j, c);
    if (why)
        return why;
    say(c, "activation", "%s", activations[k].keel);
    say(c, "eps", "%.9g", json_is_number(eps) ? json_number_value(eps) : 1e-5);
    say(c, "tied", "%s", is_on(j, "tie_word_embeddings", 1) ? "on" : "off");
    say(c, "placement", "pre");
    say(c, "norm", "layer");
    say(c, "norm-gain", "on");
    say(c, "norm-bias", "on");
    say(c, "bias", "on");
    say(c, "dt", "1");
    say(c, "positions", "learned");
    say(c, "embed-scale", "1");
    return NULL;
}

const char *hf_config_parse(const unsigned char *bytes, size_t n, struct hf_config *c)
{
    json_error_t error;
    json_t *j = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, &error);
    *c = (struct hf_config){.n = 0};
    if (!j)
        return wrong("line %d: %.120s", error.line, error.text);
    const char *why = json_is_object(j) ? parse_gpt2(j, c) : wrong("no JSON object");
    json_decref(j);
    return why;
}

static int is_gpt2(const struct model_config *cfg)
{
    return !strcmp(model_placement(cfg)->name, "pre") && cfg->norm == NORM_LAYER && cfg->dt == 1
        && cfg->positions == POSITIONS_LEARNED && cfg->embed_scale == 1;
}

void hf_config_write(const char *path, const struct model_config *cfg,
                     const struct token_kind *kind)
{
    int k = 0;
    while (activations[k].kind != cfg->activation)
        k++;
    json_t *j = json_pack("{s:s, s:[s], s:s}",
                          "model_type", is_gpt2(cfg) ? "gpt2" : "keel",
                          "architectures", is_gpt2(cfg) ? "GPT2LMHeadModel" : "Keel",
                          "torch_dtype", "float32");
    json_t *sizes = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}",
                              "n_layer", cfg->layers, "n_head", cfg->heads, "n_embd", cfg->width,
                              "n_inner", cfg->hidden ? cfg->hidden : 4 * cfg->width,
                              "n_positions", cfg->context, "vocab_size", cfg->vocab,
                              "bos_token_id", kind->eot, "eos_token_id", kind->eot);
    json_t *rest = json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:b}",
                             "activation_function", activations[k].file,
                             "layer_norm_epsilon", cfg->eps, "initializer_range", cfg->init_std,
                             "attn_pdrop", cfg->dropout, "embd_pdrop", cfg->dropout,
                             "resid_pdrop", cfg->dropout, "tie_word_embeddings", cfg->tied);
    FILE *f = fopen(path, "w");
    if (!f)
        die("%s:", path);
    if (!j || !sizes || !rest || json_object_update(j, sizes) || json_object_update(j, rest))
        die("%s: out of memory", path);
    if (json_dumpf(j, f, JSON_INDENT(2)) || fputc('\n', f) == EOF || fclose(f))
        die("%s:", path);
    json_decref(j);
    json_decref(sizes);
    json_decref(rest);
}
