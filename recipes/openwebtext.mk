# openwebtext.mk - OpenWebText as its users have it, as token text for shard.
#
#   OWT=PATH   a file, or a folder, of one of these:
#       Hugging Face's parquet (.parquet; the text in "text"): read by DuckDB's command, DUCKDB
#       JSON lines (.jsonl, .jsonl.gz, .jsonl.zst; the text in "text")
#       text: a file is a document
#
# To expect (GPT-2's vocabulary, an end of text after each document): 8,013,769 documents,
# 9,040,017,095 tokens.  nanoGPT's split puts 4,007 documents into val: 9,035,582,198 and
# 4,434,897 tokens.  Ours draws the same share with another generator, so its val differs
# by a few documents.

OWT     = owt
DUCKDB  = duckdb

# The first file of that kind.
owt_has = $(firstword $(shell find $(OWT) -name '*.$(1)' 2>/dev/null | head -n 1))
PARQUET = $(if $(wildcard $(OWT)/.),$(OWT)/**/*.parquet,$(OWT))

CORPUS = $(OWT)
TOKENS = $(if $(call owt_has,parquet),\
    $(DUCKDB) -c "COPY (SELECT text FROM '$(PARQUET)') TO '/dev/stdout' (FORMAT json)" \
        | $(BIN)/tokenize -v gpt2 --jsonl text -,\
    $(BIN)/tokenize -v gpt2 $(if $(call owt_has,jsonl*),--jsonl text) $(OWT))
SHARD  = --val-fraction 0.0005 --seed 2357

$(OWT):
	@echo "recipes/openwebtext.mk: '$@' is not there; give OWT=PATH, OpenWebText as parquet," \
	    "JSON lines or text" >&2
	@exit 1
