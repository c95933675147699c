"""The outbox: one row for each mail to one person, from the event it tells of to the provider's answer."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now


class Message(models.Model):
    """A mail to one recipient: `queued → sending → sent | uncertain | failed`, or `suppressed`.

    Written in the transaction of the event it tells of, once per event, kind and recipient; a resend is a
    row of its own, linked to the first. A job of the mail queue delivers it. After a passing error it is
    `queued` again, or `uncertain` when the provider may have taken it before the connection broke; either
    way the next attempt carries the same Message-ID, by which mail programs recognise a double. `suppressed`:
    it must not be sent any more, and `error` says why.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "waiting"
        SENDING = "sending", "being sent"
        SENT = "sent", "sent"
        UNCERTAIN = "uncertain", "perhaps sent"
        FAILED = "failed", "failed"
        SUPPRESSED = "suppressed", "held back"

    kind = models.CharField(max_length=60, help_text="Which of our mails, such as import_finished.")
    event = models.CharField(max_length=100, help_text="What happened, once: import/12/completed.")
    about = models.CharField(max_length=100, help_text="What it is about: import/12, order/10001.")
    # Free text on purpose: a wrong address must fail here, in sight, and not in the event's transaction.
    recipient = models.TextField()
    subject = models.CharField(max_length=250)
    text = models.TextField()
    html = models.TextField("HTML", blank=True)
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
    answer = models.TextField(blank=True, help_text="What the provider said when it took it.")
    error = models.TextField(blank=True, help_text="Why the latest attempt failed.")
    created_at = models.DateTimeField("created", db_default=Now(), editable=False)
    sent_at = models.DateTimeField("sent", null=True, blank=True)

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
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def job_subject(self) -> str:
        """Its name in the job table."""
        return f"message/{self.pk}"

    @property
    def may_be_double(self) -> bool:
        """Whether its recipient may hold it twice: it was sent after an attempt of unknown end."""
        return self.state == self.State.SENT and self.doubtful_attempts > 0
