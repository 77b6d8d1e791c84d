"""What people type to come in, and about themselves."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise
from phonenumber_field.formfields import PhoneNumberField


def email_field(label: StrPromise | None = None, *, autocomplete: str = "username") -> forms.EmailField:
    """An e-mail address that password managers know as the name of the account."""
    return forms.EmailField(
        label=label or _("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": autocomplete, "inputmode": "email", "spellcheck": "false"}),
        error_messages={
            "required": _("Enter your e-mail address."),
            "invalid": _("Enter an e-mail address, like name@example.com."),
        },
    )


def present_password_field(label: StrPromise | None = None) -> forms.CharField:
    """A password somebody already has."""
    return forms.CharField(
        label=label or _("Password"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your password.")},
    )


def new_password_field(label: StrPromise | None = None) -> forms.CharField:
    """A password somebody chooses now, with the rules it must keep."""
    return forms.CharField(
        label=label or _("New password"),
        strip=False,
        max_length=128,
        # What AUTH_PASSWORD_VALIDATORS asks for, in one breath; the page's test compares the two.
        help_text=_("At least 10 characters; not a common password, not only digits, nothing close to your name."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("Choose a password.")},
    )


def code_field() -> forms.CharField:
    """Six digits from a mail, which telephones offer to fill in."""
    return forms.CharField(
        label=_("Code"),
        help_text=_("The 6 digits from our message."),
        max_length=20,  # people type spaces between the digits
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "class": "code-input",
                "spellcheck": "false",
            }
        ),
        error_messages={"required": _("Enter the code.")},
    )


def first_name_field() -> forms.CharField:
    """What somebody is called."""
    return forms.CharField(
        label=_("First name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
        error_messages={"required": _("Enter your first name.")},
    )


def last_name_field() -> forms.CharField:
    """The rest of the name; many people have only one."""
    return forms.CharField(
        label=_("Last name"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )


def phone_field() -> PhoneNumberField:
    """A telephone number, of India unless it says otherwise."""
    return PhoneNumberField(
        label=_("Phone number"),
        required=False,
        region="IN",
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
        error_messages={"invalid": _("Enter a phone number, like 98450 12345.")},
    )


class SignUp(forms.Form):
    """Who wants an account."""

    first_name = first_name_field()
    last_name = last_name_field()
    email = email_field()
    phone = phone_field()
    password = new_password_field(_("Password"))


class Code(forms.Form):
    """The code from the mail."""

    code = code_field()


class Again(forms.Form):
    """A button without anything to type, at which a refusal is shown."""


class AskForCode(forms.Form):
    """Where a code to sign in with goes."""

    email = email_field()


class SignIn(forms.Form):
    """E-mail address and password."""

    email = email_field()
    password = present_password_field()


class Forgotten(forms.Form):
    """Whose password is forgotten."""

    email = email_field()


class NewPassword(forms.Form):
    """The password from now on."""

    password = new_password_field()


class Profile(forms.Form):
    """What somebody is called, and how they are reached."""

    first_name = first_name_field()
    last_name = last_name_field()
    phone = phone_field()


class ChangeEmail(forms.Form):
    """The address from now on, and the proof that it is the person who asks."""

    email = email_field(_("New e-mail address"), autocomplete="email")
    password = present_password_field()


class ChangePassword(forms.Form):
    """The password until now, and the one from now on."""

    present = present_password_field(_("Present password"))
    password = new_password_field()
