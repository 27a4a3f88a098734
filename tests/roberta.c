/* roberta.c - RoBERTa's tokens of texts that have its marks in them, as transformers 4 gives them
 * (tests/golden/make_roberta_marks.py).  Exact. */
#include "text/roberta.h"
#include "base/base.h"
#include "tests/tap.h"
#include "text/vocab.h"
#include <jansson.h>
#include <stdlib.h>

static int same(const struct ids *got, const json_t *want)
{
    int good = got->n == json_array_size(want);
    for (size_t i = 0; good && i < got->n; i++)
        good = got->at[i] == json_integer_value(json_array_get(want, i));
    return good;
}

int main(void)
{
    program = "roberta";
    const char *folder = "tests/golden/roberta-tiny";
    struct vocab *v = vocab_open(folder);
    struct roberta *r = roberta_new(v);
    json_t *rows = json_load_file("tests/golden/roberta-tiny/marks.json", 0, NULL), *row;
    struct ids ids = {0};
    size_t i, cut = 0;

    json_array_foreach(rows, i, row) {
        const json_t *text = json_object_get(row, "text");
        cut += (size_t)roberta_encode(r, json_string_value(text), json_string_length(text), 64,
                                      &ids);
        ok(same(&ids, json_object_get(row, "ids")), "%.30s", json_string_value(text));
    }
    ok(i > 20 && cut == 2 && roberta_is_frame(r, 0) && roberta_is_frame(r, 2)
       && !roberta_is_frame(r, 1), "%zu texts, of which %zu are cut", i, cut);
    json_decref(rows);
    free(ids.at);
    roberta_free(r);
    vocab_free(v);
    return tap_end();
}
