/* shard.c - token text on stdin into a shard set; sets checked, described, streamed
 * back, and carried to and from nanoGPT's and llm.c's files. */
#include "shard/shard.h"
#include "base/base.h"
#include "base/opt.h"
#include "base/progress.h"
#include <string.h>

#define NANOGPT_FRACTION 0.0005     /* and its seed, of numpy's generator */
enum { NANOGPT_SEED = 2357 };

static struct making how = {.split = "document", .fraction = NANOGPT_FRACTION, .level = 1,
                            .shard_tokens = 100000000};
static const char *split, *vocab = "gpt2";
static int want_stream, want_verify, want_info, to, from;

static const struct opt options[] = {
    {'o', "output", OPT_TEXT, &how.output, 0, 0, "the set to make, or with --to the folder", NULL},
    {'c', "stream", OPT_FLAG, &want_stream, 0, 0, "write a set as token text to stdout", NULL},
    {0, "verify", OPT_FLAG, &want_verify, 0, 0, "check every byte of a set", NULL},
    {0, "info", OPT_FLAG, &want_info, 0, 0, "describe a set", NULL},
    {0, "split", OPT_TEXT, &split, 0, 0,
     "document, nanogpt or none: how val is chosen; with -c: train or val", NULL},
    {0, "val-fraction", OPT_REAL, &how.fraction, 0, 1, "of the documents that go to val", NULL},
    {0, "val-tail", OPT_REAL, &how.tail, 0, 1, "val is the last fraction of the tokens", NULL},
    {'s', "seed", OPT_COUNT, &how.seed, 0, 9e18, "of the split and the order", NULL},
    {0, "shuffle", OPT_FLAG, &how.shuffle, 0, 0, "put the documents into a random order", NULL},
    {'n', "shard-tokens", OPT_COUNT, &how.shard_tokens, 1024, 2147483647,
     "tokens in a shard, or in a file of --to llmc", NULL},
    {0, "level", OPT_INT, &how.level, -7, 19, "of compression", NULL},
    {0, "partial", OPT_FLAG, &how.partial, 0, 0, "keep what is whole of a cut stream", NULL},
    {0, "from", OPT_CHOICE, &from, 0, 0, "read .bin files instead of token text", bin_names},
    {0, "to", OPT_CHOICE, &to, 0, 0, "write a set as .bin files", bin_names},
    {'v', "vocab", OPT_TEXT, &vocab, 0, 0, "what the ids of --from mean: bytes, gpt2 or a folder",
     NULL},
    {0},
};

/* Deal out the token text of a file; "-" is stdin. */
static void make_set(const char *path)
{
    const int is_stdin = !strcmp(path, "-");
    const char *name = is_stdin ? "stdin" : path, *why;
    struct token_reader *r;
    struct token_kind kind;
    struct token_part part;
    struct progress p = progress_begin("tokens", 0, 0);
    uint64_t tokens = 0;
    int more = 1, inside = 0;
    FILE *f = is_stdin ? stdin : fopen(path, "rb");

    if (!f)
        die("%s:", path);
    if ((why = tokens_open(f, &r, &kind)))
        die("%s: %s", name, why);
    struct deal *d = deal_begin(&how, &kind);
    while (!(why = tokens_part(r, &part, &more)) && more) {
        deal_ids(d, part.ids, part.n, part.side);
        inside = !part.end;
        if (part.end)
            deal_end_document(d);
        tokens += part.n;
        progress_show(&p, (double)tokens, NULL);
    }
    if (why && !(how.partial && tokens_cut(r)))
        die("%s: %s%s", name, why, tokens_cut(r) ? "; --partial keeps what came" : "");
    if (why && inside)
        deal_cut(d);
    if (why)
        warn("%s: %s; what came is kept", name, why);
    progress_end(&p);
    tokens_close(r);
    deal_finish(d);
    if (!is_stdin)
        fclose(f);
}

static void settle_split(void)
{
    const int nanogpt = split && !strcmp(split, "nanogpt");
    if (split && !nanogpt && strcmp(split, "document") && strcmp(split, "none"))
        misuse("--split: '%s' is none of document, nanogpt, none", split);
    if (how.tail > 0 && (split || opt_given("val-fraction")))
        misuse("--val-tail chooses val; --split and --val-fraction do, too");
    if (how.tail >= 1 || how.fraction >= 1)
        misuse("a fraction of 1 leaves nothing to train on");
    if (nanogpt && !opt_given("seed"))
        how.seed = NANOGPT_SEED;
    if (nanogpt && how.shuffle)
        misuse("--split nanogpt has an order of its own; leave out --shuffle");
    if (split)
        how.split = split;
}

static const char *one_set(int argc, char **argv, int first)
{
    if (argc - first != 1)
        misuse("one shard set is to be named; see %s -h", program);
    return argv[first];
}

int main(int argc, char **argv)
{
    const struct opt *const tables[] = {options, NULL};
    const int first = opt_parse(argc, argv, tables,
        "[option ...] -o DATA [FILE]\n       shard -c [--split train|val] DATA\n"
        "       shard --verify DATA\n       shard --info DATA\n"
        "       shard --from nanogpt|llmc [option ...] -o DATA FILE ...\n"
        "       shard --to nanogpt|llmc -o FOLDER DATA");
    if (want_stream + want_verify + want_info + !!to + !!from > 1)
        misuse("only one of -c, --verify, --info, --to and --from at once");
    if (want_stream) {
        if (split && strcmp(split, "train") && strcmp(split, "val"))
            misuse("--split: with -c it is train or val, not '%s'", split);
        stream(one_set(argc, argv, first), split);
    } else if (want_verify) {
        verify(one_set(argc, argv, first));
    } else if (want_info) {
        show_info(one_set(argc, argv, first));
    } else if (!how.output) {
        misuse("-o names the shard set to make; see %s -h", program);
    } else if (to) {
        bins_export(to, one_set(argc, argv, first), &how);
    } else {
        settle_split();
        if (argc - first > 1 && !from)
            misuse("one file of token text at most; use cat(1) for more");
        if (from)
            bins_import(from, argv + first, argc - first, &how, vocab);
        else
            make_set(argc > first ? argv[first] : "-");
    }
    return finish();
}
