"""Where every provider's requests come together.

The desk asks the switches and the behaviour what becomes of a message, writes it
to the log, plans its receipts, and only then lets the provider answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from resend_admin.sandbox.behaviour import Decision, Outcome, decide
from resend_admin.sandbox.log import ACCEPTED, REFUSED, Entry, Log, Notice, lines, now
from resend_admin.sandbox.receipts import Receipt, Receipts
from resend_admin.sandbox.switches import REFUSING, Fault, Switch, Switches
from resend_admin.sandbox.words import Vocabulary, Words

REMEMBERED = timedelta(days=1)
"""Age up to which a restart still posts the receipts that are missing."""

COUNTED = frozenset({"number", "mix"})
"""Who decided about the tries that the next decision depends on."""

BY_SWITCH = Decision(Outcome.DELIVER, "switch")
"""Stands where a switch leaves nothing to decide."""

_REFUSALS = {
    Fault.RATE_LIMIT: Outcome.RATE_LIMIT,
    Fault.SERVER_ERROR: Outcome.SERVER_ERROR,
    Fault.AUTH: Outcome.AUTH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the stand-ins behave.

    ``failure_rate``: share, 0 to 1, of ordinary numbers that fail.
    ``delivery_delay``: seconds until a message is usually delivered.
    ``pace``: factor on the long waits, such as the 30 s of the number 0003.
    """

    seed: int = 7
    failure_rate: float = 0.03
    delivery_delay: float = 0.5
    pace: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One well-formed message, as the desk sees it. ``digest``: of its content."""

    channel: str
    account: str
    recipient: str
    reference: str = ""
    digest: str = ""
    template: bool = False
    media: bool = False
    callback: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What will become of a message. ``words`` if it is refused."""

    decision: Decision
    words: Words | None
    switch: Switch | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the provider answers, and what goes wrong on the way.

    ``words`` is the error, or ``None`` for an accepted message.
    """

    entry: Entry
    words: Words | None = None
    retry_after: float = 1.0
    fault: Fault | None = None
    seconds: float = 0.0


class Desk:
    """Decides, records, and plans."""

    def __init__(
        self,
        log: Log,
        receipts: Receipts,
        switches: Switches,
        vocabularies: Mapping[str, Vocabulary],
        options: Options,
    ) -> None:
        self._log = log
        self._receipts = receipts
        self._switches = switches
        self._vocabularies = vocabularies
        self._options = options
        self._tries: Counter[tuple[str, str]] = Counter()
        self._last_number = 0

    def receive(self, submission: Submission, new_id: Callable[[], str]) -> Verdict:
        """Decide about a message and put it on record."""
        return self.conclude(submission, self.judge(submission), new_id)

    def refuse(self, submission: Submission, words: Words) -> Verdict:
        """Put a malformed or unauthenticated request on record."""
        entry = self._record(submission, REFUSED, code=words.code, by="request")
        return Verdict(entry, words)

    def next_number(self) -> int:
        """Return a provider id for those that are plain, growing numbers."""
        self._last_number += 1
        return self._last_number

    def judge(self, submission: Submission) -> Judgement:
        """Decide about a message whose content may be yet to come."""
        switch = self._switches.draw(submission.channel)
        vocabulary = self._vocabularies[submission.channel]
        if switch is not None and switch.fault in REFUSING:
            words = vocabulary.refusal(_REFUSALS[switch.fault])
            return Judgement(BY_SWITCH, words, switch)
        if switch is not None and switch.fault != Fault.SLOW and not switch.accepting:
            return Judgement(BY_SWITCH, None, switch)
        decision = decide(
            submission.channel,
            submission.recipient,
            self._tries[submission.channel, submission.recipient],
            seed=self._options.seed,
            failure_rate=self._options.failure_rate,
            template=submission.template,
            media=submission.media,
        )
        words = vocabulary.refusal(decision.outcome, decision.variant)
        return Judgement(decision, words, switch)

    def conclude(
        self, submission: Submission, judgement: Judgement, new_id: Callable[[], str]
    ) -> Verdict:
        """Put a judged message on record and plan its receipts."""
        decision, words, switch = judgement.decision, judgement.words, judgement.switch
        by = decision.decided_by
        fault, seconds, retry_after = None, 0.0, 1.0
        if switch is not None:
            fault = None if switch.fault in REFUSING else switch.fault
            seconds, retry_after = switch.seconds, switch.retry_after
        if words is not None or decision is BY_SWITCH:
            code = words.code if words else str(fault)
            entry = self._record(submission, REFUSED, code=code, by=by, fault=fault)
            return Verdict(entry, words, retry_after, fault, seconds)
        vocabulary = self._vocabularies[submission.channel]
        loss = vocabulary.loss(decision.outcome, decision.variant)
        silent = decision.outcome is Outcome.SILENCE
        fault = Fault.HANG if silent else fault
        entry = self._record(
            submission,
            ACCEPTED,
            code=loss.code if loss else "",
            by=by,
            fate="failed" if loss else "silent" if silent else "delivered",
            provider_id=new_id(),
            fault=fault,
        )
        if vocabulary.confirms and not silent:
            self._plan_receipts(entry, decision, loss, vocabulary.reads)
        return Verdict(entry, None, retry_after, fault, seconds)

    def _record(
        self,
        submission: Submission,
        outcome: str,
        *,
        code: str,
        by: str,
        fate: str = "",
        provider_id: str = "",
        fault: Fault | None = None,
    ) -> Entry:
        entry = Entry(
            at=now(),
            channel=submission.channel,
            account=submission.account,
            recipient=submission.recipient,
            reference=submission.reference,
            provider_id=provider_id,
            digest=submission.digest,
            outcome=outcome,
            code=code,
            fate=fate,
            decided_by=by,
            callback=submission.callback,
            fault=fault.value if fault else "",
        )
        if by in COUNTED:
            self._tries[entry.channel, entry.recipient] += 1
        self._log.write(entry)
        return entry

    def _plan_receipts(
        self, entry: Entry, decision: Decision, loss: Words | None, reads: bool
    ) -> None:
        usual = self._options.delivery_delay
        delivered = usual * (0.75 + 0.5 * decision.spread)
        delivered += decision.delay * self._options.pace
        if loss is not None:
            plan = [(delivered, receipt_for(entry, "failed", delivered, loss))]
        else:
            plan = [
                (usual * 0.3, receipt_for(entry, "sent", usual * 0.3)),
                (delivered, receipt_for(entry, "delivered", delivered)),
            ]
            if reads and decision.read:
                later = delivered + usual * (1 + 2 * decision.spread)
                plan.append((later, receipt_for(entry, "read", later)))
        self._receipts.schedule(plan)

    def resume(self, moved: Callable[[str], str]) -> None:
        """Learn from the log what an earlier process did and still owed.

        ``moved`` turns an address of that time into the one of today.
        """
        owed: dict[str, Entry] = {}
        since = now() - REMEMBERED
        for line in lines(self._log.path):
            if isinstance(line, Notice):
                if line.status != "sent":
                    owed.pop(line.provider_id, None)
                continue
            if not isinstance(line, Entry):
                continue
            if line.decided_by in COUNTED:
                self._tries[line.channel, line.recipient] += 1
            if line.provider_id.isdecimal():
                self._last_number = max(self._last_number, int(line.provider_id))
            confirms = self._vocabularies[line.channel].confirms
            if line.fate in ("delivered", "failed") and confirms and line.at > since:
                owed[line.provider_id] = line
        for entry in owed.values():
            words = None
            if entry.fate == "failed":
                words = self._vocabularies[entry.channel].loss_by_code(entry.code)
            delay = self._options.delivery_delay
            callback = moved(entry.callback)
            receipt = receipt_for(
                replace(entry, callback=callback), entry.fate, delay, words
            )
            self._receipts.schedule([(delay, receipt)])


def receipt_for(
    entry: Entry, status: str, delay: float = 0.0, words: Words | None = None
) -> Receipt:
    """Return the receipt that says, ``delay`` seconds from now, what happened."""
    return Receipt(
        channel=entry.channel,
        account=entry.account,
        recipient=entry.recipient,
        reference=entry.reference,
        provider_id=entry.provider_id,
        status=status,
        at=now() + timedelta(seconds=delay),
        callback=entry.callback,
        words=words,
    )
