"""Names that hold secrets, and names that only speak of them."""

import pytest

from letsbe_executor_env.sensitivity import holds_nothing, is_sensitive_key

SENSITIVE = """
DB_PASSWORD POSTGRES_PASSWORD PGPASSWORD dbPassword db_passwd MYSQL_PWD SMTP_PASS pass
API_KEY apiKey APIkey APIKEY STRIPE_SECRET_KEY SECRET_KEY_BASE AWS_SECRET_ACCESS_KEY
KEY ENCRYPTION_KEY APP_KEY JWT_SECRET JWT GITHUB_TOKEN TOKEN token_2 SLACK_BOT_TOKEN_DEV
REFRESH_TOKEN NEXTAUTH_SECRET CLIENT_SECRET SESSION_SECRET AUTH_SALT PRIVATE_KEY
SSH_PRIVATE_KEY MASTER_KEY PASSPHRASE GPG_PASSPHRASE BASIC_CREDENTIALS WG_PSK
ADMIN_PASSWORD_HASH HTPASSWD DB_PASSWORD_1 my.secret some-token authtoken API_KEYS
"""
OPEN = """
MONKEY monkey KEYBOARD_LAYOUT keyboard_layout TOKEN_LIMIT MAX_TOKENS MAX_TOKEN
TOKENS_PER_MINUTE_LIMIT PASSWORD_MIN_LENGTH PASSWORD_RESET_ENABLED TOKEN_TTL JWT_ISSUER
JWT_EXPIRES_IN TOKEN_URL SECRET_NAME DB_PASSWORD_FILE SSL_KEY_PATH PUBLIC_KEY CACHE_KEY
KEYCLOAK_URL PRIMARY_KEY PWD OLDPWD PORT HOST DATABASE_URL COMPASS BYPASS_PROXY
PASSENGER_APP_ENV SECRETARY_EMAIL TOKENIZERS_PARALLELISM HOTKEY TURKEY_VAT AUTHOR
COOKIE_DOMAIN SESSION_COOKIE_NAME AWS_ACCESS_KEY_ID KEY_PREFIX DONKEY_MODE tokenLimit
NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY PASSWORD_POLICY KEYS_COUNT PASSWORD_HASHER SITE_KEY
"""


@pytest.mark.parametrize("key", SENSITIVE.split())
def test_sensitive(key: str) -> None:
    assert is_sensitive_key(key)


@pytest.mark.parametrize("key", OPEN.split())
def test_not_sensitive(key: str) -> None:
    assert not is_sensitive_key(key)


@pytest.mark.parametrize("value", ["", " ", "true", "None", "${X}", "$X", "<token>"])
def test_values_that_hold_nothing(value: str) -> None:
    assert holds_nothing(value)


@pytest.mark.parametrize("value", ["changeme", "password", "1234", "$x y", "trueish"])
def test_values_that_may_be_something(value: str) -> None:
    assert not holds_nothing(value)
