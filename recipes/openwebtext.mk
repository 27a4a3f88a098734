# openwebtext.mk - OpenWebText as its users have it, as token text for shard.
#
#   OWT=PATH   JSON lines (.jsonl, .jsonl.gz, .jsonl.zst; the text in "text"), or text (a file
#              is a document): a file, or a folder of either
#
# Hugging Face's parquet becomes JSON lines with any tool that reads it, DuckDB for one:
#   duckdb -c "COPY (SELECT text FROM 'PATH/*.parquet') TO 'owt.jsonl.gz'
#              (FORMAT json, COMPRESSION gzip)"
#
# To expect (GPT-2's vocabulary, an end of text after each document): 8,013,769 documents,
# 9,040,017,095 tokens.  nanoGPT's split puts 4,007 documents into val: 9,035,582,198 and
# 4,434,897 tokens.  Ours draws the same share with another generator, so its val differs
# by a few documents.

OWT     = owt
OWT_IS_JSON = $(shell find $(OWT) -name '*.jsonl*' 2>/dev/null | head -n 1)

CORPUS = $(OWT)
TOKENS = $(BIN)/tokenize -v gpt2 $(if $(OWT_IS_JSON),--jsonl text) $(OWT)
SHARD  = --val-fraction 0.0005 --seed 2357

$(OWT):
	@echo "recipes/openwebtext.mk: '$@' is not there; give OWT=PATH, OpenWebText as JSON lines or text" >&2
	@exit 1
