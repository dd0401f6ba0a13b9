#!/usr/bin/env bash
# Writes the King James Bible as 66 text files, one book per file and one verse
# per line ("1:1 In the beginning ..."), into kjv/ beside this script, and their
# sums into SHA256SUMS. Needs Debian's packages bible-kjv and bible-kjv-text.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")"

command -v bible >/dev/null || {
	echo "make-kjv.sh: the program 'bible' is missing: apt-get install bible-kjv bible-kjv-text" >&2
	exit 1
}

# Book names in canonical order, each beside the abbreviation that bible prints.
books='
Ge genesis          Exo exodus          Lev leviticus        Num numbers
Deu deuteronomy     Josh joshua         Jdgs judges          Ruth ruth
1Sm 1-samuel        2Sm 2-samuel        1Ki 1-kings          2Ki 2-kings
1Chr 1-chronicles   2Chr 2-chronicles   Ezra ezra            Neh nehemiah
Est esther          Job job             Psa psalms           Prv proverbs
Eccl ecclesiastes   SSol song-of-solomon Isa isaiah          Jer jeremiah
Lam lamentations    Eze ezekiel         Dan daniel           Hos hosea
Joel joel           Amos amos           Obad obadiah         Jonah jonah
Mic micah           Nahum nahum         Hab habakkuk         Zep zephaniah
Hag haggai          Zec zechariah       Mal malachi          Mat matthew
Mark mark           Luke luke           John john            Acts acts
Rom romans          1Cor 1-corinthians  2Cor 2-corinthians   Gal galatians
Eph ephesians       Phi philippians     Col colossians       1Th 1-thessalonians
2Th 2-thessalonians 1Tim 1-timothy      2Tim 2-timothy       Titus titus
Phmn philemon       Heb hebrews         Jas james            1Pet 1-peter
2Pet 2-peter        1Jn 1-john          2Jn 2-john           3Jn 3-john
Jude jude           Rev revelation'

rm -rf kjv
mkdir kjv
bible -f gen1:1-rev22:21 | awk -v books="$books" '
	BEGIN {
		n = split(books, field)
		for (i = 1; i < n; i += 2)
			file[field[i]] = sprintf("kjv/%02d-%s.txt", (i + 1) / 2, field[i + 1])
	}
	{
		if (!match($1, /[0-9]+:[0-9]+$/) || !(substr($1, 1, RSTART - 1) in file)) {
			print "make-kjv.sh: cannot place verse: " $0 > "/dev/stderr"
			exit 1
		}
		print substr($1, RSTART) substr($0, length($1) + 1) > file[substr($1, 1, RSTART - 1)]
	}'

sha256sum kjv/*.txt >SHA256SUMS
echo "$(ls kjv | wc -l) books, $(cat kjv/*.txt | wc -l) verses, $(cat kjv/*.txt | wc -c) bytes," \
	"sha256 of all books in order: $(cat kjv/*.txt | sha256sum | cut -d' ' -f1)"
