#!/bin/sh
# What CI asks of a change of the catalog: is it sensible, does it do what is expected, is that tested; and
# for those who review it, what is different and what that does to orders.
#
#   check.sh [BASE [REPORTS]]
#
# BASE is the revision to compare with (origin/main), REPORTS the folder for reports (reports). Exits with 1
# where something was found, with 2 where something could not be looked at.
set -u
orderctl=${ORDERCTL:-orderctl}
base=${1:-origin/main}
reports=${2:-reports}
mkdir -p "$reports"
worst=0
ask() {
    "$@"
    code=$?
    if [ "$code" -gt "$worst" ]; then worst=$code; fi
}

ask "$orderctl" catalog lint --strict --report "$reports/lint.sarif" --report "$reports/lint.xml"
ask "$orderctl" catalog test tests --report "$reports/test.xml" --report "github:$reports/annotations.txt"
ask "$orderctl" catalog coverage --orders tests --min 90 --format markdown --report "$reports/coverage.xml" > "$reports/coverage.md"
ask "$orderctl" catalog diff "$base:catalog" catalog --format markdown --report "$reports/diff.sarif" > "$reports/diff.md"
ask "$orderctl" catalog impact "$base:catalog" catalog --orders tests --format markdown > "$reports/impact.md"
for part in diff impact coverage; do
    cat "$reports/$part.md"
    echo
done > "$reports/comment.md"
exit "$worst"
