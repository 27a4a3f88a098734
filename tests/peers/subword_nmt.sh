#!/usr/bin/env bash
# subword_nmt.sh TOKENIZE SUBWORD-NMT MERGES FILE ... - tokenize's joint codes of some files, and
# each file in their sub-words, against those of subword-nmt's learn-bpe and apply-bpe.
set -euo pipefail

tokenize=$1 nmt=$2 merges=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$tokenize" -q --learn "$merges" --subword -o "$work/v" "$@"
if ! cat "$@" | "$nmt" learn-bpe -s "$merges" >"$work/codes" 2>"$work/log"; then
    cat "$work/log"
    exit 1
fi
cmp "$work/codes" "$work/v/codes.txt"
for file; do
    "$nmt" apply-bpe -c "$work/codes" <"$file" >"$work/want"
    "$tokenize" -q --pieces -v "$work/v" "$file" | cmp - "$work/want"
done
echo "$merges merges, $# files: the codes and the sub-words of subword-nmt"
