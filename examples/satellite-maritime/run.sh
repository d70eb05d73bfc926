#!/bin/sh
# Runs the whole pipe on the orders of MV Southern Aurora, against the mock: the terminal, which an installer
# commissions in port; a higher rate; and the end. Builds orderctl first, unless ORDERCTL names a binary.
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

# The mock plays hub, satellite operator and the systems on shore on a free port; its first line is its address.
mkfifo "$work/address"
"$ORDERCTL" -q mock --latency 20ms --record "$work/record.ndjson" > "$work/address" &
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
# Everything on shore is done; then only the installer can go on, so it is exit code 3.
activate 3
"$ORDERCTL" status ORD-5120-0001 -o table
"$ORDERCTL" task complete ORD-5120-0001 1.CFS-SAT-TERMINAL.RFS-SAT-COMMISSIONING \
    --by "Liam O'Connor, installer" --reason "line-up test passed, Es/N0 11.2 dB" > /dev/null
activate 0
installed

plan order-modify-50.json
activate 0
installed

plan order-cease.json
activate 3
"$ORDERCTL" task complete ORD-5120-0003 1.CFS-SAT-TERMINAL.RFS-SAT-COMMISSIONING \
    --by "Liam O'Connor, installer" --reason "antenna taken down, back in store" > /dev/null
activate 0
installed

echo "== what the systems were told: $(wc -l < "$work/record.ndjson") requests" >&2
echo "== all orders, from the journal" >&2
"$ORDERCTL" status -o table
echo "== the first one, whole" >&2
"$ORDERCTL" status ORD-5120-0001 -o table
