# report-txt.awk - a report's source for less, after report-read.awk: paragraphs folded at
# 96 columns, tables in columns, figures in characters.
/^(#|\$|@|$)/ { if (text != "") { fold(text); print "" } text = "" }
/^# /      { heading(rest(1), "=") }
/^## /     { print ""; heading(rest(1), "-") }
/^\$ /     { print "    " $0 "\n" }
/^@table/  { table(folder "/" $2 ".tsv", rest(2)) }
/^@figure/ { figure(folder "/figures/" $2 ".txt", rest(2)) }
/^[^#$@]/  { text = text (text == "" ? "" : " ") $0 }

function heading(text, rule,    line)
{
    line = text
    gsub(/./, rule, line)
    print text "\n" line "\n"
}

function fold(text,    n, i, word, used)
{
    n = split(text, word, " ")
    for (i = 1; i <= n; i++) {
        if (used && used + 1 + length(word[i]) > 96) {
            printf "\n"
            used = 0
        }
        printf "%s%s", used ? " " : "", word[i]
        used += length(word[i]) + (used > 0)
    }
    printf "\n"
}

# Characters, not bytes, take a column: those of UTF-8 that only go on are not counted.
function wide(s) { gsub(/[\200-\277]/, "", s); return length(s) }

function table(file, caption,    line, n, i, j, rows, cell, cells, width, c, below)
{
    while ((getline line <file) > 0) {
        if (line ~ /^#/)
            continue
        n = split(line, c, "\t")
        rows++
        cells[rows] = n
        for (i = 1; i <= n; i++) {
            c[i] = short(c[i])
            cell[rows, i] = c[i]
            if (wide(c[i]) > width[i])
                width[i] = wide(c[i])
        }
    }
    close(file)
    fold(caption)
    below = cell[1, cells[1]] == "command"      # stands below its row
    for (j = 1; j <= rows; j++) {
        line = "   "
        for (i = 1; i <= cells[j] - below; i++) {
            line = line " " cell[j, i]
            if (i < cells[j] - below)
                line = line sprintf("%" width[i] - wide(cell[j, i]) + 1 "s", "")
        }
        print line
        if (below && j > 1)
            print "        $ " cell[j, cells[j]]
        if (j == 1) {
            gsub(/[^ ]/, "-", line)
            print line
        }
    }
    print ""
}

function figure(file, caption,    line)
{
    figures++
    while ((getline line <file) > 0)
        print line
    close(file)
    fold("Figure " figures ". " caption)
    print ""
}
