#!/usr/bin/env bash
# subword_nmt.sh TOKENIZE PYTHON MERGES FILE ... - tokenize's joint codes of some files, and each
# file in their sub-words, against those of subword-nmt's learn-bpe and apply-bpe.
set -euo pipefail

tokenize=$1 python=$2 merges=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

nmt()
{
    "$python" -W ignore -m subword_nmt.subword_nmt "$@"
}

"$tokenize" -q --learn "$merges" --subword -o "$work/v" "$@"
cat "$@" | nmt learn-bpe -s "$merges" >"$work/codes" 2>"$work/log" || { cat "$work/log"; exit 1; }
cmp "$work/codes" "$work/v/codes.txt"
for file; do
    nmt apply-bpe -c "$work/codes" <"$file" >"$work/want"
    "$tokenize" -q --pieces -v "$work/v" "$file" | cmp - "$work/want"
done
echo "$merges merges, $# files: the codes and the sub-words of subword-nmt"
