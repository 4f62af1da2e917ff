#!/bin/sh
# The rules that a machine can check; what breaks one is listed above its line.
set -u
cd "$(dirname "$0")/.." || exit 2
export LC_ALL=C

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT INT TERM
{ git ls-files -co --exclude-standard 2>/dev/null ||
    find . -type f ! -path './build/*' ! -path '*/node_modules/*' |
    sed 's|^\./||'; } | sort -u | while read -r file; do
	[ ! -f "$file" ] || echo "$file"
done >"$tmp/files"

files() { # those whose path matches the expression
	grep -E "$1" "$tmp/files"
}

search() { # $1 in the files whose path matches $2
	files "$2" | xargs -r grep -nE -e "$1" /dev/null
}

# What standard input lists is against the rule; nothing: the rule holds.
rule() {
	sed 's/^/     /' >"$tmp/found"
	cat "$tmp/found"
	{ [ ! -s "$tmp/found" ] || printf 'not '; echo "ok - $1"; } |
	    tee -a "$tmp/score"
}

# C without strings and comments, each line with its file and number.
code() {
	files "$1" | while read -r file; do
		sed -E 's/"([^"\\]|\\.)*"/""/g' "$file" | awk -v f="$file" '
		    { line = $0
		      while (inside || index(line, "/*")) {
			at = index(line, inside ? "*/" : "/*")
			if (inside && !at) { line = ""; break }
			if (inside) { line = substr(line, at + 2); inside = 0
				      continue }
			rest = substr(line, at + 2); end = index(rest, "*/")
			line = substr(line, 1, at - 1)
			if (!end) { inside = 1; break }
			line = line " " substr(rest, end + 2)
		      }
		      print f ":" NR ":" line }'
	done
}

PUBLIC='^(src|primary|worker|include)/.*\.[ch]$'
OWN='^(src|primary|worker|include|tests|examples)/.*\.[ch]$'
TEXT='\.(c|h|py|js|mjs|sh|S)$|^Makefile$|^\.ci/run$'

search '#include "(primary|worker)/' '^src/' |
    grep -vE '^src/(main\.c|cli/)' | rule "src/ knows neither role"
search '#include "worker/' '^primary/' | rule "primary/ knows no worker/"
search '#include "primary/' '^worker/' | rule "worker/ knows no primary/"
search '#include .*libwebsockets' "$PUBLIC" |
    grep -vE '^worker/(ws|http)' | rule "libwebsockets has one door"
search '#include .*cJSON' "$PUBLIC" |
    grep -vE '^(src/(cli|contract)/|worker/protocol)' | rule "cJSON has its doors"
search '#include <(jwt|pcre2)' "$PUBLIC" | grep -vE '/(jwt|pattern)\.c:' |
    rule "libjwt and PCRE2 have one door each"
search 'pthread_(create|mutex)|threads\.h' "$OWN" | rule "one thread per process"

files "$TEXT" | xargs wc -l | awk '$2 != "total" &&
    ($1 > 400 || $2 == "Makefile" && $1 > 180)' |
    rule "no file is longer than 400 lines, the Makefile than 180"
files '\.c$' | while read -r file; do
	awk -v f="$file" '/^\{/ { start = NR }
	    /^\}/ && start { if (NR - start > 81)
			print f ":" start ": " NR - start - 1 " lines"
		    start = 0 }' "$file"
done | rule "no function is longer than 80 lines"
code "$OWN" | grep -E '//' | rule "no // comments"
search '(TODO|FIXME|XXX)([^X]|$)' "$TEXT|\.(md|html|css)\$" |
    grep -vE 'XXXXXX|^tests/(lint\.sh|run\.py):' | rule "nothing is left to do"
code "$OWN" | grep -E \
    '[^a-z_](strcpy|strcat|v?sprintf|strtok|gets|ato[il]|u?sleep)\(' |
    rule "no function that cannot be used safely"
files "$OWN" | grep '\.h$' | while read -r file; do
	guard=$(echo "$file" | sed -E 's/^(src|include|tests)\///' |
	    tr 'a-z/.-' A-Z___)
	grep -q "^#define $guard\$" "$file" || echo "$file: no $guard"
done | rule "header guards are named after the file"
files "$OWN" | grep '\.h$' | while read -r file; do
	printf '#include "%s"\n' "$file" | ${CC:-cc} -std=c11 -D_GNU_SOURCE \
	    -I. -Isrc -Iinclude -Itests/support -fsyntax-only -x c - 2>&1
done | rule "every header compiles alone"
files "$PUBLIC" | grep '\.h$' | while read -r file; do
	awk -v f="$file" '/^[a-zA-Z].*\(/ && last == "" && !/\{$/ &&
	    !/^static/ { print f ":" NR ": " $0 } { last = $0 }' "$file"
done | rule "functions are explained in their headers"
files "$OWN" | xargs clang-format --dry-run 2>&1 | grep warning: |
    cut -d: -f1 | uniq -c | rule "clang-format has nothing to do (make format)"
files '\.sh$|^\.ci/run$' | xargs shellcheck -e SC2016 -f gcc 2>&1 |
    rule "shellcheck is content"
search '/(work|root|home)/' '.' | grep -v '^tests/lint\.sh:' |
    rule "nothing names a path of some machine"

{
	sed -nE 's/^\t[A-Z]+\([a-z_]+, "([a-z-]+)",.*/--\1/p' \
	    src/config/options.h
	sed -nE 's/^\tX\(([A-Z_]+), .*/`\1`/p' worker/errors.h
	sed -nE 's/^\t\{ "([a-z]+)",.*/busctl \1/p' src/cli/commands.c
	printf '`%s`\n' HUP TERM INT QUIT USR1 USR2 TTIN TTOU
	sed -nE 's/^\tX\(([A-Z_]+), +("(.*)")\).*/| `\1` | \3 |/p' worker/errors.h
} | sort -u | while read -r word; do
	grep -sqF -- "$word" README.md || echo "README.md: no $word"
done | rule "README names options, commands, signals, errors"
sed -nE 's/^\tX\(([A-Z_]+), .*/`\1`/p' src/wire/ipc_proto.h |
    while read -r word; do
	grep '^| `' src/README.md | cut -d'|' -f2 | grep -qF -- "$word" ||
	    echo "src/README.md: no $word"
done | rule "src/README names the messages"

# What stands in the first column of the tables below "## Files".
told() {
	sed -n '/^## Files/,/^## /p' "$1/README.md" | grep '^| `' |
	    cut -d'|' -f2 | tr ',' '\n' | tr -d ' `' |
	    sed "/^include\//!s|^|$1/|" | sort
}
for folder in 'src ^(src|include)/.*\.([ch]|mk)$' \
    'primary ^primary/.*\.[ch]$' 'worker ^worker/(.*\.[ch]$|web/)' \
    'tests ^tests/(support/|unit/.*\.h$|fuzz/[a-z0-9_]*\.[ch]$)'; do
	files "${folder#* }" | sed -E 's/\.([chS]|mk)$//' | sort -u >"$tmp/there"
	told "${folder%% *}" | diff "$tmp/there" - | sed -n \
	    "s|^<|${folder%% *}/README.md: no line for|p
	    s|^>|${folder%% *}/README.md: twice, or not there:|p"
done | rule "the folders' READMEs have a line for each file"
for table in options commands signals exits; do
	"${BUSCTL:-build/busctl}" help --markdown $table >"$tmp/table" 2>&1
	sed -n "/^<!-- $table -->/,/^<!-- end/{/^|/p}" README.md |
	    diff - "$tmp/table"
done | rule "README's tables are those of busctl help --markdown"

failed=$(grep -c '^not' "$tmp/score")
echo "$(grep -c '^ok' "$tmp/score") passed, $failed failed"
[ "$failed" -eq 0 ]
