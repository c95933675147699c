from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ConfigConfig(AppConfig):
    """Wires the others: settings, addresses, the admin's looks, who may do what."""

    name = "config"

    def ready(self) -> None:
        """Complete the groups of staff after every migration, and note who sets up a second factor."""
        from allauth.mfa.signals import authenticator_added

        from config import roles, staff_mfa

        post_migrate.connect(roles.complete, dispatch_uid="config.roles")
        authenticator_added.connect(staff_mfa.note_set_up, dispatch_uid="config.staff_mfa")
