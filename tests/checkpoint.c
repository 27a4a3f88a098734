/* checkpoint - a GPT-2 and a BERT that transformers saved give their logits
 * (tests/golden/make_gpt2_tiny.py, make_bert_mlm.py); what is written is read back bit for bit,
 * whatever the architecture; every flipped bit and every cut of a file is found. */
#include "base/base.h"
#include "base/file.h"
#include "model/checkpoint.h"
#include "model/safetensors.h"
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int tests;

static void report(int good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void report(int good, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    printf("%sok %d - ", good ? "" : "not ", ++tests);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
}

/* Largest difference between a sequence's logits and those in f64 of transformers, and
 * between the mean losses. */
static void compare(struct model *m, const json_t *seq, const char *logits_file, double *logit,
                    double *loss)
{
    const json_t *ids = json_object_get(seq, "ids");
    const json_t *targets = json_object_get(seq, "targets");    /* an encoder's */
    const size_t n = json_array_size(ids);
    const int time = m->time, vocab = m->cfg.vocab;
    int *id = zalloc((size_t)time, sizeof *id), *target = zalloc((size_t)time, sizeof *target);
    float *l = zalloc(tensor_size(m->logits), sizeof *l);
    float *ce = zalloc((size_t)time, sizeof *ce);
    double mean = 0, scored = 0;
    struct mapped want;

    for (size_t i = 0; i < (size_t)time; i++) {
        id[i] = i < n ? (int)json_integer_value(json_array_get(ids, i)) : 0;
        target[i] = targets ? (int)json_integer_value(json_array_get(targets, i))
                  : i + 1 < n ? (int)json_integer_value(json_array_get(ids, i + 1)) : -1;
        scored += target[i] >= 0;
    }
    plan_put(m->plan, m->ids, m->ids->data, id);
    plan_put(m->plan, m->targets, m->targets->data, target);
    plan_forward(m->plan);
    plan_get(m->plan, m->logits, m->logits->data, l);
    plan_get(m->plan, m->loss, m->loss->data, ce);
    if (file_map(logits_file, &want) || want.size != n * (size_t)vocab * sizeof(double))
        die("%s:", logits_file);
    *logit = 0;
    for (size_t i = 0; i < n * (size_t)vocab; i++) {
        double w;
        memcpy(&w, want.data + i * sizeof w, sizeof w);
        *logit = fmax(*logit, fabs(w - l[i]));
    }
    for (int i = 0; i < time; i++)
        mean += ce[i] / scored;
    *loss = fabs(mean - json_number_value(json_object_get(seq, "mean_ce")));
    file_unmap(&want);
    free(id);
    free(target);
    free(l);
    free(ce);
}

/* Tolerances: transformers' own f32 logits are within 6e-6 of its f64 ones. */
static void test_gpt2_tiny(const struct backend *be)
{
    static const char *const names[] = {"len17", "full64"};
    struct checkpoint *c = checkpoint_open("tests/golden/gpt2-tiny");
    struct model *m = model_build(be, &model_config, 1, MODEL_LOSS, 0);
    json_t *all = json_load_file("tests/golden/gpt2-tiny/expected.json", 0, NULL);

    plan_watch(m->logits);
    plan_place(m->plan, NULL);
    checkpoint_load(c, m);
    report(checkpoint_kind(c)->size == 0 && !checkpoint_setting(c, "seed"),
           "a foreign folder has no vocabulary and no settings");
    for (int i = 0; i < 2; i++) {
        char *file = text_of("tests/golden/gpt2-tiny/logits_%s.f64", names[i]);
        const json_t *seq = json_object_get(json_object_get(all, "seqs"), names[i]);
        double logit, loss;
        compare(m, seq, file, &logit, &loss);
        report(logit < 1e-4 && loss < 1e-5, "gpt2-tiny, %s: logits within %.1e, loss within %.1e",
               names[i], logit, loss);
        free(file);
    }
    json_decref(all);
    checkpoint_close(c);
    model_free(m);
}

static void test_bert_mlm(const struct backend *be)
{
    struct checkpoint *c = checkpoint_open("tests/golden/bert-mlm");
    struct model *m = model_build(be, &model_config, 1, MODEL_LOSS, 0);
    json_t *seq = json_load_file("tests/golden/bert-mlm/expected.json", 0, NULL);
    double logit, loss;

    plan_watch(m->logits);
    plan_place(m->plan, NULL);
    checkpoint_load(c, m);
    compare(m, seq, "tests/golden/bert-mlm/logits.f64", &logit, &loss);
    report(logit < 1e-4 && loss < 1e-5, "bert-mlm: logits within %.1e, loss within %.1e", logit,
           loss);
    json_decref(seq);
    checkpoint_close(c);
    model_free(m);
}

/* Write a model, set model_config to something else, read it back: are all bits the same? */
static int round_trip(const struct backend *be, const char *folder)
{
    static const struct token_kind kind = {"bytes", 257, 256};
    const struct model_config cfg = model_config;
    const struct opt *const tables[] = {model_options, NULL};
    const char *more[][2] = {{"seed", "7"}, {NULL, NULL}};
    struct model *a = model_build(be, &cfg, 1, MODEL_LOSS, 0);
    int same = 1;

    plan_place(a->plan, NULL);
    model_init(a, 5);
    checkpoint_write(folder, a, &(struct checkpoint_record){12, &kind, tables, more});
    model_config = (struct model_config){.heads = 1, .width = 1};
    struct checkpoint *c = checkpoint_open(folder);
    same &= !memcmp(&cfg, &model_config, sizeof cfg) && checkpoint_step(c) == 12
         && !strcmp(checkpoint_setting(c, "seed"), "7") && checkpoint_kind(c)->eot == 256;
    struct model *b = model_build(be, &model_config, 2, MODEL_LOSS, 0);
    plan_place(b->plan, NULL);
    checkpoint_load(c, b);
    same &= a->plan->param_floats == b->plan->param_floats
         && !memcmp(a->plan->params, b->plan->params, a->plan->param_floats * sizeof(float));
    checkpoint_close(c);
    model_free(a);
    model_free(b);
    return same;
}

static void test_round_trips(const struct backend *be, const char *folder)
{
    for (int i = 0; placements[i].name; i++)
        for (int k = 0; k < 4; k++) {
            const int odd = k & 1, encoder = k > 1;
            memset(&model_config, 0, sizeof model_config);
            model_config = (struct model_config){
                .placement = i, .norm = odd, .norm_gain = 1, .norm_bias = odd, .bias = odd,
                .layers = 2, .width = 12, .heads = 3, .hidden = odd ? 20 : 0, .context = 5,
                .vocab = 10, .tied = !odd, .positions = odd, .dt = odd ? 0.1 : 1, .eps = 1e-5,
                .embed_scale = 1, .init_std = 0.02, .mask_share = 0.15,
                .architecture = encoder ? ARCHITECTURE_ENCODER : ARCHITECTURE_DECODER,
                .segments = encoder ? 2 : 0, .embed_norm = encoder && odd,
            };
            report(round_trip(be, folder), "%s, %s, %s: what is written is read",
                   encoder ? "encoder" : "decoder", placements[i].name,
                   odd ? "rms, biases, untied, sinusoidal" : "layer, bias-free, tied, learned");
        }
}

/* Every cut and every flipped bit of the file that the last round trip left. */
static void test_damage(const char *folder)
{
    char *file = text_of("%s/model.safetensors", folder);
    struct mapped map;
    struct safetensors st;
    size_t missed = 0, cuts = 0;
    if (file_map(file, &map))
        die("%s:", file);
    unsigned char *copy = zalloc(map.size, 1);

    memcpy(copy, map.data, map.size);
    report(!safetensors_parse(copy, map.size, &st) && st.checked, "a whole file has its checksum");
    safetensors_free(&st);
    for (size_t n = 0; n < map.size; n += n < 4000 ? 1 : 97, cuts++) {
        missed += !safetensors_parse(copy, n, &st);
        safetensors_free(&st);
    }
    report(!missed, "%zu cuts, %zu of them not found", cuts, missed);
    missed = 0;
    for (size_t bit = 0; bit < 8 * map.size; bit += bit < 8 * 1200 ? 1 : 53) {
        copy[bit / 8] ^= (unsigned char)(1u << bit % 8);
        missed += !safetensors_parse(copy, map.size, &st);
        safetensors_free(&st);
        copy[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    report(!missed, "single flipped bits, %zu of them not found", missed);
    free(copy);
    file_unmap(&map);
    free(file);
}

/* A file with this header and `bytes` of data must be refused with a text that holds `want`. */
static void refuse(const char *header, size_t bytes, const char *want)
{
    struct safetensors st;
    const size_t n = strlen(header);
    unsigned char *file = zalloc(8 + n + bytes, 1);
    file[0] = (unsigned char)n;
    file[1] = (unsigned char)(n >> 8);
    memcpy(file + 8, header, n);
    const char *why = safetensors_parse(file, 8 + n + bytes, &st);
    report(why && strstr(why, want), "refused: %s", why ? why : header);
    safetensors_free(&st);
    free(file);
}

#define TENSOR(name, type, shape, begin, end) \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape \
    ",\"data_offsets\":[" #begin "," #end "]}"

static void test_headers(void)
{
    refuse("{" TENSOR("a", "F32", "[2]", 0, 8) "," TENSOR("b", "F32", "[2]", 4, 12) "}", 12,
           "overlapping");
    refuse("{" TENSOR("a", "F32", "[2]", 0, 8) "," TENSOR("b", "F32", "[1]", 12, 16) "}", 16,
           "hole");
    refuse("{" TENSOR("a", "F32", "[2]", 0, 8) "}", 4, "cut short");
    refuse("{" TENSOR("a", "F32", "[2]", 0, 8) "}", 9, "after the last");
    refuse("{" TENSOR("a", "F32", "[3]", 0, 8) "}", 8, "do not hold its shape");
    refuse("{" TENSOR("a", "F32", "[4294967296,4294967296]", 0, 0) "}", 0, "bad size");
    refuse("{" TENSOR("a", "F32", "[-1]", 0, 8) "}", 8, "bad size");
    refuse("{" TENSOR("a", "F31", "[2]", 0, 8) "}", 8, "unknown dtype");
    refuse("{" TENSOR("a", "F32", "[2]", 8, 0) "}", 8, "no pair");
    refuse("{" TENSOR("a", "F32", "[1]", 0, 4) "," TENSOR("a", "F32", "[1]", 4, 8) "}", 8,
           "no JSON");
    refuse("{\"__metadata__\":{\"a\":1}}", 0, "no string");
    refuse("[]", 0, "no JSON object");
}

/* The number of a binary16's bits, by IEEE 754's definition. */
static float half_value(int bits)
{
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const float size = exponent == 31 ? (fraction ? NAN : INFINITY)
                     : exponent ? ldexpf((float)(1024 + fraction), exponent - 25)
                     : ldexpf((float)fraction, -24);
    return bits >> 15 ? -size : size;
}

/* Every number of binary16 and of bfloat16. */
static void test_widening(void)
{
    static const char *const types[] = {"F16", "BF16"};
    enum { N = 1 << 16 };
    unsigned char *file = zalloc(8 + 256 + 2 * N, 1);
    float *out = zalloc(N, sizeof *out);
    for (int k = 0; k < 2; k++) {
        struct safetensors st;
        size_t wrong = 0;
        const int n = snprintf((char *)file + 8, 256, "{\"x\":{\"dtype\":\"%s\",\"shape\":[%d],"
                               "\"data_offsets\":[0,%d]}}", types[k], N, 2 * N);
        file[0] = (unsigned char)n;
        for (int i = 0; i < N; i++) {
            file[8 + n + 2 * i] = (unsigned char)i;
            file[8 + n + 2 * i + 1] = (unsigned char)(i >> 8);
        }
        const char *why = safetensors_parse(file, 8 + (size_t)n + 2 * N, &st);
        if (why || (why = safetensors_floats(&st, st.entries, out)))
            die("%s", why);
        for (int i = 0; i < N; i++) {
            const uint32_t wide = (uint32_t)i << 16;
            float want;
            memcpy(&want, &wide, sizeof want);
            want = k ? want : half_value(i);
            wrong += isnan(want) ? !isnan(out[i]) : memcmp(&want, &out[i], sizeof want) != 0;
        }
        report(!wrong, "%s is widened exactly", types[k]);
        safetensors_free(&st);
    }
    free(file);
    free(out);
}

int main(void)
{
    char folder[] = "/tmp/keel-checkpoint-XXXXXX";
    const struct backend *be = backend_open("cpu", NULL);
    program = "checkpoint";
    if (!mkdtemp(folder))
        die("%s:", folder);
    test_gpt2_tiny(be);
    test_bert_mlm(be);
    test_round_trips(be, folder);
    test_damage(folder);
    test_headers();
    test_widening();
    remove_folder(folder);
    printf("1..%d\n", tests);
    return finish();
}
