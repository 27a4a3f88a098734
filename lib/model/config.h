/* config.h - what a model is: every choice that its parameters' shapes and its
 * mathematics depend on, one row of an option table each.  The same rows are
 * train's and probe's options and a checkpoint's record. */
#pragma once
#include "base/opt.h"

/* Where a block normalises.  For a sub-layer f on the stream x:
 *
 *     x  <-  SUM( x + dt * OUT( f( IN( x ) ) ) )
 *
 * and the stream itself passes EMBED before the first block, FINAL after the
 * last.  A place that is not in the mask is the identity. */
enum {
    NORM_EMBED = 1, NORM_IN = 2, NORM_OUT = 4, NORM_SUM = 8, NORM_FINAL = 16,
};

struct placement {
    const char *name;
    unsigned at;        /* NORM_* or-ed */
};

extern const struct placement placements[];     /* ends with a NULL name */

enum {
    ARCHITECTURE_DECODER,       /* GPT-2's: causal, a head for the next token */
    ARCHITECTURE_ENCODER,       /* BERT's: every token sees all; a head for hidden tokens */
};
enum { NORM_LAYER, NORM_RMS };
enum { POSITIONS_LEARNED, POSITIONS_SINUSOIDAL };
enum { INIT_GPT2, INIT_XAVIER, INIT_XAVIER_UNIFORM };

struct model_config {
    int architecture;
    int placement;          /* index into placements */
    int embed_norm;         /* a norm after the embedding, whatever the placement */
    int segments;           /* kinds of token segments that have an embedding; 0: none */
    int first_position;     /* of the position embedding's rows: the first token's (RoBERTa: 2) */
    int norm, norm_gain, norm_bias;
    int bias;               /* of every linear map in a block */
    int layers, width, heads;
    int hidden;             /* of the feed-forward sub-layer; 0: 4 * width */
    int context;            /* tokens in a window */
    int vocab;              /* rows of the token embedding */
    int activation;         /* enum activation */
    int positions;
    int tied;               /* the head is the token embedding */
    double mask_share;      /* of an encoder's tokens that are hidden to be guessed */
    int precision, attention_precision;     /* enum precision */
    int init;
    double dt;              /* residual step */
    int learn_dt;           /* each sub-layer has a residual step of its own that begins at dt */
    double dropout;
    double eps;             /* of every norm */
    double label_smoothing; /* of the loss: see ops.h, head */
    double embed_scale;     /* token embeddings are multiplied by it */
    double init_std;        /* of INIT_GPT2 */
};

enum { MAX_LAYERS = 512, VOCAB_MULTIPLE = 64 };

/* The one model that options, checkpoints and programs talk about, with its
 * defaults (papers.md: GPT-2 small's shape per layer, biases off), and its rows.
 * A vocab of 0 means: take the data's, rounded up to VOCAB_MULTIPLE. */
extern struct model_config model_config;
extern const struct model_config model_defaults;
extern const struct opt model_options[];
/* What only a model that was trained elsewhere needs; no program offers these rows. */
extern const struct opt encoder_options[];

/* Apply --model NAME to what was not given by hand, and check what rows alone cannot
 * (heads must divide width); a mistake is the user's: exit 2. */
void model_config_settle(void);
/* Set vocab for data of that many ids; dies when the model has fewer. */
void model_config_for_vocab(int ids);
const struct placement *model_placement(const struct model_config *cfg);
/* The share of a window's tokens that are hidden from the model: an encoder's; 0 of a decoder's. */
double model_mask_share(const struct model_config *cfg);
