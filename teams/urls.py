"""Routes of teams."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, path

from teams import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("sign-in", views.SignIn.as_view(), name="sign-in"),
    path("sign-out", LogoutView.as_view(), name="sign-out"),
    path("profile", views.Profile.as_view(), name="profile"),
]
