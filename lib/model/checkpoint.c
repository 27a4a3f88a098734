#include "model/checkpoint.h"
#include "base/base.h"
#include "base/file.h"
#include "base/tsv.h"
#include "model/hf_config.h"
#include "model/names.h"
#include "model/safetensors.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct checkpoint {
    char *file, *folder;
    struct mapped map;
    struct safetensors st;
    struct token_kind kind;
};

static int is_folder(const char *path)
{
    struct stat st;
    if (stat(path, &st))
        die("%s:", path);
    return S_ISDIR(st.st_mode);
}

/* The model file that a path means; the caller frees it. */
static char *find_model(const char *path)
{
    if (!is_folder(path))
        return copy_text(path);
    char *file = text_of("%s/model.safetensors", path);
    if (!access(file, F_OK))
        return file;
    free(file);
    size_t n;
    long long *steps = checkpoint_list(path, &n);
    if (!n)
        die("%s: no run and no checkpoint: neither step-* nor model.safetensors is in it", path);
    char *folder = checkpoint_path(path, steps[n - 1]);
    file = text_of("%s/model.safetensors", folder);
    free(folder);
    free(steps);
    return file;
}

const char *checkpoint_setting(const struct checkpoint *c, const char *name)
{
    char key[128];
    snprintf(key, sizeof key, "keel.%s", name);
    return safetensors_note(&c->st, key);
}

static void apply(const char *file, const struct opt *o, const char *value)
{
    const char *why = opt_given(o->name) ? NULL : opt_set(o, value);
    if (why)
        die("%s: recorded %s '%s' %s", file, o->name, value, why);
}

void checkpoint_settings(const struct checkpoint *c, const struct opt *table)
{
    for (const struct opt *o = table; o->name; o++) {
        const char *value = checkpoint_setting(c, o->name);
        if (value)
            apply(c->file, o, value);
    }
}

void checkpoint_notes(const struct checkpoint *c, FILE *f)
{
    static const char *const training[] = {"lr", "warmup", "weight-decay", "optimizer", "schedule",
                                           NULL};
    char step[32];
    snprintf(step, sizeof step, "%lld", checkpoint_step(c));
    tsv_note(f, "step", step);
    tsv_note(f, "train-seed", checkpoint_setting(c, "seed"));
    for (int i = 0; training[i]; i++)
        tsv_note(f, training[i], checkpoint_setting(c, training[i]));
}

static int whole_number(const struct checkpoint *c, const char *name)
{
    const char *text = checkpoint_setting(c, name);
    return text ? atoi(text) : 0;
}

/* Are the vocabulary's files in the folder?  Those of an encoder that keel did not train do not say
 * what its ids are for: it has an end of text no more than a mask. */
static int has_vocab(const struct checkpoint *c, const char *recorded)
{
    return has_file(c->folder, "merges.txt")
           || ((recorded || model_config.architecture == ARCHITECTURE_DECODER)
               && (has_file(c->folder, "vocab.txt") || has_file(c->folder, "tokenizer.json")));
}

static void name_vocab(struct checkpoint *c, const char *recorded)
{
    const int own = has_vocab(c, recorded)
                    && (!recorded || strchr(recorded, '/')
                    || (strcmp(recorded, "gpt2") && strcmp(recorded, "bytes")));
    snprintf(c->kind.vocab, sizeof c->kind.vocab, "%s", own ? c->folder : recorded ? recorded : "");
    if (!*c->kind.vocab)
        c->kind.size = c->kind.eot = 0;
}

/* Settings from the config.json beside a model that keel did not write. */
static void read_config(struct checkpoint *c)
{
    struct mapped map;
    struct hf_config hf;
    char *file = text_of("%s/config.json", c->folder);
    if (file_map(file, &map)) {
        if (errno == ENOENT)
            die("%s: no settings in it, and no config.json beside it", c->file);
        die("%s:", file);
    }
    const char *why = hf_config_parse(map.data, map.size, &hf);
    if (why)
        die("%s: %s", file, why);
    for (int i = 0; i < hf.n; i++) {
        const struct opt *o = opt_find(model_options, hf.settings[i].name);
        apply(file, o ? o : opt_find(encoder_options, hf.settings[i].name), hf.settings[i].value);
    }
    c->kind.size = hf.vocab;
    c->kind.eot = hf.eot;
    name_vocab(c, hf.vocab == 50257 ? "gpt2" : NULL);
    file_unmap(&map);
    free(file);
}

static void read_settings(struct checkpoint *c)
{
    if (!checkpoint_setting(c, "version")) {
        read_config(c);
        return;
    }
    for (const struct opt *o = model_options; o->name; o++) {
        const char *value = checkpoint_setting(c, o->name);
        if (value)      /* one that came later is at its default, as keel was before it */
            apply(c->file, o, value);
    }
    c->kind.size = whole_number(c, "token-size");
    c->kind.eot = whole_number(c, "token-eot");
    name_vocab(c, checkpoint_setting(c, "token-vocab"));
}

struct checkpoint *checkpoint_open(const char *path)
{
    struct checkpoint *c = zalloc(1, sizeof *c);
    c->file = find_model(path);
    const char *slash = strrchr(c->file, '/');
    c->folder = slash ? text_of("%.*s", (int)(slash - c->file), c->file) : copy_text(".");
    if (file_map(c->file, &c->map))
        die("%s:", c->file);
    const char *why = safetensors_parse(c->map.data, c->map.size, &c->st);
    if (why)
        die("%s: %s", c->file, why);
    read_settings(c);
    if (model_config.width % model_config.heads)
        die("%s: %d heads do not divide width %d", c->file, model_config.heads,
            model_config.width);
    return c;
}

void checkpoint_close(struct checkpoint *c)
{
    safetensors_free(&c->st);
    file_unmap(&c->map);
    free(c->file);
    free(c->folder);
    free(c);
}

const char *checkpoint_folder(const struct checkpoint *c)
{
    return c->folder;
}

long long checkpoint_step(const struct checkpoint *c)
{
    const char *text = checkpoint_setting(c, "step");
    return text ? atoll(text) : 0;
}

const struct token_kind *checkpoint_kind(const struct checkpoint *c)
{
    return &c->kind;
}

/* The file's tensor of that name, or NULL.  transformers' bare models save without their prefix,
 * those with a head with it; a RoBERTa's is another than BERT's. */
static const struct safetensors_entry *find_prefixed(const struct checkpoint *c, const char *name)
{
    static const char *const prefixes[] = {"transformer.", "bert."};
    const struct safetensors_entry *e = safetensors_find(&c->st, name);

    for (int i = 0; !e && i < 2; i++) {
        const size_t n = strlen(prefixes[i]);
        if (strncmp(name, prefixes[i], n))
            continue;
        char *other = text_of("roberta.%s", name + n);
        e = safetensors_find(&c->st, name + n);
        e = e || !i ? e : safetensors_find(&c->st, other);
        free(other);
    }
    return e;
}

/* The norms of Google's own BERTs have a gamma and a beta for a weight and a bias. */
static const struct safetensors_entry *find_tensor(const struct checkpoint *c, const char *name)
{
    static const char norm[] = "LayerNorm.";
    const struct safetensors_entry *e = find_prefixed(c, name);
    const char *at = strstr(name, norm);

    if (!e && at) {
        const char *last = at + strlen(norm);
        char *old = text_of("%.*s%s", (int)(last - name), name,
                            strcmp(last, "weight") ? "beta" : "gamma");
        e = find_prefixed(c, old);
        free(old);
    }
    if (!e)
        die("%s: tensor %s is missing: is this another architecture?", c->file, name);
    return e;
}

static void check_shape(const struct checkpoint *c, const struct safetensors_entry *e,
                        size_t rows, size_t cols, int transposed)
{
    const size_t want[2] = {transposed ? cols : rows, transposed ? rows : cols};
    const int ok = e->dims == 1 ? rows == 1 && e->shape[0] == cols
                                : e->dims == 2 && e->shape[0] == want[0] && e->shape[1] == want[1];
    if (!ok && rows == 1)
        die("%s: tensor %s is not [%zu] as the model needs it", c->file, e->name, cols);
    if (!ok)
        die("%s: tensor %s is not [%zu, %zu] as the model needs it", c->file, e->name, want[0],
            want[1]);
}

/* Read a tensor of the file as rows x cols floats. */
static const struct safetensors_entry *read_tensor(const struct checkpoint *c, const char *name,
                                                   size_t rows, size_t cols, int transposed,
                                                   float *to)
{
    const struct safetensors_entry *e = find_tensor(c, name);

    check_shape(c, e, rows, cols, transposed);
    float *read = transposed ? zalloc(rows * cols, sizeof *read) : to;
    const char *why = safetensors_floats(&c->st, e, read);
    if (why)
        die("%s: %s", c->file, why);
    for (size_t i = 0; transposed && i < rows * cols; i++)
        to[i] = read[i % cols * rows + i / cols];
    if (transposed)
        free(read);
    return e;
}

/* Fill one parameter from the file's tensor or tensors, and mark them as used. */
static void load_tensor(const struct checkpoint *c, struct model *m, struct tensor *t, char *used)
{
    const size_t skip = strcmp(t->name, "embed.position.weight") ? 0
                      : (size_t)m->cfg.first_position;
    struct file_names in = names_in_file(&m->cfg, t->name);
    const size_t parts = (size_t)in.parts, cols = (size_t)t->cols;
    /* A vector is one row here, so that of three parts is a third of its columns. */
    const size_t rows = t->rows == 1 ? 1 : (size_t)t->rows / parts + skip;
    const size_t part_cols = t->rows == 1 ? cols / parts : cols;
    float *host = zalloc(parts * rows * part_cols, sizeof *host);
    for (size_t i = 0; i < parts; i++)
        used[read_tensor(c, in.name[i], rows, part_cols, in.transposed,
                         host + i * rows * part_cols) - c->st.entries] = 1;
    plan_put(m->plan, t, t->data, host + skip * cols);
    names_free(&in);
    free(host);
}

/* Tensors of the file that are no parameters: masks, and the tied head's second copy. */
static int may_be_left(const struct model *m, const char *name)
{
    static const char *const buffers[] = {".attn.bias", ".attn.masked_bias"};
    const size_t n = strlen(name);
    if (m->cfg.architecture == ARCHITECTURE_ENCODER)    /* heads, and blocks above */
        return 1;
    for (int i = 0; i < 2; i++)
        if (n > strlen(buffers[i]) && !strcmp(name + n - strlen(buffers[i]), buffers[i]))
            return 1;
    return m->cfg.tied && !strcmp(name, "lm_head.weight");
}

void checkpoint_load(const struct checkpoint *c, struct model *m)
{
    char *used = zalloc(c->st.n, 1);
    model_init_positions(m);
    for (size_t i = 0; i < m->plan->n_tensors; i++) {
        struct tensor *t = m->plan->tensors[i];
        if (t->kind == TENSOR_PARAM && !t->base)
            load_tensor(c, m, t, used);
    }
    for (size_t i = 0; i < c->st.n; i++)
        if (!used[i] && !may_be_left(m, c->st.entries[i].name))
            die("%s: the model has no place for tensor %s: is this another architecture?", c->file,
                c->st.entries[i].name);
    free(used);
}
