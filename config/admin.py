"""The start page's title, the login, and people: Django's own users and groups, in the admin's looks."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from config import admin_login

admin.site.login = admin_login.login  # type: ignore[method-assign]
admin.site.index_title = "Start"
admin.site.unregister(User)
admin.site.unregister(Group)
# In Django's own looks; the one has the secrets of second factors.
admin.site.unregister([EmailAddress, Authenticator])


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """Who may log in, and what they may do."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    actions = ["take_factors_away"]

    def has_superuser_permission(self, request: HttpRequest) -> bool:
        """What would let its user log in as somebody else."""
        return request.user.is_active and request.user.is_superuser

    @admin.action(description="Take second factors away", permissions=["superuser"])
    def take_factors_away(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """For those who lost their phone and the codes; they set one up anew."""
        found = Authenticator.objects.filter(user__in=users)
        owners = set(found.values_list("user__username", flat=True))
        found.delete()
        names = ", ".join(sorted(owners)) or "nobody who had one"
        self.message_user(request, f"Without a second factor now: {names}.")


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Permissions that several people share."""
