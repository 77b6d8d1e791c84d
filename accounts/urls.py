"""Signing up, in and out, passwords, and one's own account: the same pages on every host."""

from django.urls import path

from accounts.views import account, family, passkeys, sign_in, sign_up, two_factor

urlpatterns = [
    path("sign-up/", sign_up.sign_up, name="sign_up"),
    path("sign-up/code/", sign_up.code, name="sign_up_code"),
    path("sign-up/code/again/", sign_up.again, name="sign_up_code_again"),
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/code/", sign_in.code, name="sign_in_code"),
    path("sign-in/code/enter/", sign_in.enter_code, name="sign_in_code_enter"),
    path("sign-in/code/again/", sign_in.code_again, name="sign_in_code_again"),
    path("sign-in/second/", two_factor.step, name="second_step"),
    path("sign-in/second/passkey/", passkeys.finish, name="second_step_passkey"),
    path("sign-in/passkey/", passkeys.sign_in, name="passkey_sign_in"),
    path("sign-in/passkey/options/", passkeys.options, name="passkey_options"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("password/forgotten/", sign_in.forgotten, name="password_forgotten"),
    path("password/forgotten/sent/", sign_in.forgotten_sent, name="password_forgotten_sent"),
    path("password/new/<str:key>/<str:token>/", sign_in.new_password, name="password_new"),
    path("account/", account.profile, name="profile"),
    path("account/email/", account.email, name="email_change"),
    path("account/email/code/", account.email_code, name="email_change_code"),
    path("account/password/", account.password, name="password_change"),
    path("account/sessions/", account.sessions, name="sessions"),
    path("account/sessions/<uuid:code>/end/", account.end_session, name="session_end"),
    path("account/sessions/end/", account.end_all, name="sessions_end"),
    path("account/family/", family.index, name="family"),
    path("account/family/<uuid:code>/", family.edit, name="family_edit"),
    path("account/family/<uuid:code>/remove/", family.remove, name="family_remove"),
    path("account/two-factor/", two_factor.overview, name="two_factor"),
    path("account/two-factor/passkey/", passkeys.catch_up, name="two_factor_passkey"),
    path("account/two-factor/app/", two_factor.app, name="two_factor_app"),
    path("account/two-factor/app/begin/", two_factor.begin, name="two_factor_begin"),
    path("account/two-factor/app/remove/", two_factor.off, name="two_factor_off"),
    path("account/two-factor/recovery-codes/", two_factor.codes, name="two_factor_codes"),
    path("account/passkeys/add/", passkeys.add, name="passkey_add"),
    path("account/passkeys/make/", passkeys.make, name="passkey_make"),
    path("account/passkeys/<uuid:code>/remove/", passkeys.remove, name="passkey_remove"),
]
