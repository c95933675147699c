"""The outbox: one row for each mail to one person, from the event it tells of to the provider's answer."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now


class Message(models.Model):
    """A mail to one recipient: `queued → sending → sent | uncertain | failed`, or `suppressed`.

    Written in the transaction of the event it tells of, once per event, kind and recipient; a resend is a
    row of its own, linked to the first. It is its own entry in the queue: a round (rounds.py) takes what is
    due, and its claim's token guards what it writes. After a passing error it is `queued` again, or
    `uncertain` when the provider may have taken it before the connection broke; either way the next attempt
    carries the same Message-ID, by which mail programs recognise a double. `suppressed`: it must not be sent
    any more, and `error` says why.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "waiting"
        SENDING = "sending", "being sent"
        SENT = "sent", "sent"
        UNCERTAIN = "uncertain", "perhaps sent"
        FAILED = "failed", "failed"
        SUPPRESSED = "suppressed", "held back"

    PENDING = (State.QUEUED, State.SENDING, State.UNCERTAIN)  # those that may be tried (again): see `due_at`

    class Fate(models.TextChoices):
        DELIVERED = "delivered", "delivered"
        BOUNCED = "bounced", "came back"
        COMPLAINED = "complained", "called spam"

    kind = models.CharField(max_length=60, help_text="Which of our mails, such as import_finished.")
    event = models.CharField(max_length=100, help_text="What happened, once: import/12/completed.")
    about = models.CharField(max_length=100, help_text="What it is about: import/12, order/10001.")
    # Free text on purpose: a wrong address must fail here, in sight, and not in the event's transaction.
    recipient = models.TextField()
    subject = models.CharField(max_length=250)
    text = models.TextField()
    html = models.TextField("HTML", blank=True)
    attachment = models.CharField(
        max_length=100, blank=True, help_text="A file that goes with it, such as document/12."
    )
    unsubscribe_url = models.TextField(
        blank=True, editable=False, help_text="Where its recipient takes back that such mails are sent."
    )
    resend_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="resends", editable=False
    )

    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    doubtful_attempts = models.PositiveSmallIntegerField(
        default=0, help_text="Attempts that broke off with nobody knowing whether the provider took it."
    )
    message_id = models.CharField("Message-ID", max_length=400, blank=True)
    headers = models.JSONField(default=dict, help_text="As sent, the same at every attempt.")
    provider_id = models.CharField("provider's id", max_length=400, blank=True)
    tried_at = models.DateTimeField("tried", null=True, blank=True, help_text="When the last attempt began.")
    answer = models.TextField(blank=True, help_text="What the provider said when it took it.")
    error = models.TextField(blank=True, help_text="Why the latest attempt failed.")
    due_at = models.DateTimeField(
        "next attempt", null=True, blank=True, db_default=Now(), editable=False,
        help_text="Not before this time; empty when it is not tried any more.",
    )  # fmt: skip
    lease_token = models.UUIDField(
        null=True, blank=True, editable=False, help_text="Claim of the round that has taken it."
    )
    created_at = models.DateTimeField("created", db_default=Now(), editable=False)
    sent_at = models.DateTimeField("sent", null=True, blank=True)
    fate = models.CharField(
        max_length=10, choices=Fate, blank=True, default="", help_text="What the provider told of it later."
    )
    by = models.CharField(max_length=150, blank=True, default="", help_text="User name of who had it sent.")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "kind", "recipient"],
                condition=Q(resend_of__isnull=True),
                name="message_once_per_event",
            ),
            models.CheckConstraint(
                name="message_sent_has_time",
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(fields=["about"], name="message_about"),  # an order's page lists its mails
            models.Index(Lower("recipient"), name="message_recipient"),  # what somebody got: personal data
            # Rounds take what is due, oldest first. The state is left out on purpose: as `sending` and back
            # again change nothing here, PostgreSQL need not touch any index for them.
            models.Index(fields=["due_at", "id"], name="message_due", condition=Q(due_at__isnull=False)),
            # What a provider tells of later, by its own name of the message.
            models.Index(fields=["provider_id"], name="message_provider_id", condition=~Q(provider_id="")),
            # What came back: few among millions.
            models.Index(
                fields=["-id"], name="message_bad_fate", condition=Q(fate__in=["bounced", "complained"])
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def is_on_its_way(self) -> bool:
        """Whether it is yet tried, or tried again, by itself."""
        return self.due_at is not None and self.state in self.PENDING

    @property
    def may_be_double(self) -> bool:
        """Whether its recipient may hold it twice: it was sent after an attempt of unknown end."""
        return self.state == self.State.SENT and self.doubtful_attempts > 0


class MessageAttempt(models.Model):
    """One attempt to hand a message to the provider, and what came of it.

    A trigger on messages writes it, in the transaction that changes the message's state, so no way of
    delivering can forget it. Nothing changes one later, but that an erasure blanks what was said.
    """

    class Outcome(models.TextChoices):
        SENT = "sent", "taken"
        NOT_SENT = "not_sent", "not taken"
        UNKNOWN = "unknown", "nobody knows"

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField(help_text="Of the message's attempts: 1, 2, …")
    outcome = models.CharField(max_length=10, choices=Outcome)
    said = models.TextField(blank=True, help_text="The provider's words.")
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]


class ProviderEvent(models.Model):
    """What a provider told of a message after it had taken it; each event once."""

    class What(models.TextChoices):
        DELIVERED = "delivered", "delivered"
        DEFERRED = "deferred", "delayed"
        BOUNCED = "bounced", "came back"
        COMPLAINED = "complained", "called spam"

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="provider_events")
    provider = models.CharField(max_length=40)
    event_id = models.CharField(max_length=200)
    what = models.CharField(max_length=10, choices=What)
    said = models.TextField(blank=True)
    happened_at = models.DateTimeField(help_text="By the provider's clock.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["happened_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_once"),
        ]


class Suppression(models.Model):
    """An address that mails are held back from, until somebody lifts it. `holding` writes them."""

    class Why(models.TextChoices):
        BOUNCE = "bounce", "a mail came back for good"
        COMPLAINT = "complaint", "a mail was called spam"
        STAFF = "staff", "staff said so"

    class Scope(models.TextChoices):
        ALL = "all", "every mail"
        OPTIONAL = "optional", "all but mails about orders and accounts"

    address = models.CharField(max_length=400, help_text="Normalised: lower case, its domain in ASCII.")
    why = models.CharField(max_length=10, choices=Why)
    scope = models.CharField("holds back", max_length=10, choices=Scope)
    note = models.TextField(blank=True, help_text="The provider's words, or the reason of staff.")
    message = models.ForeignKey(
        Message, null=True, blank=True, on_delete=models.SET_NULL, related_name="suppressions", editable=False
    )
    by = models.CharField(max_length=150, blank=True, help_text="User name; blank: the provider.")
    created_at = models.DateTimeField("since", db_default=Now(), editable=False)
    lifted_at = models.DateTimeField("lifted", null=True, blank=True)
    lifted_by = models.CharField(max_length=150, blank=True)
    lifted_note = models.CharField("why it was lifted", max_length=200, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = "held-back address"
        verbose_name_plural = "held-back addresses"
        constraints = [
            models.UniqueConstraint(
                fields=["address", "why"],
                condition=Q(lifted_at__isnull=True),
                name="suppression_once_in_force",
            ),
        ]
        indexes = [models.Index(fields=["address"], name="suppression_address")]

    def __str__(self) -> str:
        return self.address


class KindSwitch(models.Model):
    """A kind of mail was switched off or on. The last one of a kind holds; those before tell who did what."""

    kind = models.CharField(max_length=60)
    is_on = models.BooleanField()
    note = models.CharField("why", max_length=200, blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]
        verbose_name = "kind of mail"
        verbose_name_plural = "kinds of mail"
        indexes = [models.Index(fields=["kind", "-id"], name="kind_switch_last")]

    def __str__(self) -> str:
        return f"{self.kind} {'on' if self.is_on else 'off'}"


class Circuit(models.Model):
    """How a mail provider is doing, for all workers: whether it answers, and when the next mail may go.

    After failures in a row it is left in peace until `paused_until`; then one worker tries (circuit.py).
    """

    provider = models.CharField(max_length=250, primary_key=True, help_text="Such as smtp.example.com:587.")
    failures = models.PositiveIntegerField(default=0, help_text="Connections in a row that failed.")
    failing_since = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="What went wrong the last time.")
    next_slot = models.DateTimeField(
        null=True, blank=True, help_text="When the next mail may go, by MAIL_RATE."
    )

    def __str__(self) -> str:
        return self.provider
