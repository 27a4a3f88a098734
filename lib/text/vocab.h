/* vocab.h - what token ids mean: names, sizes, and text from ids.
 *
 * A vocabulary is "bytes" (ids 0..255, then the end of text), "gpt2", or the path of a folder
 * with vocab.json and merges.txt as Hugging Face tokenizers reads them, with codes.txt and
 * vocab.txt of subword-nmt and fairseq, with a BERT's vocab.txt, or with tokenizer.json alone. */
#pragma once
#include <stddef.h>

struct vocab;
struct subword;
struct wordpiece;

enum vocab_kind { VOCAB_BYTES, VOCAB_BPE, VOCAB_SUBWORD, VOCAB_WORDPIECE };
enum vocab_kind vocab_kind(const struct vocab *v);

/* What a vocabulary's folder may hold; ends with NULL. */
extern const char *const vocab_files[];

/* Open by that name; dies with the reason. */
struct vocab *vocab_open(const char *name);
void vocab_free(struct vocab *v);
const char *vocab_name(const struct vocab *v);
/* The folder with its files, or NULL for "bytes" and "gpt2". */
const char *vocab_folder(const struct vocab *v);
int vocab_size(const struct vocab *v);          /* ids, the end of text included */
int vocab_eot(const struct vocab *v);           /* the id between documents */
int vocab_mask(const struct vocab *v);          /* the id of [MASK]; -1: it has none */

/* The bytes of one id (none for the end of text); *n is their number.  A sub-word that ends a
 * word has a blank behind it, a word piece that begins one has a blank before it. */
const char *vocab_bytes(const struct vocab *v, int id, size_t *n);
/* The ids of a text as ordinary text (special tokens are never parsed); a new array. */
int *vocab_encode(const struct vocab *v, const char *text, size_t n, size_t *n_ids);
/* The merges of a VOCAB_SUBWORD, or NULL. */
const struct subword *vocab_subword(const struct vocab *v);
/* The pieces of a VOCAB_WORDPIECE, or NULL. */
const struct wordpiece *vocab_wordpiece(const struct vocab *v);
/* Write a byte-level vocabulary as vocab.json and merges.txt into a folder that is there. */
void vocab_save(const struct vocab *v, const char *folder);
