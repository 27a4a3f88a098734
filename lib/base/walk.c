#include "base/walk.h"
#include "base/base.h"
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    char *const *operands;
    int n, at;
    FTS *folder;            /* the operand that is being walked */
};

struct walk *walk_open(char *const *operands, int n)
{
    struct walk *w = zalloc(1, sizeof *w);
    *w = (struct walk){operands, n, 0, NULL};
    return w;
}

void walk_close(struct walk *w)
{
    if (w->folder)
        fts_close(w->folder);
    free(w);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* The next file of the operand that is open, or NULL. */
static const char *next_below(struct walk *w)
{
    for (FTSENT *e; (e = fts_read(w->folder));) {
        if (e->fts_level > 0 && e->fts_name[0] == '.') {
            fts_set(w->folder, e, FTS_SKIP);
            continue;
        }
        errno = e->fts_errno;
        switch (e->fts_info) {
        case FTS_F:
        case FTS_DEFAULT:       /* a device or a pipe, when it is named itself */
            if (e->fts_info == FTS_F || e->fts_level == 0)
                return e->fts_path;
            break;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS:
            die("%s:", e->fts_path);
        case FTS_SLNONE:
            die("%s: a link to nothing", e->fts_path);
        case FTS_DC:
            die("%s: a folder that holds itself", e->fts_path);
        }
    }
    return NULL;
}

const char *walk_next(struct walk *w)
{
    for (;;) {
        if (w->folder) {
            const char *path = next_below(w);
            if (path)
                return path;
            fts_close(w->folder);
            w->folder = NULL;
        }
        if (w->at == w->n)
            return NULL;
        char *operand = w->operands[w->at++], *list[] = {operand, NULL};
        if (!strcmp(operand, "-"))
            return operand;
        w->folder = fts_open(list, FTS_LOGICAL | FTS_NOCHDIR, by_name);
        if (!w->folder)
            die("%s:", operand);
    }
}
