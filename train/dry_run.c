#include "base/base.h"
#include "base/tsv.h"
#include "graph/device.h"
#include "train/train.h"

static void row(const char *name, double value)
{
    printf("%s\t%.0f\n", name, value);
}

void dry_run(const char *data)
{
    if (data) {
        struct shards *s = shards_open(data, "train");
        const struct masking mask = masking_for(shards_kind(s), model_mask_share(&model_config));
        model_config_for_vocab(masking_ids(&mask));
        shards_close(s);
    }
    if (!model_config.vocab)
        misuse("--dry-run: the number of token ids is not known; name DATA or --vocab");
    struct model *m = learner_model(device_open(), &model_config, &learn_config);
    struct plan *p = m->plan;
    const struct tensor *position = plan_find(p, "embed.position.weight");
    const double parameters = (double)plan_parameters(p);
    const double tokens = (double)m->batch * m->time;

    plan_layout(p);
    const double params = 4.0 * (double)p->param_floats, work = 4.0 * (double)p->work_floats;
    const double narrow = 4.0 * (double)p->narrow_floats;
    const double moments = learner_moments(&learn_config) * params;
    tsv_provenance(stdout, recorded);
    puts("quantity\tvalue");
    row("parameters", parameters);
    row("parameters_without_positions",
        parameters - (position->kind == TENSOR_PARAM ? (double)tensor_size(position) : 0));
    row("flops_per_token", (3 * plan_flops(p) + plan_flops_again(p)) / tokens);
    row("tokens_per_step", tokens * learn_config.accumulate);
    row("bytes_parameters", params + narrow);
    row("bytes_gradients", params);
    row("bytes_optimizer", moments);
    row("bytes_activations", work);
    row("bytes_total", 2 * params + narrow + moments + work);
    model_free(m);
}
