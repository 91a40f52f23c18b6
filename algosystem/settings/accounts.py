"""Sign-up, sign-in and one-time codes (django-allauth). Read by `algosystem.settings`."""

TEN_MINUTES_S = 600

AUTH_USER_MODEL = "trading.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "home"

ACCOUNT_ADAPTER = "trading.web.account_adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "trading.web.account_forms.SignUpForm",
    "login": "trading.web.account_forms.SignInForm",
    "confirm_email_verification_code": "trading.web.account_forms.SignUpCodeForm",
    "confirm_password_reset_code": "trading.web.account_forms.ResetCodeForm",
    "reset_password_from_key": "trading.web.account_forms.NewPasswordForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_MAX_EMAIL_ADDRESSES = 1

# Eight digits, shown as 1234-5678: 26 bits, OWASP ASVS 6.5.4 asks for 20.
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "length": 8, "dashed": True}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = TEN_MINUTES_S
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_MAX_ATTEMPTS = 3
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = 3
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = TEN_MINUTES_S
ACCOUNT_PASSWORD_RESET_BY_CODE_MAX_ATTEMPTS = 3

ACCOUNT_RATE_LIMITS = {
    # The key of failed sign-ins is account and address together (see the adapter).
    "login_failed": "10/m/ip,5/5m/key",
    "confirm_email": "1/10s/key,5/h/key",
    "reset_password": "20/m/ip,5/h/key",
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
