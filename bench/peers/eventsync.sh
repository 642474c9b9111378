#!/bin/sh
# EventSync for the harness that compares file-sync tools (its shelltool): gateway and two agents on this machine, from this checkout.
#   python3 tools/shelltool.py bench/peers/eventsync.sh W1,W2,W3,W4,W5,W6,W7,W8,W9
# PB_A and PB_B are the two folders, PB_STATE is a directory of our own. What is started stays in the background, in the caller's group.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
eventsync="$here/../../bin/eventsync"
port=${EVENTSYNC_BENCH_PORT:-47117}
server="ws://127.0.0.1:$port"
EVENTSYNC_PASSWORD=benchmark
export EVENTSYNC_PASSWORD

# Waits until a command succeeds.
until_true() {
  for _ in $(seq 600); do
    if "$@" > /dev/null 2>&1; then return 0; fi
    sleep 0.1
  done
  echo "never became true: $*" >&2
  return 1
}

is_ready() { "$here/../../bin/node24" -e "fetch('http://127.0.0.1:$port/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"; }

start_gateway() {
  "$eventsync" serve --data "$PB_STATE/data" --listen "127.0.0.1:$port" >> "$PB_STATE/gateway.log" 2>&1 &
  echo $! > "$PB_STATE/gateway.pid"
  until_true is_ready
}

start_agent() {
  "$eventsync" agent "$2" --state "$PB_STATE/$1" >> "$PB_STATE/$1.log" 2>&1 &
  echo $! > "$PB_STATE/$1.pid"
}

start_agents() {
  start_agent laptop "$PB_A"
  start_agent desktop "$PB_B"
}

stop() {
  file="$PB_STATE/$1.pid"
  if [ ! -f "$file" ]; then return 0; fi
  pid=$(cat "$file")
  rm "$file"
  if ! kill "$pid" 2> /dev/null; then return 0; fi
  while kill -0 "$pid" 2> /dev/null; do sleep 0.02; done
}

case "$1" in
  info)
    printf '{"name":"eventsync","variant":"embedded","version":"%s","continuous":true,"ports":[%s],"ignore":[".eventsync"],"settle":2}\n' \
      "$("$eventsync" --version)" "$port"
    ;;
  prepare)
    start_gateway
    if [ -f "$PB_STATE/linked" ]; then start_agents; exit 0; fi
    "$eventsync" user add bench@example.org --server "$server"
    for device in laptop desktop; do
      "$eventsync" register bench@example.org --server "$server" --name "$device" --state "$PB_STATE/$device"
    done
    ;;
  up)
    if [ -f "$PB_STATE/linked" ]; then exit 0; fi
    touch "$PB_STATE/linked"
    start_agents
    ;;
  ready)
    for device in laptop desktop; do "$eventsync" status --wait --state "$PB_STATE/$device" > /dev/null; done
    ;;
  oneshot)
    echo 'EventSync runs all the time' >&2
    exit 2
    ;;
  down)
    for process in desktop laptop gateway; do stop "$process"; done
    ;;
esac
