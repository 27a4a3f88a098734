/* walk.h - the files that operands name: a file or "-" is itself, a folder is every
 * file below it in the order of their names, but for names that begin with a dot. */
#pragma once

struct walk;
struct walk *walk_open(char *const *operands, int n);
/* The next path, valid until the next call; NULL after the last.  Dies on what cannot be read. */
const char *walk_next(struct walk *w);
void walk_close(struct walk *w);
