"""Its addresses."""

from django.urls import path

from bench.twin import views

urlpatterns = [
    path("ping", views.ping),
    path("list", views.listing),
    path("insert", views.insert),
]
