/* hf_config.h - config.json, by which transformers knows a model. */
#pragma once
#include "data/tokens.h"
#include "model/config.h"

enum { HF_SETTINGS = 24 };

/* What the config.json of a GPT-2, BERT or RoBERTa says, as values of model_options and
 * encoder_options; and its ids. */
struct hf_config {
    struct { const char *name; char value[40]; } settings[HF_SETTINGS];
    int n;
    int vocab, eot;
};

/* Parse from any bytes: NULL, or an error text (valid until the next call). */
const char *hf_config_parse(const unsigned char *bytes, size_t n, struct hf_config *c);
/* Write it; a model that transformers has no class for gets model_type "keel", which it refuses. */
void hf_config_write(const char *path, const struct model_config *cfg,
                     const struct token_kind *kind);
