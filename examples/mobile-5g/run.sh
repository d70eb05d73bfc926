#!/bin/sh
# Runs the whole pipe on FleetConnect's orders, against the mock: 500 vehicles, of whose 1,000 profiles three fail; 250
# vehicles more; and the end. Builds orderctl first, unless ORDERCTL names a binary.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${ORDERCTL:-}" ]; then
    cargo build --manifest-path "$here/../../Cargo.toml"
    ORDERCTL=${CARGO_TARGET_DIR:-$here/../../target}/debug/orderctl
fi
cd "$here"
work=$(mktemp -d)
mock=
finish() {
    if [ -n "$mock" ]; then kill "$mock" 2>/dev/null || true; wait "$mock" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The mock plays the 5G core and the SM-DP+ on a free port; its first line is its address. It refuses two profiles, is
# not available for a third one, and for a fourth one only at first.
mkfifo "$work/address"
"$ORDERCTL" -q mock --record "$work/record.ndjson" \
    --fail 'smdp/V-0037.tablet:1=422 eUICC is not known' --fail 'smdp/V-0478.tablet:1=422 profile type does not fit the eUICC' \
    --fail 'smdp/V-0203.tracker:1..3=503' --fail 'smdp/V-0404.tablet:1=503' > "$work/address" &
mock=$!
read -r ORDERCTL_MOCK < "$work/address"
export ORDERCTL_MOCK
export ORDERCTL_JOURNAL="$work/journal.db"
export ORDERCTL_INVENTORY="$work/inventory.ndjson"

# Plans an order against what is installed.
plan() {
    echo "== $1" >&2
    "$ORDERCTL" validate "$1" > "$work/valid.json"
    "$ORDERCTL" decompose "$work/valid.json" > "$work/chain.json"
    "$ORDERCTL" plan "$work/chain.json" > "$work/plan.json"
}

# Carries the plan out, on a clock that jumps to the next moment at which there is something to do; it has to end
# with this exit code.
activate() {
    code=0
    "$ORDERCTL" activate "$work/plan.json" --clock virtual -o json > "$work/done.json" || code=$?
    if [ "$code" != "$1" ]; then
        echo "activate ended with $code instead of $1" >&2
        exit 1
    fi
}

installed() {
    echo "installed: $(wc -l < "$ORDERCTL_INVENTORY") products, services and resources" >&2
}

plan order.json
# Three of the thousand come to nothing: the order is partial, and that is exit code 1.
activate 1
installed
"$ORDERCTL" status ORD-3340-0001 -o table

# The fleet grows. What failed before is not installed, so it is made now, beside what is new.
plan order-modify-250.json
activate 0
installed

plan order-cease.json
activate 0
installed

echo "== what the systems were told: $(wc -l < "$work/record.ndjson") requests" >&2
echo "== all orders, from the journal" >&2
"$ORDERCTL" status -o table
