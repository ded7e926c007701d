"""What beat rings for. A task only calls; the rows know where things stand."""

from __future__ import annotations

from celery import shared_task

from broadcasts import retention, run


@shared_task(name="broadcasts.tasks.tick")
def tick() -> None:
    """Start, fill and finish broadcasts."""
    run.tick()


@shared_task(name="broadcasts.tasks.prune")
def prune() -> None:
    """Remove the rows that are older than their organization keeps them."""
    retention.prune_all()
