/* names.h - what a parameter is called in a file: Hugging Face's name where
 * GPT-2 has such a tensor, one in their manner where it has none. */
#pragma once

/* The name in a file of keel's parameter of that name; the caller frees it.
 * *transposed: the file holds the weight as [in, out] (transformers' Conv1D). */
char *hf_name(const char *keel, int *transposed);

enum { BERT_PARTS = 3 };
/* The same for a BERT or RoBERTa, whose tensors of one parameter (query, key, value) stand one
 * above the other in keel's: their number; the caller frees the names. */
int bert_names(const char *keel, char *names[BERT_PARTS]);
