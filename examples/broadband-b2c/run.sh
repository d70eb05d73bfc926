#!/bin/sh
# Runs the whole pipe on broadband orders, against the mock: validate, decompose, plan, activate,
# status. What Jane Smith gets is changed and given up again. Builds orderctl first, unless ORDERCTL
# names a binary.
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

# The mock plays the seven management systems on a free port; its first line is its address.
mkfifo "$work/address"
"$ORDERCTL" mock --latency 50ms --record "$work/record.ndjson" > "$work/address" &
mock=$!
read -r ORDERCTL_MOCK < "$work/address"
export ORDERCTL_MOCK
export ORDERCTL_JOURNAL="$work/journal.db"
export ORDERCTL_INVENTORY="$work/inventory.ndjson"

for order in order.json order-hfc.json order-static-ip.json order-modify.json order-cease.json; do
    echo "== $order" >&2
    "$ORDERCTL" validate "$order" > "$work/valid.json"
    "$ORDERCTL" decompose "$work/valid.json" > "$work/chain.json"
    "$ORDERCTL" plan "$work/chain.json" > "$work/plan.json"
    "$ORDERCTL" activate "$work/plan.json" -o json > "$work/done.json"
    echo "installed: $(wc -l < "$ORDERCTL_INVENTORY") products, services and resources" >&2
done

echo "== what the systems were told: $(wc -l < "$work/record.ndjson") requests" >&2
echo "== the order that is not acceptable" >&2
if "$ORDERCTL" validate order-invalid.json > "$work/nothing"; then
    echo "an order full of faults was accepted" >&2
    exit 1
fi

echo "== all orders, from the journal" >&2
"$ORDERCTL" status -o table
echo "== the first one, whole" >&2
"$ORDERCTL" status ORD-4821-0001 -o table
