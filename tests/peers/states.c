/* states FOLDER [LAYER] - what a model makes of token ids, for tests/peers/check_hf.py: of each
 * line of ids on stdin the logits, or an encoder's hidden states after LAYER blocks, as f32 on
 * stdout, a row for each id.  An encoder's logits are those of a line as long as its context. */
#include "base/base.h"
#include "kernels/backend.h"
#include "model/checkpoint.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t read_ids(char *line, int *ids, size_t most)
{
    size_t n = 0;
    for (char *end; n < most; line = end) {
        const long id = strtol(line, &end, 10);
        if (end == line)
            break;
        ids[n++] = (int)id;
    }
    return n;
}

int main(int argc, char **argv)
{
    program = "states";
    if (argc < 2)
        misuse("states FOLDER [LAYER] <IDS");
    const struct backend *be = backend_open("cpu", NULL);
    struct checkpoint *c = checkpoint_open(argv[1]);
    const int hidden = argc > 2;
    const size_t time = (size_t)model_config.context;
    struct model *m = hidden ? model_build_encoder(be, &model_config, 1, (int)time, atoi(argv[2]))
                             : model_build(be, &model_config, 1, MODEL_LOSS, 0);
    struct tensor *out = hidden ? m->stream[m->n_stream - 1] : m->logits;
    int *ids = zalloc(time, sizeof *ids);
    char *line = NULL;
    size_t room = 0;

    plan_watch(out);
    plan_place(m->plan, NULL);
    checkpoint_load(c, m);
    float *host = zalloc(tensor_size(out), sizeof *host);
    while (getline(&line, &room, stdin) > 0) {
        memset(ids, 0, time * sizeof *ids);
        const int n = (int)read_ids(line, ids, time);
        plan_put(m->plan, m->ids, m->ids->data, ids);
        if (hidden)
            plan_put(m->plan, m->lengths, m->lengths->data, &n);
        else
            plan_put(m->plan, m->targets, m->targets->data, ids);
        plan_forward(m->plan);
        plan_get(m->plan, out, out->data, host);
        fwrite(host, sizeof *host, (size_t)n * (size_t)out->cols, stdout);
    }
    free(line);
    free(ids);
    free(host);
    model_free(m);
    checkpoint_close(c);
    return finish();
}
