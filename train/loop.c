#include "base/base.h"
#include "base/progress.h"
#include "data/batch.h"
#include "train/train.h"
#include <math.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t stopped;       /* by this signal */

/* The first signal ends the run after the step under way, a second one at once. */
static void note_signal(int sig)
{
    stopped = sig;
}

/* Those that are ignored, as in a shell's background, stay so. */
static void catch_signals(void)
{
    const struct sigaction a = {.sa_handler = note_signal,
                                .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    static const int ending[] = {SIGINT, SIGTERM};
    for (int i = 0; i < 2; i++) {
        struct sigaction now;
        if (!sigaction(ending[i], NULL, &now) && now.sa_handler != SIG_IGN)
            sigaction(ending[i], &a, NULL);
    }
}

/* Mean loss over the first windows of the validation split; NAN without one. */
static double validate(struct run *r)
{
    const struct learn_config *c = &r->learner->cfg;
    double sum = 0, n = 0;
    if (!r->val)
        return NAN;
    struct batches *b = batches_open(r->val, c->batch, r->learner->model->time, WINDOWS_IN_ORDER,
                                     &r->mask, (uint64_t)c->seed, 0);
    const struct batch *one;
    for (long long i = 0; (!run_config.eval_batches || i < run_config.eval_batches)
                          && (one = batches_next(b)); i++)
        learner_evaluate(r->learner, one->ids, one->targets, &sum, &n);
    batches_close(b);
    r->state.last = isfinite(sum / n) ? sum / n : INFINITY;
    if (isnan(r->state.best) || r->state.last < r->state.best)
        r->state.best = r->state.last;
    return sum / n;
}

static int due(long long step, long long every)
{
    return every && step % every == 0;
}

static void feed(struct learner *l, struct batches *b)
{
    for (int i = 0; i < l->cfg.accumulate; i++) {
        const struct batch *one = batches_next(b);
        learner_feed(l, one->ids, one->targets);
    }
}

/* One update, fed before, and its row; meanwhile the next one is fed.  0 when the run has
 * diverged in it. */
static int step(struct run *r, struct batches *b, struct step_record *s)
{
    struct learner *l = r->learner;
    const double begin = seconds_now();
    const long long now = l->step + 1;

    learner_begin(l);
    if (now < l->cfg.steps)
        feed(l, b);
    const int fine = learner_end(l, s);
    r->table.seconds += seconds_now() - begin;
    r->table.tokens += (double)l->cfg.batch * l->model->time * l->cfg.accumulate;

    const int evaluate = fine && (now == l->cfg.steps || due(now, run_config.eval_every));
    if (!fine || evaluate || due(now, run_config.log_every)) {
        const double ma = learner_last_ma(l), val = evaluate ? validate(r) : NAN;
        table_row(&r->table, l, now, s, evaluate && r->val ? &val : NULL, ma);
    }
    return fine && !isinf(r->state.last);
}

static void show(struct progress *p, const struct run *r, const struct step_record *s,
                 double tokens)
{
    char note[80];
    snprintf(note, sizeof note, "step %lld  loss %.4f", r->learner->step, s->loss);
    progress_show(p, (double)r->learner->step * tokens, note);
}

static int end_diverged(struct run *r, long long at, const char *why)
{
    table_diverged(&r->table, at, why);
    run_checkpoint(r);
    warn("%s: diverged at step %lld: %s", r->folder, at, why);
    return EXIT_DIVERGED;
}

/* The step `s` could not be made: say what was not finite. */
static int end_not_finite(struct run *r, const struct step_record *s)
{
    char why[80];
    const int loss = !isfinite(s->loss);
    const double v = loss ? s->loss : s->grad_norm;
    snprintf(why, sizeof why, "the %s is %s", loss ? "loss" : "gradient's norm",
             isnan(v) ? "nan" : "infinite");
    return end_diverged(r, r->learner->step + 1, why);
}

/* The end by a signal, as its sender expects it, with the way on. */
static int end_stopped(struct run *r, int sig)
{
    run_checkpoint(r);
    warn("stopped at step %lld; go on with: train --resume %s", r->learner->step, r->folder);
    raise(sig);
    return EXIT_FAILED;
}

int run_train(struct run *r)
{
    struct learner *l = r->learner;
    const double tokens = (double)l->cfg.accumulate * l->cfg.batch * l->model->time;
    struct progress p = progress_begin("tokens", (double)l->step * tokens,
                                       (double)l->cfg.steps * tokens);
    struct batches *b = batches_open(r->train, l->cfg.batch, l->model->time, WINDOWS_RANDOM,
                                     &r->mask, (uint64_t)l->cfg.seed,
                                     (uint64_t)l->step * (uint64_t)l->cfg.accumulate);
    struct step_record s = {0};
    int fine = !isinf(r->state.last);

    catch_signals();
    if (fine && l->step < l->cfg.steps)
        feed(l, b);
    while (fine && l->step < l->cfg.steps && !stopped) {
        fine = step(r, b, &s);
        show(&p, r, &s, tokens);
        if (fine && l->step < l->cfg.steps && due(l->step, run_config.checkpoint_every))
            run_checkpoint(r);
    }
    batches_close(b);
    progress_end(&p);
    if (!fine && !isinf(r->state.last))
        return end_not_finite(r, &s);
    if (fine && l->step < l->cfg.steps)
        return end_stopped(r, stopped);
    const char *why = diverged(&l->cfg, r->state.last, r->state.best);
    if (why)
        return end_diverged(r, l->step, why);
    run_checkpoint(r);
    return EXIT_OK;
}
