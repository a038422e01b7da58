"""What the Nextcloud adapter is: operations, credentials and raw requests' table."""

from __future__ import annotations

from letsbe.plugin import Adapter, Credential, RouteRule, Setting, Tier
from letsbe_tool_nextcloud import (
    calendar,
    files,
    groups,
    history,
    people,
    reading,
    sharing,
    transfer,
)
from letsbe_tool_nextcloud.access import DAV, OCS, authenticate, check, read_fault

_SHARES = f"{OCS}/apps/files_sharing/api/v1/shares"

ROUTES = (
    RouteRule("GET", "/status.php", Tier.GREEN, "reads"),
    RouteRule("GET", f"{OCS}/cloud/**", Tier.GREEN, "reads"),
    RouteRule("GET", f"{OCS}/search/**", Tier.GREEN, "reads"),
    RouteRule(
        "GET",
        f"{_SHARES}/**",
        Tier.RED,
        "shows hashes of passwords, which list_shares leaves out",
    ),
    RouteRule("GET", f"{OCS}/apps/notifications/**", Tier.GREEN, "reads"),
    RouteRule("GET", f"{OCS}/apps/serverinfo/**", Tier.GREEN, "reads"),
    RouteRule("GET", f"{OCS}/apps/user_status/**", Tier.GREEN, "reads"),
    RouteRule("GET", f"{OCS}/apps/files/**", Tier.GREEN, "reads"),
    RouteRule("GET", f"{OCS}/apps/activity/**", Tier.GREEN, "reads"),
    RouteRule("GET", f"{DAV}/files/**", Tier.GREEN, "reads a file"),
    RouteRule("GET", f"{OCS}/core/getapppassword**", Tier.RED, "gives a password"),
    RouteRule("*", f"{OCS}/core/apppassword/**", Tier.RED, "ends the password in use"),
    RouteRule(
        "POST|PUT",
        f"{_SHARES}/**",
        Tier.YELLOW_EXTERNAL,
        "may show a file to everybody",
        external=True,
    ),
    RouteRule("DELETE", f"{_SHARES}/**", Tier.RED, "ends a share"),
    RouteRule("PUT", f"{OCS}/apps/user_status/**", Tier.YELLOW, "changes your state"),
    RouteRule(
        "POST|PUT|PATCH|DELETE", f"{OCS}/cloud/users/**", Tier.RED, "governs people"
    ),
    RouteRule(
        "*", f"{OCS}/cloud/users/*/subadmins", Tier.CRITICAL_RED, "governs people"
    ),
    RouteRule("*", f"{OCS}/cloud/users/*/wipe", Tier.CRITICAL_RED, "wipes devices"),
    RouteRule("POST|PUT|DELETE", f"{OCS}/cloud/groups/**", Tier.RED, "governs groups"),
    RouteRule(
        "POST|DELETE", f"{OCS}/cloud/apps/**", Tier.CRITICAL_RED, "changes the code"
    ),
    RouteRule(
        "*", f"{OCS}/apps/provisioning_api/**", Tier.CRITICAL_RED, "changes the server"
    ),
    RouteRule("DELETE", f"{DAV}/**", Tier.RED, "deletes"),
)

NEXTCLOUD = Adapter(
    name="nextcloud",
    summary="Files, shares, calendars, contacts and people of the business.",
    operations=(
        *files.OPERATIONS,
        *reading.OPERATIONS,
        *transfer.OPERATIONS,
        *history.OPERATIONS,
        *sharing.OPERATIONS,
        *calendar.OPERATIONS,
        *people.OPERATIONS,
        *groups.OPERATIONS,
    ),
    routes=ROUTES,
    authenticate=authenticate,
    credentials=(
        Credential(
            "app_password",
            "an app password, from the security settings of the user",
            env=(
                *("NEXTCLOUD_APP_PASSWORD", "NEXTCLOUD_PASSWORD"),
                "NEXTCLOUD_ADMIN_PASSWORD",
            ),
        ),
        Credential(
            "admin_password",
            "the administrator's real password, for people and groups",
            env=("NEXTCLOUD_ADMIN_PASSWORD", "NEXTCLOUD_PASSWORD"),
            required=False,
        ),
    ),
    settings=(
        Setting(
            "user",
            "the user whose app password it is",
            env=("NEXTCLOUD_USER", "NEXTCLOUD_ADMIN_USER"),
            default="admin",
        ),
        Setting(
            "admin_user",
            "the administrator's name",
            env=("NEXTCLOUD_ADMIN_USER", "NEXTCLOUD_USER"),
            default="admin",
        ),
    ),
    address_env=("NEXTCLOUD_URL", "NEXTCLOUD_BASE_URL"),
    fault=read_fault,
    check=check,
    probe="read_me",
    headers={"ocs-apirequest": "true", "accept": "application/json"},
    notes=(
        "Paths are from the top of the user's files: `Documents/notes.md`.",
        "write_file replaces a file only with overwrite, or with its etag.",
        "Files of this server: upload_file and download_file, whatever their size.",
        "A link or e-mail share, and an invitation, reach people outside.",
        "People and groups need the administrator's real password.",
    ),
)
"""The adapter."""
