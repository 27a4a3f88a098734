#include "data/mask.h"
#include "base/random.h"
#include "text/vocab.h"
#include <string.h>

enum { SITE_HIDE = 0x68696465 /* "hide" */, SITE_SHOW, SITE_OTHER, SITE_LEAST };

struct masking masking_for(const struct token_kind *kind, double share)
{
    struct masking m = {share, kind->size, kind->size};
    static const char *const without[] = {"", "?", "bytes", "gpt2"};
    size_t k = 0;
    while (k < sizeof without / sizeof *without && strcmp(kind->vocab, without[k]))
        k++;
    if (k == sizeof without / sizeof *without) {
        struct vocab *v = vocab_open(kind->vocab);
        m.mask = vocab_mask(v) < 0 ? kind->size : vocab_mask(v);
        vocab_free(v);
    }
    return m;
}

int masking_ids(const struct masking *m)
{
    return m->share > 0 && m->mask >= m->ids ? m->mask + 1 : m->ids;
}

static double uniform(uint64_t seed, uint32_t site, uint64_t element)
{
    return (double)random_uniform(random_word(seed, site, 0, element));
}

static void hide(const struct masking *m, uint64_t seed, uint64_t element, int *id, int *target)
{
    const double what = uniform(seed, SITE_SHOW, element);
    *target = *id;
    if (what < 0.8)
        *id = m->mask;
    else if (what < 0.9)
        *id = (int)random_below(seed, SITE_OTHER, 0, element, (uint64_t)m->ids);
}

void mask_window(const struct masking *m, uint64_t seed, uint64_t k, int *ids, int *targets,
                 int n)
{
    int hidden = 0;
    for (int i = 0; i < n; i++) {
        const uint64_t element = k * (uint64_t)n + (uint64_t)i;
        targets[i] = -1;
        if (uniform(seed, SITE_HIDE, element) < m->share) {
            hide(m, seed, element, &ids[i], &targets[i]);
            hidden++;
        }
    }
    if (!hidden) {
        const uint64_t i = random_below(seed, SITE_LEAST, 0, k, (uint64_t)n);
        hide(m, seed, k * (uint64_t)n + i, &ids[i], &targets[i]);
    }
}
