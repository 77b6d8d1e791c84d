"""Pages of a hospital's own site: what patients see, and the office behind it."""

from django.urls import path

from hospitals.views import departments, invitation, log, office, outbox, settings, site

urlpatterns = [
    path("", site.home, name="home"),
    path("departments/", site.department_list, name="department_list"),
    path("departments/<slug:slug>/", site.department_detail, name="department_detail"),
    path("departments/<slug:slug>/image/<str:name>", site.department_image, name="department_image"),
    path("invitation/<str:token>/", invitation.accept, name="invitation"),
    path("start/", office.start, name="start"),
    path("office/activity/", log.activity, name="activity"),
    path("office/outbox/", outbox.index, name="outbox"),
    path("office/outbox/<uuid:code>/", outbox.message, name="outbox_message"),
    path("office/outbox/<uuid:code>/retry/", outbox.retry, name="outbox_retry"),
    path("office/departments/", departments.index, name="department_admin"),
    path("office/departments/add/", departments.add, name="department_add"),
    path("office/departments/<uuid:code>/", departments.edit, name="department_edit"),
    path("office/departments/<uuid:code>/activate/", departments.activate, name="department_activate"),
    path("office/departments/<uuid:code>/deactivate/", departments.deactivate, name="department_deactivate"),
    path("office/departments/<uuid:code>/delete/", departments.delete, name="department_delete"),
    path("office/settings/", settings.overview, name="settings"),
    path("office/settings/brand/", settings.brand, name="settings_brand"),
    path("office/settings/brand/preview/", settings.brand_preview, name="settings_brand_preview"),
    path("office/settings/contact/", settings.contact, name="settings_contact"),
    path("office/settings/welcome/", settings.welcome, name="settings_welcome"),
    path("office/settings/domains/", settings.domains, name="settings_domains"),
    path("office/settings/domains/<uuid:code>/verify/", settings.verify_domain, name="settings_domain_verify"),
    path("office/settings/domains/<uuid:code>/drop/", settings.drop_domain_claim, name="settings_domain_drop"),
    path("office/settings/domains/remove/<str:domain>/", settings.remove_domain, name="settings_domain_remove"),
]
