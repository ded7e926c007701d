"""Dispatch: everything recorded, beside the limit and beside what others would pick."""

from __future__ import annotations

from benchmarks.contenders import peers
from benchmarks.contenders.arena import Arena, arena
from benchmarks.contenders.measured import Measured, cpu_per_message, median, rate
from benchmarks.contenders.ours import Ours
from benchmarks.report import Report, Target
from benchmarks.stage import Stage

MESSAGES = 20_000
PEER_MESSAGES = 2_000
"""For those that are slow: their rates are per second all the same."""
ROUNDS = 3
SLOW_MS = 100

TARGETS = {
    "cpu_to_bare_client": Target(at_most=1.6),
    "to_celery_per_message": Target(at_least=25),
    "to_post_office": Target(at_least=10),
}
NOTES = (
    "Processor time: the sending processes and PostgreSQL; the provider's not.",
    "Median of the runs. The peers sent fewer messages: rates are per second.",
    "Peers are set up as their documentation shows, as ours is by its defaults; those"
    " called tuned keep connections, and use all cores and larger batches.",
)


def run(stage: Stage) -> Report:
    """Let everybody send to the same provider.

    In turns ours, the limit, and the peer that comes closest to its target: in the
    minutes from one end of a run to the other, a machine can change its mind.
    """
    messages = stage.size(MESSAGES, least=100)
    few = stage.size(PEER_MESSAGES, least=100)
    slow = stage.size(MESSAGES // 2, least=100)
    at = arena(stage)
    ours = Ours(at, messages)
    runs: dict[str, list[Measured]] = {"ours": [], "bare": [], "post_office": []}
    for number in range(1, ROUNDS + 1):
        bare = peers.bare(at, f"Bare aiohttp client {number}", messages, at.provider())
        runs["bare"].append(bare)
        mine = ours.measure(f"Resend Admin {number}", messages, at.provider())
        runs["ours"].append(mine)
        runs["post_office"].append(peers.post_office(at, few, turn=number))
    runs["bare_by_our_client"] = [
        peers.bare(at, "Our client, nothing recorded", messages, at.provider(), "ours")
    ]
    runs["bare_slow"] = [
        peers.bare(at, f"Bare client, {SLOW_MS} ms", slow, at.provider(SLOW_MS))
    ]
    runs["ours_slow"] = [
        ours.measure(f"Resend Admin, {SLOW_MS} ms", slow, at.provider(SLOW_MS))
    ]
    runs |= _peers(at, few)
    return report(runs)


def _peers(at: Arena, messages: int) -> dict[str, list[Measured]]:
    return {
        "celery_per_message": [peers.celery(at, max(50, messages // 10))],
        "celery_tuned": [peers.celery(at, messages, tuned=True)],
        "post_office_tuned": [peers.post_office(at, messages, tuned=True)],
        "procrastinate": [peers.procrastinate(at, messages)],
    }


def ratios(runs: dict[str, list[Measured]]) -> dict[str, float]:
    """Compare: processor time with the limit's, messages per second with the peers'."""
    ours = rate(runs["ours"])
    return {
        "cpu_to_bare_client": cpu_per_message(runs["ours"])
        / cpu_per_message(runs["bare"]),
        **{
            f"to_{peer}": ours / rate(each)
            for peer, each in runs.items()
            if not peer.startswith(("ours", "bare"))
        },
    }


def report(runs: dict[str, list[Measured]]) -> Report:
    return Report(
        title="Dispatch, messages per second and processor time for each",
        columns=("Who", "Messages", "Messages/s", "µs each", "worker", "PostgreSQL"),
        rows=[
            (
                name,
                each[0].messages,
                round(rate(each)),
                round(cpu_per_message(each)),
                round(median(each, lambda one: one.worker_cpu / one.messages * 1e6)),
                round(median(each, lambda one: one.postgres_cpu / one.messages * 1e6)),
            )
            for name, each in runs.items()
        ],
        ratios=ratios(runs),
        targets=TARGETS,
        raw={
            "delay_of_slow_provider_ms": SLOW_MS,
            "runs": {
                name: [one.document() for one in each] for name, each in runs.items()
            },
        },
        notes=NOTES,
    )
