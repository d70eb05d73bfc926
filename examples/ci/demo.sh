#!/bin/sh
# Builds the history and judges each change as CI would: the good one passes, the bad ones are caught.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ORDERCTL=${ORDERCTL:-orderctl}
export ORDERCTL
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sh "$here/history.sh" "$work/shop"
cd "$work/shop"
judge() {
    echo "== $1: $(git log -1 --format=%s "$1")"
    git checkout --quiet "$1"
    code=0
    sh ci/check.sh main reports 2>&1 || code=$?
    echo "-- ends with $code"
    [ "$code" -eq "$2" ]
}
judge good 0
cat reports/comment.md
judge bad 1
judge silent 1
