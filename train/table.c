#include "base/base.h"
#include "base/file.h"
#include "base/tsv.h"
#include "train/train.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char header[] = "step\ttokens\tloss\tval_loss\tlr\tgrad_norm\tma\ttokens_per_second\n";

static void open_table(struct table *t)
{
    t->f = fopen(t->path, "a");
    if (!t->f)
        die("%s:", t->path);
}

void table_begin(struct table *t, const char *folder)
{
    *t = (struct table){.path = text_of("%s/train.tsv", folder)};
    struct outfile *o = outfile_open(t->path);
    tsv_provenance(o->f, recorded);
    fputs(header, o->f);
    outfile_commit(o);
    open_table(t);
}

/* Keep a line?  Provenance and header stand first; a row counts up to `step`; a line without
 * its end, or the verdict on a run that diverged, is not kept. */
static int is_kept(const char *line, size_t n, int rows_begun, long long step)
{
    if (!n || line[n - 1] != '\n')
        return 0;
    return rows_begun ? isdigit((unsigned char)*line) && atoll(line) <= step : 1;
}

void table_resume(struct table *t, const char *folder, long long step)
{
    char *line = NULL;
    size_t room = 0;
    int rows_begun = 0;

    *t = (struct table){.path = text_of("%s/train.tsv", folder)};
    FILE *f = fopen(t->path, "r");
    if (!f) {                   /* ended between its first checkpoint and this file */
        free(t->path);
        table_begin(t, folder);
        return;
    }
    struct outfile *o = outfile_open(t->path);
    for (ssize_t n; (n = getline(&line, &room, f)) > 0;) {
        if (is_kept(line, (size_t)n, rows_begun, step))
            fwrite(line, 1, (size_t)n, o->f);
        rows_begun |= !strcmp(line, header);
    }
    if (ferror(f))
        die("%s:", t->path);
    if (!rows_begun)
        die("%s: no table of train: its header row is missing", t->path);
    fclose(f);
    free(line);
    outfile_commit(o);
    open_table(t);
}

static void flush(struct table *t)
{
    if (fflush(t->f) || ferror(t->f))
        die("%s:", t->path);
}

void table_row(struct table *t, const struct learner *l, long long step,
               const struct step_record *s, const double *val, double ma)
{
    const double tokens = (double)l->cfg.batch * l->model->time * l->cfg.accumulate;
    fprintf(t->f, "%lld", step);
    tsv_cell(t->f, tokens * (double)step);
    tsv_cell(t->f, s->loss);
    if (val)
        tsv_cell(t->f, *val);
    else
        fputc('\t', t->f);
    tsv_cell(t->f, s->lr);
    tsv_cell(t->f, s->grad_norm);
    tsv_cell(t->f, ma);
    tsv_cell(t->f, t->seconds > 0 ? round(t->tokens / t->seconds) : 0);
    fputc('\n', t->f);
    t->tokens = t->seconds = 0;
    flush(t);
}

void table_diverged(struct table *t, long long step, const char *why)
{
    fprintf(t->f, "# diverged=%lld\n", step);
    tsv_note(t->f, "diverged_because", why);
    flush(t);
}

void table_sync(struct table *t)
{
    flush(t);
    if (fsync(fileno(t->f)))
        die("%s:", t->path);
}
