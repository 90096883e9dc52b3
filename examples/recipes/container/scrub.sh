#!/bin/sh
# One scrub in a container: scrub.sh CLAIMS FINDINGS, two folders. It has no network, is not root, and writes into FINDINGS and
# /tmp alone. ENGINE is docker or podman, IMAGE that of examples/container/Dockerfile,
# or another with weakcode in it. The exit status is that of weakcode.
set -eu
claims=$(cd "$1" && pwd)
findings=$(cd "$2" && pwd)
exec "${ENGINE:-docker}" run --rm --network none --read-only --user "$(id -u):$(id -g)" --tmpfs /tmp \
    --cap-drop ALL --security-opt no-new-privileges --env HOME=/tmp \
    --volume "$claims:/claims:ro" --volume "$findings:/findings" --entrypoint weakcode "${IMAGE:-weakcode:latest}" \
    scrub /claims -o /findings/findings.parquet --rejects /findings/rejects.parquet \
    --summary /findings/summary.json --max-rejects 1% --fail-on never --quiet
