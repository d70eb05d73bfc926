#!/bin/sh
# A hub and seven clinics of MediCorp, an eighth one, more speed, one that closes, and the cease, against the mock.
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

for order in order.json order-modify-site.json order-modify-speed.json order-modify-closed.json order-cease.json; do
    plan "$order"
    activate
    echo "installed: $(wc -l < "$ORDERCTL_INVENTORY") products, services and resources" >&2
done

echo "== what the systems were told: $(wc -l < "$work/record.ndjson") requests" >&2
echo "== all orders, from the journal" >&2
"$ORDERCTL" status -o table
echo "== the first one, whole" >&2
"$ORDERCTL" status ORD-ENT-2208-0001 -o table
