#include "shard/shard.h"
#include "base/base.h"
void bins_import(int form, char **paths, int n, const struct making *how, const char *vocab)
{
    (void)form, (void)paths, (void)n, (void)how, (void)vocab;
    die("--from is not there yet");
}
void bins_export(int form, const char *data, const char *output)
{
    (void)form, (void)data, (void)output;
    die("--to is not there yet");
}
