"""How forms become HTML.

Needs `django.forms` in INSTALLED_APPS: widgets whose template we do not replace are found in Django's own folder.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django import forms
from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.pictures import Picture, judge, keep, kept, thumbnail


class Renderer(TemplatesSetting):
    """Renders forms with the templates under templates/django/forms/: label, hint, error, control, in this order."""

    form_template_name = "django/forms/form.html"
    field_template_name = "django/forms/group.html"


class KeptImageInput(forms.ClearableFileInput):
    """A file input that shows, and sends again, the picture a visitor chose before the form had to be corrected."""

    template_name = "core/widgets/kept_image.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"accept": "image/png,image/jpeg,image/webp,image/gif", **(attrs or {})})
        self.kept: tuple[Picture, str] | None = None
        self.present_url = ""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """The newly chosen file, or the token of the one chosen before."""
        return files.get(name) or data.get(f"{name}_kept") or None

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Whether neither came."""
        return name not in files and f"{name}_kept" not in data

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Add what the template shows of the kept picture."""
        context = super().get_context(name, None, attrs)
        context["widget"]["kept_url"] = self.present_url
        if self.kept:
            picture, token = self.kept
            context["widget"] |= {
                "kept_name": picture.name,
                "kept_url": thumbnail(picture),
                "kept_token_name": f"{name}_kept",
                "kept_token": token,
            }
        return context


class PictureField(forms.Field):
    """A picture; its cleaned value is a `Picture`, or None when none was sent.

    A picture that passed is set aside, so that it survives a fault in another field.
    """

    widget = KeptImageInput

    def clean(self, value: Any) -> Picture | None:
        """Judge the upload or fetch the kept picture."""
        if isinstance(value, str):
            picture = kept(value)
            if picture is None:
                raise forms.ValidationError(_("The picture you chose before is no longer kept. Choose it again."))
            self._remember(picture, value)
            return picture
        if value:
            try:
                picture = judge(value)
            except DomainError as error:
                raise forms.ValidationError(str(error)) from None
            self._remember(picture, keep(picture))
            return picture
        super().clean(value)
        return None

    def _remember(self, picture: Picture, token: str) -> None:
        cast(KeptImageInput, self.widget).kept = (picture, token)


@contextmanager
def refusals_on(form: forms.BaseForm) -> Iterator[None]:
    """Put what a service refuses onto the form, at the field it names, so that nothing typed is lost."""
    try:
        yield
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        form.refusal = error  # type: ignore[attr-defined]  # core.pages answers with its status
