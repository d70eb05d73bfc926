#!/bin/sh
# A number is ported to 4G Essential Plus in its window; data grows, voicemail goes, and the product is given up, against the mock.
# Builds orderctl first, unless ORDERCTL names a binary.
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

# The mock plays the management systems on a free port; its first line is its address.
mkfifo "$work/address"
"$ORDERCTL" mock --record "$work/record.ndjson" > "$work/address" &
mock=$!
read -r ORDERCTL_MOCK < "$work/address"
export ORDERCTL_MOCK
export ORDERCTL_JOURNAL="$work/journal.db"
export ORDERCTL_INVENTORY="$work/inventory.ndjson"

# Makes the plan of an order.
plan() {
    echo "== $1" >&2
    "$ORDERCTL" validate "$1" > "$work/valid.json"
    "$ORDERCTL" decompose "$work/valid.json" > "$work/chain.json"
    "$ORDERCTL" plan "$work/chain.json" > "$work/plan.json"
}

# Carries the plan out. Waits pass on a virtual clock, so that nobody has to sit through them.
activate() {
    "$ORDERCTL" activate "$work/plan.json" --clock virtual -o json > "$work/done.json"
}

# Carries the plan out as far as it goes: it is to end with this exit code.
stops() {
    expected=$1
    code=0
    activate || code=$?
    if [ "$code" -ne "$expected" ]; then
        echo "activate ended with $code, not with $expected" >&2
        exit 1
    fi
}

for order in order.json order-new-number.json order-modify-data.json order-modify-voicemail.json order-cease.json; do
    plan "$order"
    activate
    echo "installed: $(wc -l < "$ORDERCTL_INVENTORY") products, services and resources" >&2
done

# The window of this one is over before it starts: the port is not tried, and waits for somebody.
plan order-window-missed.json
stops 3
"$ORDERCTL" status ORD-9244-0011 -o table >&2

echo "== what the systems were told: $(wc -l < "$work/record.ndjson") requests" >&2
echo "== all orders, from the journal" >&2
"$ORDERCTL" status -o table
echo "== the first one, whole" >&2
"$ORDERCTL" status ORD-9244-0001 -o table
