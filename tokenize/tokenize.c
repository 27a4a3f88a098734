/* tokenize - text to token ids and back, and vocabularies from text. */
#include "tokenize/tokenize.h"
#include "base/base.h"
#include "base/file.h"
#include "base/opt.h"
#include <string.h>

enum { SMALLEST = 257 };        /* vocabulary of bytes, with the end of text */

static const char *vocab = "gpt2", *output, *jsonl;
static int decoding, lines, nul, pairs, learn_size, subword, want_pieces;

static const struct opt options[] = {
    {'v', "vocab", OPT_TEXT, &vocab, 0, 0, "bytes, gpt2, or the folder of a vocabulary", NULL},
    {'o', "output", OPT_TEXT, &output, 0, 0, "write there, not to standard output", NULL},
    {'d', "decode", OPT_FLAG, &decoding, 0, 0, "token text back to text", NULL},
    {0, "learn", OPT_INT, &learn_size, 1, 1 << 24,
     "make a vocabulary of that many ids, as the folder -o names", NULL},
    {0, "subword", OPT_FLAG, &subword, 0, 0,
     "with --learn: sub-words as subword-nmt learns them, from that many merges", NULL},
    {0, "pieces", OPT_FLAG, &want_pieces, 0, 0,
     "write the text in sub-words, not ids, as subword-nmt applies them", NULL},
    {0, "lines", OPT_FLAG, &lines, 0, 0, "a line is a document", NULL},
    {0, "nul", OPT_FLAG, &nul, 0, 0, "a NUL ends a document", NULL},
    {0, "jsonl", OPT_TEXT, &jsonl, 0, 0, "a line of JSON is a document; its text is in this field",
     NULL},
    {0, "pairs", OPT_FLAG, &pairs, 0, 0,
     "a document has two sides: lines with a TAB, or the lines of two files", NULL},
    {0},
};

/* What the form options and the operands say. */
static struct document_source source_of(char **operands, int n)
{
    static char standard_input[] = "-", *only[] = {standard_input};
    struct document_source s = {.form = FORM_FILE, .field = jsonl, .operands = operands, .n = n};

    if (lines + nul + pairs + (jsonl != NULL) > 1)
        misuse("--lines, --nul, --jsonl and --pairs exclude each other");
    if (!n) {
        s.operands = only;
        s.n = 1;
    }
    if (lines)
        s.form = FORM_LINES;
    if (nul)
        s.form = FORM_NUL;
    if (jsonl)
        s.form = FORM_JSONL;
    if (pairs)
        s.form = n == 2 ? FORM_TWO_FILES : FORM_PAIRS;
    if (pairs && n > 2)
        misuse("--pairs takes one file with a TAB in each line, or the two files of a pair");
    return s;
}

int main(int argc, char **argv)
{
    static const struct opt *const tables[] = {options, NULL};
    const int first = opt_parse(argc, argv, tables,
                                "[option ...] [FILE ...]\n"
                                "       tokenize --decode [option ...] [TOKENS ...]\n"
                                "       tokenize --pieces -v VOCAB [FILE ...]\n"
                                "       tokenize --learn SIZE [--subword] -o VOCAB [option ...] "
                                "[FILE ...]");
    const struct document_source from = source_of(argv + first, argc - first);
    struct outfile *file = NULL;

    if (decoding + want_pieces + !!learn_size > 1)
        misuse("--decode, --pieces and --learn exclude each other");
    if (subword && !learn_size)
        misuse("--subword goes with --learn; a vocabulary's folder says what it is");
    if (want_pieces && (lines || nul || pairs || jsonl))
        misuse("--pieces keeps lines as they are; leave out the form of the documents");
    if (learn_size && !subword && learn_size < SMALLEST)
        misuse("--learn: '%d' is not an integer in [%d, %d]", learn_size, SMALLEST, 1 << 24);
    if (learn_size && !output)
        misuse("--learn needs -o VOCAB, the folder to make");
    if (learn_size) {
        (subword ? learn_subword : learn)(&from, learn_size, output);
        return finish();
    }
    if (output)
        file = outfile_open(output);
    if (want_pieces)
        pieces(from.operands, from.n, vocab, file ? file->f : stdout);
    else if (decoding)
        decode(from.operands, from.n, from.form, jsonl, file ? file->f : stdout);
    else
        encode(&from, vocab, file ? file->f : stdout);
    if (file)
        outfile_commit(file);
    return finish();
}
