#include "base/tsv.h"
#include "base/base.h"
#include <math.h>
#include <stdlib.h>

void tsv_note(FILE *f, const char *key, const char *value)
{
    if (!value)
        return;
    fprintf(f, "# %s=", key);
    for (; *value; value++)
        fputc(*value == '\n' ? ' ' : *value, f);
    fputc('\n', f);
}

void tsv_provenance(FILE *f, const struct opt *const tables[])
{
    tsv_note(f, "command", opt_command);
    tsv_note(f, "version", KEEL_VERSION);
    for (; tables && *tables; tables++)
        for (const struct opt *o = *tables; o->name; o++) {
            char *value = opt_value(o);
            tsv_note(f, o->name, value);
            free(value);
        }
}

void tsv_number(FILE *f, double v)
{
    if (isnan(v))
        fputs("nan", f);
    else if (isinf(v))
        fputs(v < 0 ? "-inf" : "inf", f);
    else if (v == floor(v) && fabs(v) < 1e15)
        fprintf(f, "%.0f", v);
    else
        fprintf(f, "%.9g", v);
}

void tsv_double(FILE *f, double v)
{
    char text[32];
    for (int digits = 9; isfinite(v) && digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v) {
            fputs(text, f);
            return;
        }
    }
    tsv_number(f, v);
}

void tsv_cell(FILE *f, double v)
{
    fputc('\t', f);
    tsv_number(f, v);
}
