#include "model/config.h"
#include "base/base.h"
#include "kernels/ops.h"
#include <string.h>

/* A new placement is a row here, and nothing anywhere else. */
#define PLACEMENTS(ROW) \
    ROW("none", 0) \
    ROW("post", NORM_SUM) \
    ROW("pre", NORM_IN | NORM_FINAL) \
    ROW("peri", NORM_IN | NORM_OUT | NORM_FINAL) \
    ROW("output", NORM_OUT | NORM_FINAL) \
    ROW("sandwich", NORM_EMBED | NORM_IN | NORM_OUT | NORM_FINAL)

#define ROW(name, at) {name, at},
const struct placement placements[] = {PLACEMENTS(ROW) {NULL, 0}};
#undef ROW
#define ROW(name, at) name,
static const char *const placement_names[] = {PLACEMENTS(ROW) NULL};
#undef ROW

#define DEFAULTS { \
    .placement = 2, .norm_gain = 1, .layers = 12, .width = 768, .heads = 12, .context = 1024, \
    .tied = 1, .mask_share = 0.15, .dt = 1, .eps = 1e-5, .embed_scale = 1, .init_std = 0.02, \
}
const struct model_config model_defaults = DEFAULTS;
struct model_config model_config = DEFAULTS;
#undef DEFAULTS

static int preset;

/* The sizes of the GPT-2 family (nanoGPT's table); context 1024, vocabulary 50257 padded. */
static const struct preset { int layers, heads, width; } presets[] = {
    {0, 0, 0}, {12, 12, 768}, {24, 16, 1024}, {36, 20, 1280}, {48, 25, 1600},
};

static const char *const preset_names[] = {"by-hand", "gpt2", "gpt2-medium", "gpt2-large",
                                           "gpt2-xl", NULL};
static const char *const architecture_names[] = {"decoder", "encoder", NULL};
static const char *const norm_names[] = {"layer", "rms", NULL};
static const char *const switch_names[] = {"off", "on", NULL};
static const char *const activation_names[] = {"gelu", "gelu-tanh", "relu", NULL};
static const char *const position_names[] = {"learned", "sinusoidal", NULL};
static const char *const precision_names[] = {"f32", "bf16", "tf32", NULL};
static const char *const attention_precision_names[] = {"f32", "bf16", NULL};
static const char *const init_names[] = {"gpt2", "xavier", "xavier-uniform", NULL};

#define CHOICE(name, field, names, help) \
    {0, name, OPT_CHOICE, &model_config.field, 0, 0, help, names}
#define INT(name, field, min, max, help) \
    {0, name, OPT_INT, &model_config.field, min, max, help, NULL}
#define REAL(name, field, min, max, help) \
    {0, name, OPT_REAL, &model_config.field, min, max, help, NULL}

const struct opt model_options[] = {
    {0, "model", OPT_CHOICE, &preset, 0, 0, "sizes by name", preset_names},
    CHOICE("architecture", architecture, architecture_names,
           "what a token sees: those before it, as GPT-2, or all, as BERT"),
    CHOICE("placement", placement, placement_names, "where a block normalises"),
    CHOICE("embed-norm", embed_norm, switch_names,
           "a norm after the embedding, whatever the placement"),
    CHOICE("norm", norm, norm_names, "the normalisation"),
    CHOICE("norm-gain", norm_gain, switch_names, "a learned gain in every norm"),
    CHOICE("norm-bias", norm_bias, switch_names, "a learned bias in every norm"),
    REAL("dt", dt, 1e-9, 1e9, "residual step"),
    CHOICE("learn-dt", learn_dt, switch_names, "each sub-layer learns its step, from dt"),
    INT("layers", layers, 1, MAX_LAYERS, "blocks"),
    INT("width", width, 1, 65536, "columns of the residual stream"),
    INT("heads", heads, 1, 1024, "attention heads"),
    INT("hidden", hidden, 0, 262144, "columns inside the feed-forward; 0: 4 * width"),
    INT("context", context, 1, 1 << 20, "tokens in a window"),
    INT("vocab", vocab, 0, 1 << 24, "token ids; 0: the data's, rounded up to a multiple of 64"),
    CHOICE("activation", activation, activation_names, "of the feed-forward"),
    CHOICE("positions", positions, position_names, "position embeddings"),
    INT("segments", segments, 0, 256, "kinds of segments that an encoder tells apart"),
    CHOICE("bias", bias, switch_names, "a bias in every linear map of a block"),
    CHOICE("tied", tied, switch_names, "the head shares the token embedding"),
    REAL("dropout", dropout, 0, 0.999, "probability of a dropped element"),
    REAL("eps", eps, 0, 1, "added to the variance in a norm"),
    REAL("mask-share", mask_share, 1e-9, 1, "of an encoder's tokens that are hidden"),
    REAL("label-smoothing", label_smoothing, 0, 1, "share of the target spread over all ids"),
    REAL("embed-scale", embed_scale, 1e-9, 1e9, "factor on token embeddings"),
    CHOICE("initial", init, init_names, "initial values"),
    REAL("init-std", init_std, 0, 1e3, "standard deviation of --initial gpt2"),
    CHOICE("precision", precision, precision_names, "inputs of matrix multiplies"),
    CHOICE("attention-precision", attention_precision, attention_precision_names,
           "the same in attention"),
    {0},
};

const struct opt encoder_options[] = {
    INT("first-position", first_position, 0, 256, "rows of the position embedding to pass over"),
    {0},
};

void model_config_settle(void)
{
    struct model_config *c = &model_config;
    if (preset) {
        const struct preset *p = &presets[preset];
        const struct { const char *name; int *field, value; } sizes[] = {
            {"layers", &c->layers, p->layers}, {"heads", &c->heads, p->heads},
            {"width", &c->width, p->width}, {"context", &c->context, 1024},
            {"vocab", &c->vocab, 50304},
        };
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            if (!opt_given(sizes[i].name))
                *sizes[i].field = sizes[i].value;
    }
    if (c->architecture == ARCHITECTURE_ENCODER) {      /* as BERT has it */
        if (!opt_given("segments"))
            c->segments = 2;
        if (!opt_given("embed-norm"))
            c->embed_norm = !strcmp(model_placement(c)->name, "post");
    } else if (opt_given("segments") || opt_given("mask-share")) {
        misuse("--%s: only --architecture encoder has that",
               opt_given("segments") ? "segments" : "mask-share");
    }
    if (c->width % c->heads)
        misuse("--heads: %d does not divide --width %d", c->heads, c->width);
}

void model_config_for_vocab(int ids)
{
    struct model_config *c = &model_config;
    if (!c->vocab)
        c->vocab = (ids + VOCAB_MULTIPLE - 1) / VOCAB_MULTIPLE * VOCAB_MULTIPLE;
    if (c->vocab < ids)
        die("the data has %d token ids, the model only %d; use --vocab %d or a model made for it",
            ids, c->vocab, ids);
}

const struct placement *model_placement(const struct model_config *cfg)
{
    return &placements[cfg->placement];
}

double model_mask_share(const struct model_config *cfg)
{
    return cfg->architecture == ARCHITECTURE_ENCODER ? cfg->mask_share : 0;
}
