"""What commands print while views are synced."""

from __future__ import annotations

from django.core.management.base import BaseCommand

from orm_views_core.output.plans import refresh_advice
from orm_views_core.plan.steps import Plan, Step
from orm_views_core.sync.executor import Progress, StepResult


class StepPrinter:
    """Prints a line for each step while databases are synced.

    Args:
        command: the command.
        ends_transaction: whether readers go on once the swap is done.

    Attributes:
        plan: the plan that is carried out; None before the first.
    """

    def __init__(self, command: BaseCommand, *, ends_transaction: bool = True) -> None:
        self.ends_transaction = ends_transaction
        self.write, self.style = command.stdout.write, command.style
        self.plan: Plan | None = None

    def progress(self) -> Progress:
        return Progress(
            on_step=self.on_step,
            on_done=self.on_done,
            on_swap=self.on_swap,
            on_swapped=self.on_swapped,
            on_wait=self.on_wait,
        )

    def on_plan(self, plan: Plan) -> None:
        self.plan = plan
        self.write(self.style.MIGRATE_HEADING(f"Syncing views in database '{plan.database}':"))
        for warning in plan.warnings:
            self.write(self.style.WARNING(f"  Warning: {warning}"))
        if plan.is_empty:
            self.write("  Nothing to do.")

    def on_step(self, step: Step) -> None:
        for lost in step.lost:
            self.write(self.style.WARNING(f"  {step.target} loses {lost}"))
        if step.no_rows:
            advice = f"Then: {refresh_advice(step.name)}"
            self.write(self.style.WARNING(f"  {step.target} gets no rows: {step.no_rows}. {advice}"))

    def on_done(self, result: StepResult) -> None:
        step = result.step
        is_done = not step.swap_statements
        if is_done or step.built_at is not None:  # otherwise the swap does all of it
            took = "" if result.seconds is None else f" ({result.seconds:.3f}s)"
            self._write_step(step, (self.style.SUCCESS("OK") if is_done else "built") + took)

    def on_swap(self, plan: Plan) -> None:
        count = len({step.name for step in (*plan.swapped, *plan.created_in_swap)})
        self.write(f"  Swapping {count} view{'s' if count > 1 else ''}...")

    def on_swapped(self, seconds: float) -> None:
        assert self.plan is not None
        for step in (*self.plan.swapped, *self.plan.created_in_swap):
            self._write_step(step, self.style.SUCCESS("OK"))
        if self.ends_transaction:
            self.write(f"  Readers were locked out for {seconds:.3f}s at most.")

    def on_wait(self, what: str) -> None:
        self.write(self.style.WARNING(f"  waiting: {what}"))

    def _write_step(self, step: Step, outcome: str) -> None:
        self.write(f"  {step.action.sign} {step.action.verb:<8} {step.target}... {outcome}")
