"""Pages for people: the way home, the own profile."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_POST, require_safe

from teams import access, services
from teams.authentication import SESSION_ORGANIZATION, SignedInRequest
from teams.forms import NewPasswordForm, PreferencesForm
from teams.pages import closed_page


@require_safe
@login_required
def home(request: SignedInRequest) -> HttpResponse:
    """To the organization looked at last, else the first; a page that helps a person who belongs to none."""
    organizations = access.organizations_of(request.user)
    closed = None if organizations else access.closed_organization(request.user)
    if closed is not None:
        return closed_page(request, closed)
    if not organizations:
        return render(request, "teams/no_organization.html")
    last = request.session.get(SESSION_ORGANIZATION)
    chosen = next((each for each in organizations if each.slug == last), organizations[0])
    return redirect("dashboard", chosen.slug)


class Profile(PasswordChangeView):
    """The own roles, and a new password. A changed password ends the person's other sessions."""

    template_name = "teams/profile.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("profile")
    request: SignedInRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The forms, and what the person is in which organization."""
        user = self.request.user
        preferences = PreferencesForm(initial={"theme": user.theme, "times": user.times})
        memberships = access.memberships_of(user)
        factors = services.factors_of(user)
        return super().get_context_data(memberships=memberships, preferences=preferences, factors=factors, **kwargs)

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Store the password and say so."""
        messages.success(self.request, "Your password was changed. Other browsers have been signed out.")
        return super().form_valid(form)


@require_POST
@login_required
def preferences(request: SignedInRequest) -> HttpResponse:
    """How pages look to the person, and in which zone they write times."""
    form = PreferencesForm(request.POST)
    if form.is_valid():
        services.set_preferences(user=request.user, **form.cleaned_data)
        messages.success(request, "Saved. Pages look like this in all of your browsers.")
    else:
        messages.error(request, "Choose one of the offered looks and zones. Nothing was changed.")
    return redirect("profile")
