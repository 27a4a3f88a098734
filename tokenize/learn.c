#include "tokenize.h"
#include "base/base.h"
void learn(const struct document_source *from, int size, const char *path)
{
    (void)from;
    die("--learn %d -o %s: not there yet", size, path);
}
