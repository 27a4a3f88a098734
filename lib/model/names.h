/* names.h - what a parameter is called in a file: Hugging Face's name where
 * GPT-2 has such a tensor, one in their manner where it has none. */
#pragma once

/* The name in a file of keel's parameter of that name; the caller frees it.
 * *transposed: the file holds the weight as [in, out] (transformers' Conv1D). */
char *hf_name(const char *keel, int *transposed);
