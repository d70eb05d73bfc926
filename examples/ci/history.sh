#!/bin/sh
# Builds a small git repository with the history of a catalog: main, a good change, and two bad ones.
#
#   history.sh FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ORDERCTL=${ORDERCTL:-orderctl}
mkdir -p "$1"
cd "$1"
export GIT_AUTHOR_NAME=Shop GIT_AUTHOR_EMAIL=shop@example.net GIT_COMMITTER_NAME=Shop GIT_COMMITTER_EMAIL=shop@example.net
export GIT_AUTHOR_DATE=2026-11-02T09:00:00Z GIT_COMMITTER_DATE=2026-11-02T09:00:00Z
commit() {
    git add .
    git commit --quiet -m "$1"
}
# edit FILE FROM TO, where sed -i is not the same everywhere
edit() {
    sed "s|$2|$3|" "$1" > "$1.new"
    mv "$1.new" "$1"
}

git init --quiet
git symbolic-ref HEAD refs/heads/main
cp -R "$here/shop/." .
mkdir ci
cp "$here/check.sh" "$here/pre-commit" ci/
echo reports/ > .gitignore
"$ORDERCTL" -q catalog test tests --update
commit "Sell a line to a home"

# A faster line: everything that has to take its speed does, and a test shows what comes of it.
git checkout --quiet -b good
edit catalog/home.yaml '{value: 500}\]' '{value: 500}, {value: 1000}]'
edit tests/home-100.json 100 1000
mv tests/home-100.json tests/home-1000.json
git checkout --quiet main -- tests/home-100.json
"$ORDERCTL" -q catalog test tests --update
commit "Sell 1000"

# The port was forgotten: it does not take the new speed. Lint finds it.
git checkout --quiet -b bad main
edit catalog/home.yaml '\(^    - {name: speed.*\){value: 500}\]' '\1{value: 500}, {value: 1000}]'
commit "Sell 1000, and forget the port"

# Nothing is wrong with it as such, but a backup no longer waits for its line. The tests find it.
git checkout --quiet -b silent main
edit catalog/home.yaml '  dependsOn: \[{id: RFS-PORT}\]' '  # it need not wait'
commit "Make backups faster"
git checkout --quiet main
