#include "base/base.h"
#include "base/file.h"
#include "graph/device.h"
#include "train/train.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Only one program at a time may write to a run. */
static void lock(const char *folder)
{
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        die("%s:", folder);
    if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
        die("%s: another train is at work in it", folder);
}

static void refuse_old_run(const char *folder)
{
    size_t n = 0;
    char *table = text_of("%s/train.tsv", folder);
    if (!access(folder, F_OK))
        free(checkpoint_list(folder, &n));
    if (n || !access(table, F_OK))
        die("%s: a run is in it; go on with train --resume, or name another folder", folder);
    free(table);
}

static void claim(const char *folder)
{
    make_folder(folder);
    lock(folder);
    refuse_old_run(folder);
}

static void open_data(struct run *r, const char *data)
{
    r->train = shards_open(data, "train");
    r->val = shards_open(data, "val");
    r->mask = masking_for(shards_kind(r->train), model_mask_share(&model_config));
    r->data = realpath(data, NULL);
    if (!r->data)
        die("%s:", data);
    const unsigned long long val = shards_tokens(r->val), train = shards_tokens(r->train);
    const unsigned long long window = (unsigned long long)model_config.context + 1;
    if (train < window)
        die("%s: its training split has %llu tokens, and a window with its target needs %llu", data,
            train, window);
    if (val < window) {
        warn("%s: its validation split has %llu tokens, less than a window: no validation", data,
             val);
        shards_close(r->val);
        r->val = NULL;
    }
}

struct run *run_begin(const char *folder, const char *data)
{
    struct run *r = zalloc(1, sizeof *r);
    *r = (struct run){.folder = folder, .command = copy_text(opt_command), .be = device_open(),
                      .state = {NAN, NAN}};
    refuse_old_run(folder);         /* before the work, and again when it is ours */
    open_data(r, data);
    model_config_for_vocab(masking_ids(&r->mask));
    r->learner = learner_new(r->be, &model_config, &learn_config);
    model_init(r->learner->model, (unsigned long long)learn_config.seed);
    claim(folder);
    run_checkpoint(r);
    table_begin(&r->table, folder);
    return r;
}

/* A setting that every checkpoint of train has. */
static const char *recorded_text(const struct checkpoint *c, const char *name)
{
    const char *text = checkpoint_setting(c, name);
    if (!text)
        die("%s: no run of train: it records no %s", checkpoint_folder(c), name);
    return text;
}

static void check_data(const struct run *r, const struct checkpoint *c)
{
    const unsigned long long tokens = strtoull(recorded_text(c, "data-tokens"), NULL, 10);
    checkpoint_check_kind(c, shards_kind(r->train), r->data);
    if (shards_tokens(r->train) != tokens)
        die("%s: has %llu training tokens, and the run was begun with %llu", r->data,
            (unsigned long long)shards_tokens(r->train), tokens);
    if (strcmp(recorded_text(c, "backend"), r->be->name))
        warn("%s: begun on %s and resumed on %s: results may differ in the last bits", r->folder,
             recorded_text(c, "backend"), r->be->name);
}

struct run *run_resume(const char *folder, const char *data)
{
    struct run *r = zalloc(1, sizeof *r);
    size_t n;
    free(checkpoint_list(folder, &n));
    if (!n)
        die("%s: no checkpoint of a run is in it; begin one with -o", folder);
    lock(folder);
    struct checkpoint *c = checkpoint_open(folder);
    checkpoint_settings(c, learn_options);
    checkpoint_settings(c, run_options);
    checkpoint_settings(c, device_options);
    if (opt_given("steps") && learn_config.steps < checkpoint_step(c))
        misuse("--steps: %lld are less than the %lld that %s has behind it", learn_config.steps,
               checkpoint_step(c), folder);
    *r = (struct run){.folder = folder, .command = copy_text(recorded_text(c, "command")),
                      .be = device_open()};
    open_data(r, data ? data : recorded_text(c, "data"));
    check_data(r, c);
    r->learner = learner_new(r->be, &model_config, &learn_config);
    checkpoint_load(c, r->learner->model);
    state_read(checkpoint_folder(c), r->learner, &r->state);
    if (r->learner->step != checkpoint_step(c))
        die("%s: its model is of step %lld and its state of step %lld", checkpoint_folder(c),
            checkpoint_step(c), r->learner->step);
    table_resume(&r->table, folder, r->learner->step);
    checkpoint_close(c);
    return r;
}

void run_end(struct run *r)
{
    if (r->table.f && fclose(r->table.f))
        die("%s:", r->table.path);
    learner_free(r->learner);
    shards_close(r->train);
    if (r->val)
        shards_close(r->val);
    free(r->table.path);
    free(r->data);
    free(r->command);
    free(r);
}

/* Remove all but the newest; each is renamed first, so that none is ever seen half. */
static void drop_old(const struct run *r)
{
    size_t n;
    long long *steps = checkpoint_list(r->folder, &n);
    for (size_t i = 0; i + (size_t)run_config.keep < n; i++) {
        char *path = checkpoint_path(r->folder, steps[i]);
        char *temp = text_of("%s/.step-%08lld.%ld.tmp", r->folder, steps[i], (long)getpid());
        if (rename(path, temp))
            die("%s:", path);
        remove_folder(temp);
        free(path);
        free(temp);
    }
    free(steps);
}

void run_checkpoint(struct run *r)
{
    char *path = checkpoint_path(r->folder, r->learner->step), tokens[32];
    const char *more[][2] = {{"command", r->command}, {"data", r->data}, {"data-tokens", tokens},
                             {"backend", r->be->name}, {NULL, NULL}};
    snprintf(tokens, sizeof tokens, "%llu", (unsigned long long)shards_tokens(r->train));
    if (access(path, F_OK)) {
        if (r->table.f)
            table_sync(&r->table);
        char *temp = outdir_begin(path);
        checkpoint_write(temp, r->learner->model,
                         &(struct checkpoint_record){r->learner->step, shards_kind(r->train),
                                                     recorded, more});
        state_write(temp, r->learner, &r->state);
        outdir_commit(temp, path);
        if (run_config.keep)
            drop_old(r);
    }
    free(path);
}
