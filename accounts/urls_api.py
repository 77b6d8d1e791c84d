"""Addresses below /api/auth/."""

from django.urls import path

from accounts.api import account, family, sign_in, two_factor

urlpatterns = [
    path("login/", sign_in.Login.as_view(), name="api_login"),
    path("login/code/", sign_in.SendCode.as_view(), name="api_login_code"),
    path("login/code/verify/", sign_in.CodeLogin.as_view(), name="api_login_code_verify"),
    path("verify/", sign_in.Verify.as_view(), name="api_verify"),
    path("refresh/", sign_in.Refresh.as_view(), name="api_refresh"),
    path("logout/", sign_in.Logout.as_view(), name="api_logout"),
    # Two paths for the same, as some clients expect them below register/.
    path("register/logout/", sign_in.Logout.as_view(), name="api_register_logout"),
    path("register/profile/", account.Profile.as_view(), name="api_register_profile"),
    path("profile/", account.Profile.as_view(), name="api_profile"),
    path("password/", account.Password.as_view(), name="api_password"),
    path("password/forgotten/", account.ForgottenPassword.as_view(), name="api_password_forgotten"),
    path("password/new/", account.LinkedPassword.as_view(), name="api_password_new"),
    path("email/", account.Email.as_view(), name="api_email"),
    path("email/confirm/", account.ConfirmEmail.as_view(), name="api_email_confirm"),
    path("sessions/", account.Sessions.as_view(), name="api_sessions"),
    path("sessions/<uuid:code>/", account.OneSession.as_view(), name="api_session"),
    path("family/", family.Family.as_view(), name="api_family"),
    path("family/<uuid:code>/", family.OneFamilyMember.as_view(), name="api_family_member"),
    path("two-factor/", two_factor.TwoFactor.as_view(), name="api_two_factor"),
    path("two-factor/confirm/", two_factor.Confirm.as_view(), name="api_two_factor_confirm"),
    path("two-factor/recovery-codes/", two_factor.NewRecoveryCodes.as_view(), name="api_recovery_codes"),
    path("passkeys/<uuid:code>/", two_factor.OnePasskey.as_view(), name="api_passkey"),
]
