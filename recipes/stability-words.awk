# stability-words.awk - a BERT's vocabulary of a text, in lower case: its marks, every character
# alone and inside a word, and the commonest words.  size=WORDS
{
    $0 = tolower($0)
    for (i = length($0); i > 0; i--)
        letter[substr($0, i, 1)]
    n = split($0, word, /[^a-z]+/)
    for (i = 1; i <= n; i++)
        times[word[i]]++
}

END {
    sort = "LC_ALL=C sort"
    print "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]"
    for (c in letter)
        if (c !~ /[[:space:]]/)
            print c "\n##" c | sort
    close(sort)
    for (w in times)
        if (length(w) > 1)
            print times[w] "\t" w | sort " -k 1,1nr -k 2 | head -n " size " | cut -f 2"
}
