"""How long the start of the whole deployment takes, as a ratio to what it cannot do without.

The floor is the bare import of Synapse by as many processes, at once, as the deployment has: everything
else (rendering, minting, PostgreSQL, schema, sandboxes, probes) is ours. Both are measured in turns, as
machines are noisy. Prints a line a round and the medians; judges nothing.

    ./run python tests/benchmarks/startup.py --rounds 3
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fixtures.deployment.waiting import Budget
from fixtures.rendering.kustomize import render
from fixtures.rendering.objects import containers, pod_template_of, workloads
from fixtures.rendering.overlay import front_hosts, server_name
from fixtures.rendering.secrets import load_declarations, mint
from fixtures.targets.local.target import local_deployment

ROOT = Path(__file__).parents[2]
SYNAPSE = Path(sys.prefix) / "programs/synapse/bin/python"


async def deploy(overlay: Path) -> float:
    """Seconds from nothing to all ready, rendering and minting included."""
    begin = time.time()
    objects = render(overlay)
    everything = (*objects, *mint(load_declarations(), hosts=front_hosts(objects)))
    with tempfile.TemporaryDirectory() as folder:
        async with local_deployment(
            everything,
            folder=Path(folder),
            server_name=server_name(objects),
            begin=begin,
            within=Budget.DEPLOYMENT.seconds(),
            on_event=lambda _: None,
        ):
            return time.time() - begin


def synapse_processes(overlay: Path) -> int:
    """How many pods of the overlay run Synapse."""
    return sum(
        workload["spec"].get("replicas", 1)
        for workload in workloads(render(overlay))
        if any(c["command"][0] == "synapse-start" for _, c in containers(pod_template_of(workload)["spec"]))
    )


def import_synapse(count: int) -> float:
    """Seconds until `count` processes, started at once, have imported Synapse."""
    argv = [str(SYNAPSE), "-c", "import synapse.app.homeserver, synapse.app.generic_worker"]
    env = {"PATH": os.defpath, "LANG": "C.UTF-8"}
    begin = time.time()
    processes = [subprocess.Popen(argv, env=env) for _ in range(count)]
    if any(process.wait() for process in processes):
        raise SystemExit("Synapse cannot be imported: run ./run true")
    return time.time() - begin


def main() -> None:
    """Measure in turns, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="pairs of measurements (default: 3)")
    parser.add_argument("--overlay", type=Path, default=ROOT / "manifests/overlays/local")
    arguments = parser.parse_args()
    count = synapse_processes(arguments.overlay)
    ratios = []
    for number in range(1, arguments.rounds + 1):
        floor = import_synapse(count)
        whole = asyncio.run(deploy(arguments.overlay))
        ratios.append(whole / floor)
        print(
            f"round {number}: {count} imports {floor:.2f} s, deployment {whole:.2f} s, ratio {whole / floor:.2f}"
        )
    print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
