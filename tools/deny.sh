#!/bin/sh
# Checks the dependencies against deny.toml. Needs cargo-deny: cargo install cargo-deny --locked
set -eu
cd "$(dirname "$0")/.."
if ! cargo deny --version >/dev/null 2>&1; then
    echo "cargo-deny is not installed: cargo install cargo-deny --locked" >&2
    exit 1
fi
cargo deny --workspace check bans licenses sources
# Advisories come from a repository on the network, which not every machine reaches.
if cargo deny fetch db >/dev/null 2>&1; then
    cargo deny --workspace check advisories
else
    echo "advisories not checked: their database cannot be fetched from here"
fi
