"""The admin's login page, by the same steps as the shop's: attempts are limited, a second factor is asked."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.forms import AuthenticationForm as DjangoAuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.forms import AuthenticationForm


class StaffLoginForm(AuthenticationForm):
    """User name or e-mail, and password; too many wrong ones, and it is over for five minutes."""

    def clean(self) -> dict[str, Any]:
        """Who it is, without logging in."""
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if username and password:
            adapter = get_adapter(self.request)
            self.user_cache = adapter.authenticate(self.request, username=username, password=password)
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data


class StaffLoginView(LoginView):
    """Unfold's page in front of allauth's steps: whoever has a second factor is asked for it next."""

    authentication_form = StaffLoginForm
    template_name = "admin/login.html"

    def form_valid(self, form: DjangoAuthenticationForm) -> HttpResponse:
        login = Login(
            user=form.get_user(),
            email_verification=EmailVerificationMethod.NONE,  # staff are made by people who know them
            redirect_url=self.get_success_url(),
        )
        return perform_password_login(self.request, {"username": form.cleaned_data["username"]}, login)

    def get_default_redirect_url(self) -> str:
        return reverse("admin:index")


def login(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
    """Instead of `AdminSite.login`; who is in already goes on to the start page."""
    if request.method == "GET" and admin.site.has_permission(request):
        return HttpResponseRedirect(reverse("admin:index"))
    context = {
        **admin.site.each_context(request),
        "title": "Log in",
        "subtitle": None,
        "app_path": request.get_full_path(),
        "username": request.user.get_username(),
        REDIRECT_FIELD_NAME: request.GET.get(REDIRECT_FIELD_NAME, reverse("admin:index")),
        **(extra_context or {}),
    }
    return StaffLoginView.as_view(extra_context=context)(request)
