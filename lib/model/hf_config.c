#include "model/hf_config.h"
#include "base/base.h"
#include "base/fault.h"
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

struct size { const char *file, *keel; int needed; };

static const struct size gpt2_sizes[] = {
    {"n_layer", "layers", 1}, {"n_embd", "width", 1}, {"n_head", "heads", 1},
    {"n_positions", "context", 1}, {"vocab_size", "vocab", 1}, {"n_inner", "hidden", 0}, {0},
};
static const struct size bert_sizes[] = {
    {"num_hidden_layers", "layers", 1}, {"hidden_size", "width", 1},
    {"num_attention_heads", "heads", 1}, {"vocab_size", "vocab", 1},
    {"intermediate_size", "hidden", 1}, {"type_vocab_size", "segments", 0}, {0},
};

static const char *parse_sizes(const json_t *j, const struct size *sizes, struct hf_config *c)
{
    for (; sizes->file; sizes++) {
        const json_t *v = json_object_get(j, sizes->file);
        if (json_is_integer(v))
            say(c, sizes->keel, "%lld", (long long)json_integer_value(v));
        else if (sizes->needed || (v && !json_is_null(v)))
            return fault("%s is missing or no integer", sizes->file);
    }
    c->vocab = (int)json_integer_value(json_object_get(j, "vocab_size"));
    return NULL;
}

static const char *parse_activation(const json_t *j, const char *key, const char *without,
                                    struct hf_config *c)
{
    const char *name = json_string_value(json_object_get(j, key));
    int k = 0;
    while (activations[k].file && strcmp(activations[k].file, name ? name : without))
        k++;
    if (!activations[k].file)
        return fault("%s %.40s; gelu, gelu_new and relu can be read", key, name);
    say(c, "activation", "%s", activations[k].keel);
    return NULL;
}

/* Settings that GPT-2, BERT and RoBERTa agree on. */
static void say_common(const json_t *j, const char *eps_key, double eps, struct hf_config *c)
{
    static const char *const common[][2] = {
        {"norm", "layer"}, {"norm-gain", "on"}, {"norm-bias", "on"}, {"bias", "on"}, {"dt", "1"},
        {"positions", "learned"}, {"embed-scale", "1"},
    };
    const json_t *v = json_object_get(j, eps_key);
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        say(c, common[i][0], "%s", common[i][1]);
    say(c, "eps", "%.9g", json_is_number(v) ? json_number_value(v) : eps);
}

static const char *parse_gpt2(const json_t *j, struct hf_config *c)
{
    if (!is_on(j, "scale_attn_weights", 1) || is_on(j, "scale_attn_by_inverse_layer_idx", 0)
        || is_on(j, "add_cross_attention", 0))
        return fault("attention unlike GPT-2's (scale_attn_weights, "
                     "scale_attn_by_inverse_layer_idx, add_cross_attention)");
    const char *why = parse_sizes(j, gpt2_sizes, c);
    why = why ? why : parse_activation(j, "activation_function", "gelu_new", c);
    if (why)
        return why;
    const json_t *eos = json_object_get(j, "eos_token_id");
    c->eot = json_is_integer(eos) ? (int)json_integer_value(eos) : c->vocab - 1;
    say(c, "tied", "%s", is_on(j, "tie_word_embeddings", 1) ? "on" : "off");
    say(c, "placement", "pre");
    say_common(j, "layer_norm_epsilon", 1e-5, c);
    return NULL;
}

/* RoBERTa's positions count from the padding's id + 1. */
static const char *parse_bert(const json_t *j, int roberta, struct hf_config *c)
{
    const json_t *most = json_object_get(j, "max_position_embeddings");
    const char *kind = json_string_value(json_object_get(j, "position_embedding_type"));
    const int first = roberta ? 2 : 0;

    if (kind && strcmp(kind, "absolute"))
        return fault("position_embedding_type %.40s; only absolute can be read", kind);
    if (!json_is_integer(most) || json_integer_value(most) <= first)
        return fault("max_position_embeddings is missing or no length");
    const char *why = parse_sizes(j, bert_sizes, c);
    why = why ? why : parse_activation(j, "hidden_act", "gelu", c);
    if (why)
        return why;
    say(c, "context", "%lld", (long long)json_integer_value(most) - first);
    say(c, "first-position", "%d", first);
    say(c, "architecture", "encoder");
    say(c, "tied", "%s", is_on(j, "tie_word_embeddings", 1) ? "on" : "off");
    say(c, "embed-norm", "on");
    say(c, "placement", "post");
    say_common(j, "layer_norm_eps", 1e-12, c);
    return NULL;
}

static const char *parse_model(const json_t *j, struct hf_config *c)
{
    const char *type = json_string_value(json_object_get(j, "model_type"));
    if (type && !strcmp(type, "gpt2"))
        return parse_gpt2(j, c);
    if (type && (!strcmp(type, "bert") || !strcmp(type, "roberta")))
        return parse_bert(j, *type == 'r', c);
    return fault("model_type is %.40s; gpt2, bert and roberta can be read",
                 type ? type : "missing");
}

const char *hf_config_parse(const unsigned char *bytes, size_t n, struct hf_config *c)
{
    json_error_t error;
    json_t *j = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, &error);
    *c = (struct hf_config){.n = 0};
    if (!j)
        return fault("line %d: %.120s", error.line, error.text);
    const char *why = json_is_object(j) ? parse_model(j, c) : fault("no JSON object");
    json_decref(j);
    return why;
}

/* What GPT-2 and BERT both have; their placements differ. */
static int is_known(const struct model_config *cfg, const char *placement)
{
    return !strcmp(model_placement(cfg)->name, placement) && cfg->norm == NORM_LAYER
        && cfg->dt == 1 && !cfg->learn_dt && cfg->positions == POSITIONS_LEARNED
        && cfg->embed_scale == 1;
}

static const char *activation_of(const struct model_config *cfg)
{
    int k = 0;
    while (activations[k].kind != cfg->activation)
        k++;
    return activations[k].file;
}

static int hidden_of(const struct model_config *cfg)
{
    return cfg->hidden ? cfg->hidden : 4 * cfg->width;
}

/* Of a decoder in GPT-2's words, whether it is one or not. */
static json_t *gpt2_json(const struct model_config *cfg, const struct token_kind *kind)
{
    const int known = is_known(cfg, "pre") && !cfg->embed_norm;
    return json_pack("{s:s, s:[s], s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:f, s:f, s:f, s:f}",
                     "model_type", known ? "gpt2" : "keel",
                     "architectures", known ? "GPT2LMHeadModel" : "Keel",
                     "n_layer", cfg->layers, "n_head", cfg->heads, "n_embd", cfg->width,
                     "n_inner", hidden_of(cfg), "n_positions", cfg->context,
                     "bos_token_id", kind->eot, "eos_token_id", kind->eot,
                     "activation_function", activation_of(cfg), "layer_norm_epsilon", cfg->eps,
                     "attn_pdrop", cfg->dropout, "embd_pdrop", cfg->dropout,
                     "resid_pdrop", cfg->dropout);
}

/* Of an encoder in BERT's. */
static json_t *bert_json(const struct model_config *cfg)
{
    const int known = is_known(cfg, "post") && cfg->embed_norm && cfg->segments;
    return json_pack("{s:s, s:[s], s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:f, s:f, s:f}",
                     "model_type", known ? "bert" : "keel",
                     "architectures", known ? "BertForMaskedLM" : "Keel",
                     "num_hidden_layers", cfg->layers, "num_attention_heads", cfg->heads,
                     "hidden_size", cfg->width, "intermediate_size", hidden_of(cfg),
                     "max_position_embeddings", cfg->context, "type_vocab_size", cfg->segments,
                     "hidden_act", activation_of(cfg), "layer_norm_eps", cfg->eps,
                     "attention_probs_dropout_prob", cfg->dropout,
                     "hidden_dropout_prob", cfg->dropout);
}

void hf_config_write(const char *path, const struct model_config *cfg,
                     const struct token_kind *kind)
{
    json_t *j = cfg->architecture == ARCHITECTURE_ENCODER ? bert_json(cfg) : gpt2_json(cfg, kind);
    json_t *both = json_pack("{s:i, s:s, s:f, s:b}", "vocab_size", cfg->vocab,
                             "torch_dtype", "float32", "initializer_range", cfg->init_std,
                             "tie_word_embeddings", cfg->tied);
    FILE *f = fopen(path, "w");
    if (!f)
        die("%s:", path);
    if (!j || !both || json_object_update(j, both))
        die("%s: out of memory", path);
    if (json_dumpf(j, f, JSON_INDENT(2)) || fputc('\n', f) == EOF || fclose(f))
        die("%s:", path);
    json_decref(j);
    json_decref(both);
}
