"""Sign-up and sign-in forms on top of django-allauth's."""

import re
from typing import Any

from allauth.account.forms import (
    ConfirmEmailVerificationCodeForm,
    ConfirmPasswordResetCodeForm,
    LoginForm,
    ResetPasswordKeyForm,
    SignupForm,
)
from django import forms
from django.http import HttpRequest

from trading.models import User
from trading.services import people
from trading.web.codes import is_code

PHONE_SHAPE = re.compile(r"^\+?[0-9]{10,15}$")


class SignUpForm(SignupForm):  # type: ignore[misc]  # allauth has no types
    """E-mail, password, and a telephone number for those who want to give one."""

    phone = forms.CharField(
        label="Phone",
        required=False,
        max_length=20,
        help_text="For alarms by phone, when you switch them on. Nobody else sees it.",
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "placeholder": "+91 98765 43210"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "E-mail"
        self.fields["email"].widget.attrs["placeholder"] = "you@example.com"
        self.fields["password1"].label = "Password"
        self.fields["password1"].help_text = "At least 12 characters. A few words in a row are good."
        self.fields["password1"].widget.attrs.pop("placeholder", None)

    def clean_phone(self) -> str:
        """Spaces, dots, hyphens and brackets are the writer's; digits and a leading + are kept."""
        phone = re.sub(r"[\s().-]", "", self.cleaned_data["phone"])
        if phone and not PHONE_SHAPE.match(phone):
            raise forms.ValidationError("A phone number has 10 to 15 digits, with or without +91.")
        return phone

    def custom_signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth once the user row is saved; an address that exists already never comes here."""
        super().custom_signup(request, user)
        people.create_client(user=user, phone=self.cleaned_data["phone"])


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth has no types
    """Only the words differ from allauth's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "E-mail"
        self.fields["login"].widget.attrs["placeholder"] = "you@example.com"
        self.fields["password"].widget.attrs.pop("placeholder", None)
        self.fields["password"].help_text = ""


class _CodeFields:
    """One field for eight digits, compared with the keyed hash that the session holds."""

    expected_code: str
    cleaned_data: dict[str, str]
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["code"]
        field.label = "Code"
        field.widget.attrs.update(
            placeholder="1234-5678", inputmode="numeric", autocomplete="one-time-code", autofocus=True, maxlength=11
        )

    def clean_code(self) -> str:
        typed = self.cleaned_data["code"]
        self.expected_code = typed if is_code(typed, self.expected_code or "") else ""
        code: str = super().clean_code()  # type: ignore[misc]  # allauth's half of the form
        return code


class SignUpCodeForm(_CodeFields, ConfirmEmailVerificationCodeForm):  # type: ignore[misc]
    """The code that confirms an address."""


class ResetCodeForm(_CodeFields, ConfirmPasswordResetCodeForm):  # type: ignore[misc]
    """The code that allows a new password."""


class NewPasswordForm(ResetPasswordKeyForm):  # type: ignore[misc]
    """The new password, asked for once: it can be shown while typing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password2"]
        self.fields["password1"].label = "New password"
        self.fields["password1"].help_text = "At least 12 characters. A few words in a row are good."
        self.fields["password1"].widget.attrs.pop("placeholder", None)
