/* names.h - what a parameter is called in a file: Hugging Face's name where GPT-2 or BERT has such
 * a tensor, one in their manner where they have none. */
#pragma once
#include "model/config.h"

enum { MOST_PARTS = 3 };

struct file_names {
    char *name[MOST_PARTS];     /* tensors that stand one above the other in keel's parameter */
    int parts;
    int transposed;             /* the file holds the weight as [in, out] (transformers' Conv1D) */
};

/* The names in a file of keel's parameter of that name. */
struct file_names names_in_file(const struct model_config *cfg, const char *keel);
void names_free(struct file_names *n);
