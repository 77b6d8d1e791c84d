"""Signing in and out, and passwords: the same pages on every host."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("password/forgotten/", views.forgotten, name="password_forgotten"),
    path("password/forgotten/sent/", views.forgotten_sent, name="password_forgotten_sent"),
    path("password/new/<str:key>/<str:token>/", views.new_password, name="password_new"),
]
