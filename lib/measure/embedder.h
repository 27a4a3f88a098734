/* embedder.h - texts as hidden states: an encoder and its tokenizer, read from a folder
 * as Hugging Face has it (config.json, model.safetensors, and vocab.txt for a BERT, vocab.json and
 * merges.txt for a RoBERTa, or tokenizer.json for either). */
#pragma once
#include "kernels/backend.h"
#include "text/words.h"

struct embedder;

/* Open for the hidden states after `layer` blocks (0: the embedding); dies with the reason.
 * layer -1 takes what bert-score takes for a model of that folder's name, or dies. */
struct embedder *embedder_open(const char *folder, int layer, const struct backend *be);
void embedder_free(struct embedder *e);
int embedder_layer(const struct embedder *e);
int embedder_width(const struct embedder *e);

/* The ids of a UTF-8 text between the model's begin and end marks, at most its context or the
 * tokenizer's model_max_length: a long text's end is cut off (returns 1 then).  White space around
 * it does not count. */
int embedder_tokens(const struct embedder *e, const char *text, size_t n, struct ids *out);
/* Is it the begin or the end mark? */
int embedder_is_frame(const struct embedder *e, int id);
/* The hidden states of n texts' tokens, each of length 1: states[i] is [tokens[i].n, width].
 * Computed in batches of texts of about the same length; none sees another's padding. */
void embedder_run(struct embedder *e, const struct ids *tokens, size_t n, float *const *states);
