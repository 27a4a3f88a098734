#include "model/model.h"
#include "base/base.h"
#include "base/random.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct build {
    struct plan *plan;
    const struct model_config *cfg;
    struct model *m;
    struct tensor *token;
    char at[32];        /* name of the part under construction: "block.3.mlp" */
};

static struct tensor *linear(struct build *b, struct tensor *x, int out, const char *name)
{
    struct plan *p = b->plan;
    struct linear_args a = {
        .x = x,
        .weight = plan_tensor(p, TENSOR_PARAM, out, x->cols, "%s.%s.weight", b->at, name),
        .bias = b->cfg->bias ? plan_tensor(p, TENSOR_PARAM, 1, out, "%s.%s.bias", b->at, name)
                             : NULL,
        .y = plan_tensor(p, TENSOR_VALUE, x->rows, out, "%s.%s", b->at, name),
        .precision = (enum precision)b->cfg->precision,
    };
    plan_add(p, (struct step){OP_linear, .u.linear = a});
    return a.y;
}

static struct tensor *norm(struct build *b, struct tensor *x, const char *name)
{
    struct plan *p = b->plan;
    struct norm_args a = {
        .x = x,
        .gain = b->cfg->norm_gain
              ? plan_tensor(p, TENSOR_PARAM, 1, x->cols, "%s.%s.gain", b->at, name) : NULL,
        .bias = b->cfg->norm_bias
              ? plan_tensor(p, TENSOR_PARAM, 1, x->cols, "%s.%s.bias", b->at, name) : NULL,
        .y = plan_tensor(p, TENSOR_VALUE, x->rows, x->cols, "%s.%s", b->at, name),
        .stats = plan_tensor(p, TENSOR_SAVED, x->rows, 2, "%s.%s.stats", b->at, name),
        .eps = (float)b->cfg->eps,
        .center = b->cfg->norm == NORM_LAYER,
    };
    plan_add(p, (struct step){OP_norm, .u.norm = a});
    return a.y;
}

/* The norm at one place of the block, or x itself where the placement has none. */
static struct tensor *norm_at(struct build *b, unsigned place, struct tensor *x, const char *name)
{
    const int has = (model_placement(b->cfg)->at & place) != 0
                 || (place == NORM_EMBED && b->cfg->embed_norm);
    return has ? norm(b, x, name) : x;
}

static struct tensor *activation(struct build *b, struct tensor *x)
{
    struct plan *p = b->plan;
    struct activation_args a = {
        .x = x,
        .y = plan_tensor(p, TENSOR_VALUE, x->rows, x->cols, "%s.act", b->at),
        .kind = (enum activation)b->cfg->activation,
    };
    plan_add(p, (struct step){OP_activation, .u.activation = a});
    return a.y;
}

static struct tensor *dropout(struct build *b, struct tensor *x)
{
    struct plan *p = b->plan;
    if (!b->m->draw)
        return x;
    struct dropout_args a = {
        .x = x, .draw = b->m->draw,
        .y = plan_tensor(p, TENSOR_VALUE, x->rows, x->cols, "%s.dropout", b->at),
        .p = (float)b->cfg->dropout,
    };
    a.site = random_site(a.y->name);
    plan_add(p, (struct step){OP_dropout, .u.dropout = a});
    return a.y;
}

/* h times a step of the sub-layer's own, which it learns. */
static struct tensor *scaled(struct build *b, struct tensor *h)
{
    struct plan *p = b->plan;
    struct scale_args a = {
        .x = h,
        .factor = plan_tensor(p, TENSOR_PARAM, 1, 1, "%s.dt.weight", b->at),
        .y = plan_tensor(p, TENSOR_VALUE, h->rows, h->cols, "%s.dt", b->at),
    };
    b->m->dt[b->m->n_stream - 1] = a.factor;
    plan_add(p, (struct step){OP_scale, .u.scale = a});
    return a.y;
}

/* x + dt * h */
static struct tensor *euler(struct build *b, struct tensor *x, struct tensor *h)
{
    struct plan *p = b->plan;
    struct residual_args a = {
        .x = x, .f = b->cfg->learn_dt ? scaled(b, h) : h,
        .y = plan_tensor(p, TENSOR_VALUE, x->rows, x->cols, "%s.add", b->at),
        .step = b->cfg->learn_dt ? 1 : (float)b->cfg->dt,
    };
    plan_add(p, (struct step){OP_residual, .u.residual = a});
    return a.y;
}

typedef struct tensor *sublayer(struct build *, struct tensor *);

/* Every placement, every sub-layer, every architecture: this function. */
static struct tensor *residual(struct build *b, struct tensor *x, sublayer *f)
{
    struct model *m = b->m;
    const size_t first = b->plan->n_steps;
    struct tensor *h = norm_at(b, NORM_IN, x, "in");
    h = f(b, h);
    m->branch[m->n_stream - 1] = h = norm_at(b, NORM_OUT, h, "out");
    x = norm_at(b, NORM_SUM, euler(b, x, h), "sum");
    plan_part(b->plan, first);
    return m->stream[m->n_stream++] = x;
}

static struct tensor *mlp(struct build *b, struct tensor *x)
{
    struct tensor *h = linear(b, x, b->cfg->hidden ? b->cfg->hidden : 4 * x->cols, "fc");
    h = activation(b, h);
    return dropout(b, linear(b, h, x->cols, "proj"));
}

/* Keys or values of all tokens so far: this pass's own, or the cache they are added to. */
static struct tensor *remembered(struct build *b, struct tensor *x, const char *name)
{
    struct plan *p = b->plan;
    if (!b->m->at)
        return x;
    struct append_args a = {
        .x = x, .at = b->m->at,
        .cache = plan_tensor(p, TENSOR_INPUT, x->rows * b->cfg->context, x->cols, "%s.%s.cache",
                             b->at, name),
        .time = b->cfg->context,
    };
    plan_add(p, (struct step){OP_append, .u.append = a});
    return a.cache;
}

static struct tensor *self_attention(struct build *b, struct tensor *x)
{
    struct plan *p = b->plan;
    const int c = x->cols;
    struct tensor *qkv = linear(b, x, 3 * c, "qkv");
    struct attention_args a = {
        .q = plan_columns(p, qkv, 0, c),
        .k = remembered(b, plan_columns(p, qkv, c, c), "k"),
        .v = remembered(b, plan_columns(p, qkv, 2 * c, c), "v"),
        .lengths = b->m->lengths, .draw = b->m->draw,
        .y = plan_tensor(p, TENSOR_VALUE, x->rows, c, "%s.mix", b->at),
        .lse = plan_tensor(p, TENSOR_SAVED, x->rows, b->cfg->heads, "%s.lse", b->at),
        .heads = b->cfg->heads, .tq = b->m->time, .tk = b->m->at ? b->cfg->context : b->m->time,
        .causal = b->cfg->architecture == ARCHITECTURE_DECODER,
        .p = b->m->draw ? (float)b->cfg->dropout : 0,
        .precision = (enum precision)b->cfg->attention_precision,
    };
    a.site = random_site(a.y->name);
    plan_add(p, (struct step){OP_attention, .u.attention = a});
    return dropout(b, linear(b, a.y, c, "proj"));
}

static struct tensor *embed(struct build *b)
{
    struct plan *p = b->plan;
    const struct model_config *cfg = b->cfg;
    struct embed_args e = {
        .ids = b->m->ids, .token = b->token, .places = b->m->at,
        .position = plan_tensor(p, cfg->positions == POSITIONS_LEARNED ? TENSOR_PARAM
                                : TENSOR_INPUT, cfg->context, cfg->width, "embed.position.weight"),
        .segments = b->m->segments,
        .segment = b->m->segments ? plan_tensor(p, TENSOR_PARAM, cfg->segments, cfg->width,
                                                "embed.segment.weight") : NULL,
        .y = plan_tensor(p, TENSOR_VALUE, b->m->ids->rows, cfg->width, "embed"),
        .time = b->m->time, .scale = (float)cfg->embed_scale,
    };
    plan_add(p, (struct step){OP_embed, .u.embed = e});
    return dropout(b, norm_at(b, NORM_EMBED, e.y, "norm"));
}

enum { PART = 4096 };       /* logits of a row that the head has in hand */

/* Logits of each token, and where there are targets the loss. */
static void head(struct build *b, struct tensor *x)
{
    struct plan *p = b->plan;
    struct model *m = b->m;
    const int vocab = b->cfg->vocab, part = vocab < PART ? vocab : PART;
    const int encoder = b->cfg->architecture == ARCHITECTURE_ENCODER;
    strcpy(b->at, "head");
    if (encoder)        /* BERT's (Devlin et al. 2019; its released code) */
        x = norm(b, activation(b, linear(b, x, x->cols, "fc")), "norm");
    struct head_args a = {
        .x = x,
        .weight = b->cfg->tied ? b->token
                : plan_tensor(p, TENSOR_PARAM, vocab, x->cols, "head.weight"),
        .bias = encoder && b->cfg->bias ? plan_tensor(p, TENSOR_PARAM, 1, vocab, "head.bias")
                                        : NULL,
        .targets = m->targets,
        .precision = (enum precision)b->cfg->precision,
        .smoothing = (float)b->cfg->label_smoothing,
    };
    m->logits = plan_tensor(p, m->targets ? TENSOR_SPARE : TENSOR_VALUE, x->rows, vocab, "logits");
    m->logits->ld = (vocab + 31) / 16 * 16;     /* padded: powers of two are slow to multiply by */
    if (!m->targets) {
        plan_add(p, (struct step){OP_linear, .u.linear = {
            .x = x, .weight = a.weight, .bias = a.bias, .y = m->logits, .precision = a.precision}});
        plan_watch(m->logits);
        return;
    }
    a.logits = m->logits;
    a.part = plan_tensor(p, TENSOR_SAVED, x->rows, part, "logits.part");
    a.part->ld = (part + 31) / 16 * 16;
    a.state = plan_tensor(p, TENSOR_SAVED, x->rows, 4, "logits.state");
    a.loss = m->loss = plan_tensor(p, TENSOR_VALUE, x->rows, 1, "loss");
    a.lse = plan_tensor(p, TENSOR_SAVED, x->rows, 1, "loss.lse");
    a.best = m->best = plan_tensor(p, TENSOR_SAVED, x->rows, 1, "best");
    plan_add(p, (struct step){OP_head, .u.head = a});
    plan_watch(m->loss);
    plan_watch(m->best);
}

/* An empty model over windows of `time` tokens, and the token embedding. */
static struct build begin(const struct backend *be, const struct model_config *cfg, int batch,
                          int time, int train)
{
    struct model *m = zalloc(1, sizeof *m);
    *m = (struct model){.cfg = *cfg, .plan = plan_new(be, train), .batch = batch, .time = time};
    m->ids = plan_tensor(m->plan, TENSOR_INPUT, batch * time, 1, "ids");
    if (cfg->architecture == ARCHITECTURE_ENCODER && cfg->segments)
        m->segments = plan_tensor(m->plan, TENSOR_INPUT, batch * time, 1, "segments");
    return (struct build){
        .plan = m->plan, .cfg = &m->cfg, .m = m, .at = "embed",
        .token = plan_tensor(m->plan, TENSOR_PARAM, cfg->vocab, cfg->width, "embed.token.weight"),
    };
}

/* The embedding and the first `layers` blocks. */
static struct tensor *stack(struct build *b, int layers)
{
    struct model *m = b->m;
    struct tensor *x = embed(b);
    m->stream[m->n_stream++] = x;
    for (int i = 0; i < layers; i++) {
        snprintf(b->at, sizeof b->at, "block.%d.attn", i);
        x = residual(b, x, self_attention);
        snprintf(b->at, sizeof b->at, "block.%d.mlp", i);
        x = residual(b, x, mlp);
    }
    return x;
}

struct model *model_build(const struct backend *be, const struct model_config *cfg, int batch,
                          enum model_use use, int train)
{
    if (cfg->architecture == ARCHITECTURE_ENCODER && use == MODEL_GENERATE)
        die("the model is an encoder, which predicts no next token; a decoder is needed here");
    struct build b = begin(be, cfg, batch, use == MODEL_GENERATE ? 1 : cfg->context, train);
    struct model *m = b.m;

    if (use == MODEL_GENERATE) {
        m->at = plan_tensor(b.plan, TENSOR_INPUT, batch, 1, "at");
        m->lengths = plan_tensor(b.plan, TENSOR_INPUT, batch, 1, "lengths");
    } else {
        m->targets = plan_tensor(b.plan, TENSOR_INPUT, m->ids->rows, 1, "targets");
    }
    if (train && cfg->dropout > 0)
        m->draw = plan_tensor(b.plan, TENSOR_INPUT, 1, 4, "draw");
    struct tensor *x = stack(&b, cfg->layers);
    strcpy(b.at, "final");
    head(&b, norm_at(&b, NORM_FINAL, x, "norm"));
    return m;
}

struct model *model_build_encoder(const struct backend *be, const struct model_config *cfg,
                                  int batch, int time, int layers)
{
    struct build b = begin(be, cfg, batch, time, 0);
    b.m->lengths = plan_tensor(b.plan, TENSOR_INPUT, batch, 1, "lengths");
    plan_watch(stack(&b, layers));
    return b.m;
}

void model_free(struct model *m)
{
    plan_free(m->plan);
    free(m);
}

enum recompute model_recompute(const struct model *m)
{
    return m->cfg.width < 512 || m->plan->be->joins ? RECOMPUTE_NOTHING : RECOMPUTE_NORMS;
}
